"""A publisher's TUF repository at the hub, read by the unmodified `tuf.ngclient` from the root that is held."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import cast

from tuf.api.metadata import Snapshot, TargetFile, Targets
from tuf.ngclient import Updater, UpdaterConfig

from hashshare.client.fetching import HubFetcher, tuf_errors_translated
from hashshare.client.home import Home, make_private_folder, naming
from hashshare.client.kept_metadata import feed_metadata, kept_role
from hashshare.client.rootchange import RootChange, root_change
from hashshare.client.session import Session
from hashshare.client.trust import (
    metadata_dir,
    publisher,
    remember_publisher,
    root_path,
    root_replaced,
    usable_publisher,
)
from hashshare.wire import limits
from hashshare.wire.errors import (
    HashshareError,
    MalformedMajor,
    MalformedMetadata,
    NotFound,
    RootReplaced,
    VerificationFailed,
)
from hashshare.wire.major import Major, major_path
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import major_documents
from hashshare.wire.repository.metadata import MAJOR, ROOT, metadata_name, read_typed, root_fingerprint
from hashshare.wire.repository.shapes import check_delegated_major

CONFIG = UpdaterConfig(
    root_max_length=limits.MAX_METADATA,
    timestamp_max_length=16 * limits.KIB,
    snapshot_max_length=limits.MAX_METADATA,
    targets_max_length=limits.MAX_METADATA,
    max_delegations=4,
)


class Repository:
    """One publisher's TUF repository at the hub, refreshed at most once (the reference time is fixed then)."""

    def __init__(self, home: Home, session: Session, domain: str) -> None:
        """Raises VerificationFailed when the publisher's root is refused, NotEntitled when the hub shows none."""
        self.home, self._session, self.domain = home, session, domain
        self._updater: Updater | None = None
        self.root_change: RootChange | None = None

    @property
    def targets_url(self) -> str:
        return self._session.url(f"tuf/{self.domain}/targets/")

    def refresh(self) -> None:
        """Root, timestamp, snapshot and targets, each checked by tuf.ngclient. Raises the VerificationFailed tree."""
        if self._updater is not None:
            return
        folder = make_private_folder(metadata_dir(self.home, self.domain))
        standing = folder / "root.json"
        before = standing.read_bytes() if standing.exists() else None
        try:
            self._updater = self._refreshed(folder, before, standing)
        except VerificationFailed as error:
            self._tell_replaced(error)
            raise

    def _refreshed(self, folder: Path, before: bytes | None, standing: Path) -> Updater:
        with tuf_errors_translated(self.domain), naming(folder):
            updater = Updater(
                str(folder),
                self._session.url(f"tuf/{self.domain}/metadata/"),
                target_base_url=self.targets_url,
                fetcher=HubFetcher(self._session),
                config=CONFIG,
                bootstrap=self._anchor(),
            )
            try:
                updater.refresh()
            finally:
                # A new root holds even where what comes after it fails.
                self.root_change = self.root_change or root_change(self.domain, before, standing)
            return updater

    def _tell_replaced(self, error: VerificationFailed) -> None:
        """Whatever the library found: a publisher that began anew, or a hub that claims so, is told as such."""
        try:
            self.check_first_root()
        except RootReplaced as replaced:
            raise replaced from error
        except HashshareError:
            return

    def check_first_root(self) -> None:
        """That the hub serves the first root that is held. Raises RootReplaced, NetworkError, NotEntitled, NotFound."""
        known = publisher(self.home, self.domain)
        if known is None or not known.fingerprint or known.state == "refused":
            return
        offered = root_fingerprint(fetch_root(self._session, self.domain))
        if offered != known.fingerprint:
            raise root_replaced(self.domain, held=known.fingerprint, offered=offered)

    @property
    def root_version(self) -> int:
        """Of the newest root that is verified here, 0 before the first."""
        try:
            return int(kept_role(self.home, self.domain, ROOT).version)
        except MalformedMetadata:
            return 0

    def _anchor(self) -> bytes:
        """Root version 1 as held; on first contact (or in place of a refused one) as the hub gives it."""
        known = publisher(self.home, self.domain)
        if known is None or known.state in ("pinned", "refused"):
            remember_publisher(self.home, self.domain, fetch_root(self._session, self.domain))
        usable_publisher(self.home, self.domain)
        return root_path(self.home, self.domain).read_bytes()

    def manifest_target(self, list_id: str) -> TargetFile:
        """What the list's feed role signs. Raises NotFound if there is no such role, MalformedMetadata."""
        self.refresh()
        path = f"{list_id}/manifest.json"
        with tuf_errors_translated(self.domain):
            target = cast("Updater", self._updater).get_targetinfo(path)
        if target is None:
            raise NotFound(f"{self.domain} signs no list {list_id}.")
        if set(target.hashes) != {"sha256"} or target.length > limits.MAX_MANIFEST:
            raise MalformedMetadata(f"The feed of {list_id} does not name its manifest by exactly one sha256.")
        return target

    def majors(self, list_id: str, *, after: int, upto: int) -> dict[int, Major]:
        """The major documents of a list for content versions past `after` up to `upto`, by version.

        Empty when the publisher never signed any. Raises MalformedMetadata for a major role of another shape than the
        format has, under which a feed key could sign too, ExpiredMetadata, and the rest of the VerificationFailed tree.
        """
        self.refresh()
        if f"{MAJOR}.json" not in cast("Snapshot", kept_role(self.home, self.domain, "snapshot")).meta:
            return {}
        check_delegated_major(cast("Targets", kept_role(self.home, self.domain, "targets")))
        updater, folder = cast("Updater", self._updater), metadata_dir(self.home, self.domain)
        with tuf_errors_translated(self.domain):
            # Whether it is there or not: asking loads and checks the role.
            updater.get_targetinfo(major_path(list_id, version=upto))
        known = major_documents((folder / f"{MAJOR}.json").read_bytes())
        found = {place[1]: ref for place, ref in known.items() if place[0] == list_id and after < place[1] <= upto}
        with tempfile.TemporaryDirectory(prefix="majors-", dir=folder.parent) as scratch:
            return {at: self._major(ref, Path(scratch) / ref.name) for at, ref in found.items()}

    def standing_major(self) -> bytes | None:
        """The major role's metadata as accepted, expired or not, for its publisher to follow; None before the first.

        Checked against the snapshot and by its signatures. Raises WrongDigest, BadSignature, MalformedMetadata.
        """
        self.refresh()
        named = cast("Snapshot", kept_role(self.home, self.domain, "snapshot")).meta.get(f"{MAJOR}.json")
        if named is None:
            return None
        targets = cast("Targets", kept_role(self.home, self.domain, "targets"))
        path = f"tuf/{self.domain}/metadata/{metadata_name(MAJOR, named.version)}"
        body = bytes(self._session.get(path).content)
        file = read_typed(MAJOR, body, Targets)
        with tuf_errors_translated(self.domain):
            named.verify_length_and_hashes(body)
            targets.verify_delegate(MAJOR, file.metadata.signed_bytes, file.metadata.signatures)
        return body

    def _major(self, ref: ObjectRef, path: Path) -> Major:
        """One document, by the path of the role that signs it."""
        with tuf_errors_translated(self.domain):
            target = cast("Updater", self._updater).get_targetinfo(ref.path)
        if target is None:
            raise MalformedMajor(f"The major role of {self.domain} does not name {ref.path}.")
        major = Major.parse(self.download(target, path))
        if major.path != ref.path:
            raise MalformedMajor(f"{ref.path} is of another list or version.")
        return major

    def download(self, target: TargetFile, path: Path) -> bytes:
        """A small target's bytes, checked against `target` by the library and kept at `path`."""
        self.refresh()
        with tuf_errors_translated(self.domain), naming(path):
            cast("Updater", self._updater).download_target(target, str(path))
        path.chmod(0o600)
        return path.read_bytes()

    def role_version(self, list_id: str) -> int:
        """Of the feed role as last verified."""
        return feed_metadata(self.home, self.domain, list_id).version


def fetch_root(session: Session, domain: str) -> bytes:
    """Root version 1 as the hub gives it: to be pinned, or compared."""
    response = session.get(f"tuf/{domain}/metadata/1.root.json")
    return bytes(response.content)

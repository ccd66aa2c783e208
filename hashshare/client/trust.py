"""Whom this client believes: publishers' roots, and the unmodified `tuf.ngclient` that starts from them.

A root learned from the hub is *unconfirmed* until its fingerprint is pinned from another channel. A root once held is
never replaced by what a hub says; later versions are reached only through TUF's own chain of signatures.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from hashshare.client.fetching import HubFetcher, tuf_errors_translated
from hashshare.client.home import Home, make_private_folder, naming, read_json, write_atomic, write_json
from hashshare.client.rootchange import RootChange, root_change
from hashshare.client.session import Session
from hashshare.wire import limits
from hashshare.wire.errors import (
    BadSignature,
    HashshareError,
    MalformedMajor,
    MalformedMetadata,
    NotFound,
    RootReplaced,
    VerificationFailed,
)
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.major import Major, major_path
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import hosted_lists, major_documents
from hashshare.wire.repository.metadata import MAJOR, ROOT, metadata_name, read_typed, root_fingerprint
from hashshare.wire.repository.shapes import check_delegated_major

CONFIG = UpdaterConfig(
    root_max_length=limits.MAX_METADATA,
    timestamp_max_length=16 * limits.KIB,
    snapshot_max_length=limits.MAX_METADATA,
    targets_max_length=limits.MAX_METADATA,
    max_delegations=4,
)


# --- publishers and their roots ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publisher:
    """`fingerprint`: hex sha256 of root version 1 as held, "" if none is. `expected`: what the user pinned, or "".
    `successor`: the root that the user named to take its place (client.replacing), or "".
    """

    domain: str
    fingerprint: str
    expected: str
    successor: str = ""

    @property
    def state(self) -> str:
        """Unconfirmed | confirmed | refused (held and pinned differ) | pinned (nothing held yet)"""
        if not self.fingerprint:
            return "pinned"
        if not self.expected:
            return "unconfirmed"
        return "confirmed" if self.expected == self.fingerprint else "refused"


def publisher(home: Home, domain: str) -> Publisher | None:
    document = read_json(home.publisher_dir(domain) / "trust.json")
    if document is None:
        return None
    return Publisher(domain, *(str(document.get(name, "")) for name in ("fingerprint", "expected", "successor")))


def publishers(home: Home) -> list[Publisher]:
    """Every publisher met or pinned, by domain."""
    folder = home.path / "publishers"
    domains = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = (publisher(home, domain) for domain in domains)
    return [known for known in found if known is not None]


def save_publisher(home: Home, known: Publisher) -> Publisher:
    document = {"domain": known.domain, "fingerprint": known.fingerprint, "expected": known.expected}
    if known.successor:
        document["successor"] = known.successor
    write_json(home.publisher_dir(known.domain) / "trust.json", document)
    return known


def root_path(home: Home, domain: str) -> Path:
    """Root version 1, the anchor."""
    return home.publisher_dir(domain) / "root.json"


def replaced_dir(home: Home, domain: str) -> Path:
    """A folder for each root that was replaced, named by its fingerprint: root.json and metadata/ as they were."""
    return home.publisher_dir(domain) / "replaced"


def metadata_dir(home: Home, domain: str) -> Path:
    """The verified metadata that tuf.ngclient keeps: {root,timestamp,snapshot,targets,<list id>}.json."""
    return home.publisher_dir(domain) / "metadata"


def check_root(root: bytes) -> None:
    """Raises MalformedMetadata, BadSignature unless these are the bytes of a root version 1 signed by itself."""
    file = read_typed(ROOT, root, Root)
    if file.version != 1:
        raise MalformedMetadata("This is not the first version of a root.")
    try:
        file.signed.verify_delegate(ROOT, file.metadata.signed_bytes, file.metadata.signatures)
    except tuf_errors.UnsignedMetadataError as error:
        raise BadSignature("The root is not signed by enough of its own keys.") from error


def remember_publisher(home: Home, domain: str, root: bytes) -> Publisher:
    """Keep `root` (version 1) of a publisher met for the first time; a known publisher's root is never replaced.

    Raises MalformedMetadata, BadSignature, or VerificationFailed if it is not the one held or pinned.
    """
    check_root(root)
    known = publisher(home, domain) or Publisher(domain, "", "")
    fingerprint = root_fingerprint(root)
    if known.expected and known.expected != fingerprint:
        raise differs(domain, offered=fingerprint, trusted=known.expected, why="pinned")
    if known.state == "refused":
        # What was held came from an impostor; nothing of it may survive the right root's arrival.
        forget_publisher(home, known)
    elif known.fingerprint and known.fingerprint != fingerprint:
        raise differs(domain, offered=fingerprint, trusted=known.fingerprint, why="first seen")
    if not root_path(home, domain).exists():
        write_atomic(root_path(home, domain), root)
    return save_publisher(home, Publisher(domain, fingerprint, known.expected, known.successor))


def differs(domain: str, *, offered: str, trusted: str, why: str) -> VerificationFailed:
    return VerificationFailed(
        f"The hub's root of {domain} is not the one that was {why} here.",
        next_step=f"Ask {domain} over another channel which fingerprint is right; tell them and the hub's operator.",
        publisher=domain,
        offered=offered,
        trusted=trusted,
    )


def root_replaced(domain: str, *, held: str, offered: str) -> RootReplaced:
    """For whoever meets a hub that serves `offered` in the place of the root that is held."""
    return RootReplaced(
        f"The hub serves another root of {domain} than the one that you trust, and nothing that you trust has signed "
        f"it. Yours: {held}. The hub's: {offered}.",
        next_step=f"Call {domain}, at a number that you had before: did it lose its keys and begin anew? If so, let it "
        f"read you the fingerprint of its new root: hashshare pin {domain} FINGERPRINT --replace. If not, the hub is "
        f"lying: tell {domain} and the hub's operator.",
        publisher=domain,
        held=held,
        offered=offered,
    )


def forget_publisher(home: Home, known: Publisher) -> None:
    """Drop the root, metadata and lists of a publisher whose root turned out to be false; the pin stays."""
    for path in (home.path / "lists").glob("*/current.json"):
        document = read_json(path) or {}
        if str(document.get("name", "")).partition("/")[0] == known.domain:
            shutil.rmtree(path.parent)
    shutil.rmtree(metadata_dir(home, known.domain), ignore_errors=True)
    root_path(home, known.domain).unlink(missing_ok=True)
    save_publisher(home, Publisher(known.domain, "", known.expected))


def pin(home: Home, domain: str, fingerprint: str) -> Publisher:
    """Record the fingerprint that the publisher gave over another channel.

    Raises VerificationFailed if the root held is another; the pin is kept all the same, so that from then on nothing
    under the false root is used and the right root can replace it.
    """
    expected = parse_fingerprint(fingerprint)
    known = publisher(home, domain)
    if known and known.state == "confirmed" and known.expected != expected:
        # A slip of the hand must not undo what was confirmed before.
        raise _mismatch(domain, held=known.fingerprint, pinned=expected, replaceable=True)
    updated = save_publisher(home, Publisher(domain, known.fingerprint if known else "", expected))
    if updated.state == "refused":
        raise _mismatch(domain, held=updated.fingerprint, pinned=expected)
    return updated


def _mismatch(domain: str, *, held: str, pinned: str, replaceable: bool = False) -> VerificationFailed:
    """`replaceable`: the root held was confirmed, so what is named may be that of a publisher that started anew."""
    anew = f" If the publisher itself says that it had to start anew: hashshare pin {domain} {pinned} --replace"
    return VerificationFailed(
        f"The root of {domain} that the hub gave is not the one you name.",
        next_step="If you typed it right, the hub or somebody between you and it is lying: tell the publisher."
        f"{anew if replaceable else ''}",
        publisher=domain,
        held=held,
        pinned=pinned,
    )


def usable_publisher(home: Home, domain: str) -> Publisher:
    """The publisher if something from it may be used. Raises VerificationFailed when its root is refused."""
    known = publisher(home, domain)
    if known is None or not known.fingerprint:
        raise VerificationFailed(f"No root of {domain} is held here.", next_step="hashshare sync")
    if known.state == "refused":
        raise _mismatch(domain, held=known.fingerprint, pinned=known.expected)
    return known


# --- TUF ---------------------------------------------------------------------------------------------------------


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
            return int(_kept(self.home, self.domain, ROOT).version)
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
        if f"{MAJOR}.json" not in cast("Snapshot", _kept(self.home, self.domain, "snapshot")).meta:
            return {}
        check_delegated_major(cast("Targets", _kept(self.home, self.domain, "targets")))
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
        named = cast("Snapshot", _kept(self.home, self.domain, "snapshot")).meta.get(f"{MAJOR}.json")
        if named is None:
            return None
        targets = cast("Targets", _kept(self.home, self.domain, "targets"))
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


def feed_metadata(home: Home, domain: str, list_id: str) -> Targets:
    """The feed role's signed part as last verified and kept. Raises MalformedMetadata when there is none."""
    return cast("Targets", _kept(home, domain, list_id))


def is_hosted(home: Home, domain: str, list_id: str) -> bool:
    """Whether the publisher's targets, as last verified, say that a hub keeps the list's key and signs with it."""
    path = metadata_dir(home, domain) / "targets.json"
    return path.is_file() and list_id in hosted_lists(path.read_bytes())


def timestamp_due(home: Home, domain: str, *, now: datetime) -> bool:
    """Whether the kept timestamp has under a quarter of its life left (or is missing), so that a poll that shows
    nothing new must be checked against the signed metadata: a frozen hub shows itself so.
    """
    path = metadata_dir(home, domain) / "timestamp.json"
    try:
        fetched = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        expires = cast("Timestamp", _kept(home, domain, "timestamp")).expires
    except (OSError, MalformedMetadata):
        return True
    life = max(expires - fetched, timedelta(0))
    return expires - now < life / 4


def has_ended(home: Home, domain: str, list_id: str, *, now: datetime) -> bool:
    """Whether a role that the publisher signs has ended as it is kept here, so that its renewal must be looked for, and
    its absence told, at every sync.
    """
    ends = expiries(home, domain, list_id)
    return any(ends[role] <= now for role in ("root", "targets", "feed") if role in ends)


KEPT: Final = ("root", "targets", "snapshot", "timestamp")


def expiries(home: Home, domain: str, list_id: str) -> dict[str, datetime]:
    """When each kept role ends: {"timestamp": ..., "feed": ..., ...}; roles not held are left out."""
    found: dict[str, datetime] = {}
    for label, role in (*((name, name) for name in KEPT), ("feed", list_id)):
        with contextlib.suppress(MalformedMetadata):
            found[label] = _kept(home, domain, role).expires
    return found


def _kept(home: Home, domain: str, role: str) -> Any:
    try:
        return Metadata[Any].from_file(str(metadata_dir(home, domain) / f"{role}.json")).signed
    except Exception as error:
        raise MalformedMetadata(f"{domain}: no readable {role} metadata is held.") from error

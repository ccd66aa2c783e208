"""Copying a publisher's repository from a peer into this hub's home as that peer's client, verified as by any member.

`hashshare.client` does it: tuf.ngclient from the pinned root down, digests before a byte is parsed, every segment's
rows, what stands for what, the count, and how much a release takes. Whatever a member would refuse is refused here.
What differs is that all of the chain is kept, since it is served again. Only files are written here, no rows.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from tuf.api.metadata import Snapshot, Targets

from hashshare.client import trust
from hashshare.client.home import Home
from hashshare.client.kept_metadata import kept_role
from hashshare.client.polling import Head
from hashshare.client.repository import Repository
from hashshare.client.session import Session
from hashshare.client.store import Held, ListStore
from hashshare.client.sync import sync_list
from hashshare.wire import errors, limits
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.engine import open_engine, paths
from hashshare.wire.major import Major
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, manifest_path
from hashshare.wire.repository import major_documents
from hashshare.wire.repository.metadata import MAJOR
from hashshare.wire.repository.shapes import check_delegated_major
from hashshare.wire.vocabulary import WITHDRAW

REFUSALS: Final = (errors.VerificationFailed, errors.NotEntitled, errors.NotFound)
"""Of one list: what would not be mended by asking again at once. Everything else ends the attempt at its publisher."""

ALARMING: Final = (errors.RootReplaced, errors.ListForked, errors.ContradictedFold)
"""After these nothing is followed until a person has looked: two truths were signed, or another root took its place."""

MEMORY: Final = "128MiB"


class TurnOverError(Exception):
    """This copy has had its turn and goes on later, from where it is. No fault of the network: nothing retries it."""


@dataclass(frozen=True, slots=True)
class CopiedList:
    """One list, verified and in the store. `feed` and `manifest` are the signed bytes, `refs` all that is served with
    them, the manifest first.
    """

    held: Held
    feed: bytes
    body: bytes
    manifest: Manifest
    refs: tuple[ObjectRef, ...]
    store: ListStore

    def path(self, ref: ObjectRef) -> Path:
        """The file with the object's bytes."""
        if ref == self.refs[0]:
            return self.store.manifest_path(ref.sha256)
        if ref.name.endswith(".json"):
            return self.store.index_path(ref.sha256)
        return self.store.object_path(ref.sha256)


@dataclass(frozen=True, slots=True)
class Copy:
    """What was verified of one publisher at one moment. `roots` by version, from the first. `refused`: why a list was
    not brought up to date, by its id.
    """

    roots: dict[int, bytes]
    targets: bytes
    snapshot: bytes
    timestamp: bytes
    major: bytes | None
    documents: dict[ObjectRef, bytes]
    lists: dict[str, CopiedList]
    refused: dict[str, errors.HashshareError]


class Turn:
    """How the copy goes, for the job's record, and when it has to let others to it. A `client.progress.Progress`."""

    def __init__(self, *, seconds: float, say: Callable[[int, int, str], None]) -> None:
        self._until, self._say = time.monotonic() + seconds, say

    def start(self, name: str, *, before: int | None, version: int, objects: int, total: int) -> None:  # noqa: ARG002
        self._say(0, total, f"Copying {name} v{version}")

    def advance(self, done: int) -> None:  # noqa: ARG002
        """Told of every block that comes, in the threads that fetch. Raises TurnOverError."""
        if time.monotonic() > self._until:
            raise TurnOverError

    def finish(self) -> None: ...


def copy_publisher(
    session: Session,
    home: Home,
    domain: str,
    heads: Sequence[Head],
    *,
    root: str,
    turn: Turn,
    has_major: frozenset[str],
) -> Copy:
    """Everything of the lists that `heads` name, into a home that is ready (services/homes.py).

    `has_major`: digests of major documents that are here already.

    Raises RootReplaced, the VerificationFailed tree for what concerns the whole publisher, NetworkError, TurnOverError.
    """
    repository = Repository(home, session, domain)
    if any(head.root_fingerprint not in ("", root) for head in heads):
        repository.check_first_root()
    repository.refresh()
    lists, refused = dict[str, CopiedList](), dict[str, errors.HashshareError]()
    for head in heads:
        try:
            sync_list(session, home, head, repository=repository, progress=turn, force=True, whole=True)
            lists[head.list_id] = _copied(home, head)
        except ALARMING:
            raise
        except REFUSALS as error:
            refused[head.list_id] = error
    major = _major(repository, home, domain)
    documents = _documents(session, repository, major, set(lists), has_major)
    folder = trust.metadata_dir(home, domain)
    return Copy(
        roots=_roots(folder, repository.root_version),
        targets=(folder / "targets.json").read_bytes(),
        snapshot=(folder / "snapshot.json").read_bytes(),
        timestamp=(folder / "timestamp.json").read_bytes(),
        major=major,
        documents=documents,
        lists=lists,
        refused=refused,
    )


def _copied(home: Home, head: Head) -> CopiedList:
    store = ListStore(home, head.list_id)
    held = store.usable()
    body = store.manifest_path(held.manifest_sha256).read_bytes()
    manifest = Manifest.parse(body)
    index = BaseIndex.parse(store.index_path(held.base_index_sha256).read_bytes())
    own = ObjectRef.of(manifest_path(head.list_id), body)
    refs = (own, *manifest.object_refs(), *index.object_refs())
    feed = (trust.metadata_dir(home, head.publisher) / f"{head.list_id}.json").read_bytes()
    return CopiedList(held, feed, body, manifest, tuple(dict.fromkeys(refs)), store)


def _roots(folder: Path, newest: int) -> dict[int, bytes]:
    """As tuf.ngclient kept them, each verified by the one before."""
    history = folder / "root_history"
    return {version: (history / f"{version}.root.json").read_bytes() for version in range(1, newest + 1)}


def withdrawal_reasons(one: CopiedList, *, after: int) -> dict[str, int]:
    """How many entries the changes past version `after` withdraw, by reason."""
    past = [segment for segment in one.manifest.segments if segment.to_version > after and segment.withdrawals]
    files = [one.path(segment.object) for segment in past]
    if not files:
        return {}
    with open_engine(read=files, memory=MEMORY) as engine:
        source = f"read_parquet({paths(files)})"
        query = f"SELECT reason, count(*) FROM {source} WHERE op = {WITHDRAW} GROUP BY reason ORDER BY reason"
        return {str(reason): int(number) for reason, number in engine.execute(query).fetchall()}


# --- Majors -----------------------------------------------------------------------------------------------------------


def _major(repository: Repository, home: Home, domain: str) -> bytes | None:
    """The major role's metadata as the snapshot names it, expired or not: it is served like all the rest."""
    snapshot = cast("Snapshot", kept_role(home, domain, "snapshot"))
    if f"{MAJOR}.json" not in snapshot.meta:
        return None
    check_delegated_major(cast("Targets", kept_role(home, domain, "targets")))
    return repository.standing_major()


def _documents(
    session: Session,
    repository: Repository,
    major: bytes | None,
    lists: set[str],
    here: frozenset[str],
) -> dict[ObjectRef, bytes]:
    """Those that the role names for these lists and that are not here, each of the digest that was signed."""
    found: dict[ObjectRef, bytes] = {}
    for (list_id, _), ref in (major_documents(major) if major else {}).items():
        if list_id in lists and ref.sha256 not in here:
            body = _bounded(session, repository, ref)
            if Major.parse(body).path != ref.path:
                raise errors.MalformedMajor(f"{ref.path} is of another list or version.")
            found[ref] = body
    return found


def _bounded(session: Session, repository: Repository, ref: ObjectRef) -> bytes:
    """Raises WrongDigest before anything is parsed."""
    if ref.length > limits.MAX_MAJOR:
        raise errors.MalformedMajor(f"{ref.path} is too long.")
    body = bytes(session.get(repository.targets_url + ref.stored_path).content)
    if len(body) != ref.length or hashlib.sha256(body).hexdigest() != ref.sha256:
        raise errors.WrongDigest(f"{ref.path} does not have the length and SHA-256 that were signed.", path=ref.path)
    return body

"""The verified entries of one list as held on this machine: which objects they are made of, and how to open them.

A list's folder has `current.json` (swapped atomically, naming every object), `objects/<sha256>.parquet` (present only
after their digest and content were verified), `objects/<sha256>.part` (downloads in progress),
`manifest-<sha256>.json` with `proof-<sha256>.json`, the signatures over it, and `base-<sha256>.json`, the base index. A
file that `verify` found damaged is set aside as `<name>.damaged`, so that the next sync fetches it. Queries live in
wire.state; what changes a store lives in sync.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hashshare.client import healing, trust
from hashshare.client.held import Held, HeldObject, Loss
from hashshare.client.home import Home, file_lock, make_private_folder, write_atomic
from hashshare.client.proof import is_proof, write_proof
from hashshare.client.proof import proof as proof_of
from hashshare.client.sealed import read_sealed, write_sealed
from hashshare.durable import settle_path, sync_folder
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.errors import HashshareError, MissingObject, NotSynced, UsageError, VerificationFailed
from hashshare.wire.manifest import Manifest
from hashshare.wire.state import HeldState

__all__ = ["Held", "HeldObject", "ListStore", "Loss", "find_store", "read_digested", "stores"]


@dataclass(frozen=True, slots=True)
class ListStore:
    """One list's folder; `held()` is None until a first sync has finished."""

    home: Home
    list_id: str

    @property
    def folder(self) -> Path:
        return self.home.list_dir(self.list_id)

    @property
    def objects_folder(self) -> Path:
        return make_private_folder(self.folder / "objects")

    @property
    def making_folder(self) -> Path:
        """Where a sync makes segments (client.making)."""
        return self.folder / "making"

    @property
    def borrowed_folder(self) -> Path:
        """Where segments of the past lie while a reader needs them (client.changes)."""
        return self.folder / "borrowed"

    def held(self) -> Held | None:
        """The last good state. Raises VerificationFailed if its file is damaged."""
        path = self.folder / "current.json"
        try:
            document = read_sealed(path)
            return None if document is None else Held.from_json(document)
        except HashshareError as error:
            raise VerificationFailed(
                f"{path} is damaged.", next_step="hashshare sync writes it anew; the entries beside it are kept."
            ) from error

    def usable(self) -> Held:
        """The last good state of a publisher that is not refused. Raises NotSynced, VerificationFailed."""
        held = self.held()
        if held is None:
            raise NotSynced
        trust.usable_publisher(self.home, held.publisher)
        return held

    def object_path(self, sha256: str) -> Path:
        """Where a verified object is kept."""
        return self.folder / "objects" / f"{sha256}.parquet"

    def part_path(self, sha256: str) -> Path:
        """Where an object is kept until it is verified."""
        return self.folder / "objects" / f"{sha256}.part"

    def files(self, parts: Iterable[HeldObject]) -> dict[Path, HeldObject]:
        """Where these objects are kept, for `healing`."""
        return {self.object_path(part.sha256): part for part in parts}

    def has(self, part: HeldObject) -> bool:
        """Whether the object is here in its full length; that its bytes are right is for `verify` to say."""
        try:
            return self.object_path(part.sha256).stat().st_size == part.length
        except FileNotFoundError:
            return False

    def is_whole(self, held: Held) -> bool:
        """Whether every file of this state is here, the large ones by their length, the small ones by their digest."""
        return not self.damaged_files(held)

    def damaged_files(self, held: Held | None) -> tuple[Path, ...]:
        """What `is_whole` does not find; `verify` reads the large ones too. None: nothing, or no readable record."""
        if held is None:
            record = self.folder / "current.json"
            return (record,) if record.exists() else ()
        documents = {
            self.manifest_path(held.manifest_sha256): held.manifest_sha256,
            self.index_path(held.base_index_sha256): held.base_index_sha256,
        }
        proof = self.proof_path(held.manifest_sha256)
        return (
            *(path for path, sha256 in documents.items() if read_digested(path, sha256) is None),
            *(() if is_proof(proof) else (proof,)),
            *(self.object_path(part.sha256) for part in held.objects if not self.has(part)),
        )

    def manifest_path(self, sha256: str) -> Path:
        return self.folder / f"manifest-{sha256}.json"

    def index_path(self, sha256: str) -> Path:
        """The base index that the manifest names."""
        return self.folder / f"base-{sha256}.json"

    def manifest_bytes(self) -> bytes:
        """The manifest of `held()` as signed. Raises NotSynced, MissingObject."""
        path = self.manifest_path(self.usable().manifest_sha256)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise MissingObject(f"{path} is missing.", next_step="hashshare sync") from error

    def place(self, source: Path, sha256: str) -> None:
        """Take over a verified file (of digest `sha256`) as object by renaming it; on the disk before it is seen."""
        settle_path(source)
        source.chmod(0o600)
        source.replace(make_private_folder(self.folder / "objects") / f"{sha256}.parquet")

    def proof_path(self, sha256: str) -> Path:
        """The signatures over a manifest as they were when it was adopted (client.proof)."""
        return self.folder / f"proof-{sha256}.json"

    def adopt(self, held: Held, manifest: bytes, base_index: bytes) -> Held:
        """Swap the state: the signed documents first, then current.json in one rename; then drop what is no longer
        named. The objects are there already, and the publisher's metadata is what tuf.ngclient has just verified.

        Returns what is held then: `purged` moves on once nothing superseded is left.
        """
        sync_folder(self.objects_folder)
        write_atomic(self.manifest_path(held.manifest_sha256), manifest)
        write_atomic(self.index_path(held.base_index_sha256), base_index)
        proof = proof_of(self.home, held.publisher, self.list_id)
        write_proof(self.proof_path(held.manifest_sha256), proof)
        write_sealed(self.folder / "current.json", held.to_json())
        return self.prune() or held

    def prune(self) -> Held | None:
        """Remove what the state doesn't name, unless somebody is reading, and note how far that has purged it.

        Under the publisher's sync lock. Returns what is held.
        """
        held = self.held()
        if held is None:
            return None
        with file_lock(self.folder / "readers.lock", blocking=False) as alone:
            if not alone:
                return held
            for path in self._superseded(held):
                path.unlink(missing_ok=True)
            for folder in (self.making_folder, self.borrowed_folder):
                shutil.rmtree(folder, ignore_errors=True)
        if held.purged != held.purgeable:
            held = dataclasses.replace(held, purged=held.purgeable)
            write_sealed(self.folder / "current.json", held.to_json())
        return held

    def _superseded(self, held: Held) -> set[Path]:
        named = {
            *(self.object_path(part.sha256) for part in held.objects),
            self.manifest_path(held.manifest_sha256),
            self.proof_path(held.manifest_sha256),
            self.index_path(held.base_index_sha256),
        }
        patterns = ("manifest-*", "proof-*", "base-*", "*.damaged")
        return {*self.objects_folder.iterdir(), *(it for one in patterns for it in self.folder.glob(one))} - named

    def remove(self) -> Held:
        """Hold the list no longer; waits for who reads it and for a sync. Raises NotSynced, HashshareError."""
        held = self.held()
        if held is None:
            raise NotSynced
        with self.home.lock(f"sync-{held.publisher}"), file_lock(self.folder / "readers.lock"):
            (self.folder / "current.json").unlink(missing_ok=True)
            shutil.rmtree(self.folder)
        return held

    @contextlib.contextmanager
    def reading_lock(self) -> Iterator[None]:
        """No sync removes a file inside the block. Raises NotSynced."""
        if not self.folder.is_dir():
            raise NotSynced
        with file_lock(self.folder / "readers.lock", shared=True):
            yield

    @contextlib.contextmanager
    def pinned(self) -> Iterator[tuple[Held, HeldState]]:
        """The last good state and its files, which stay in place inside the block whatever a sync does meanwhile.

        Raises NotSynced, VerificationFailed, MissingObject; WrongDigest when the engine fails inside the block over a
        file that is damaged, which is set aside then.
        """
        with self.reading_lock(), contextlib.ExitStack() as watch:
            held = self.usable()
            files = {part.sha256: self.object_path(part.sha256) for part in held.objects}
            wrong = [self.object_path(part.sha256) for part in held.objects if not self.has(part)]
            if wrong:
                what = "truncated" if wrong[0].is_file() else "missing"
                raise MissingObject(f"{wrong[0]} is {what}.", next_step=f"hashshare sync {held.name}")
            base, deltas, earlier = (
                tuple(files[part.sha256] for part in parts) for parts in (held.base, held.deltas, held.earlier)
            )
            ranges = tuple((int(part.low, 16), int(part.high, 16)) for part in held.base)
            watch.enter_context(healing.damage_named(self.files(held.objects), name=held.name))
            yield held, HeldState(held.fmt, base=base, deltas=deltas, earlier=earlier, ranges=ranges)

    @contextlib.contextmanager
    def reading(self, *, write: Path | None = None) -> Iterator[tuple[Engine, Held, HeldState]]:
        """A confined engine over the last good state; it may write in the folder `write`. Raises like `pinned`."""
        with self.pinned() as (held, state), open_engine(read=state.paths, write=write) as engine:
            yield engine, held, state


def read_digested(path: Path, sha256: str) -> bytes | None:
    """A small file's bytes if they have this digest; None if they don't or the file is missing."""
    try:
        body = path.read_bytes()
    except FileNotFoundError:
        return None
    return body if hashlib.sha256(body).hexdigest() == sha256 else None


def stores(home: Home) -> list[ListStore]:
    """Every list that was synced, by name; one whose record is damaged too, which `held` then says."""
    folder = home.path / "lists"
    found = [ListStore(home, path.parent.name) for path in folder.glob("*/current.json")]
    return sorted(found, key=known_name)


def find_store(home: Home, name: str) -> ListStore:
    """By full name, by slug when only one list has it, or by id. Raises NotSynced, UsageError (ambiguous)."""
    named = {store: known_name(store) for store in stores(home)}
    matches = [store for store, full in named.items() if name in (full, full.partition("/")[2], store.list_id)]
    if not matches:
        raise NotSynced(f"No list {name!r} is held here.")
    if len(matches) > 1:
        names = ", ".join(named[store] for store in matches)
        raise UsageError(f"{name!r} may be any of {names}.", next_step="Give its full name.")
    return matches[0]


def known_name(store: ListStore) -> str:
    """The list's name for people. Where its record is damaged, a manifest beside it may tell; else it is the id."""
    with contextlib.suppress(HashshareError, OSError):
        if (held := store.held()) is not None:
            return held.name
    for path in sorted(store.folder.glob("manifest-*.json")):
        with contextlib.suppress(HashshareError, OSError):
            return Manifest.parse(path.read_bytes()).list_name
    return store.list_id

"""What changed in a held list since a version, from signed and verified segments only.

When the base is renewed, a member's store lets go of the segments before it, and with them of the rows that were
withdrawn. Changes from before it are read from segments borrowed from the hub: those that the held manifest names, in
a folder that goes when they are read, or with the next sync if the process was killed.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from hashshare.client.admission import check_object
from hashshare.client.download import Download
from hashshare.client.export import MEMORY, THREADS, destination
from hashshare.client.home import make_private_folder
from hashshare.client.planning import of_segment
from hashshare.client.progress import Progress, Silent
from hashshare.client.session import Session
from hashshare.client.store import Held, HeldObject, ListStore
from hashshare.client.verify import verify_signatures
from hashshare.wire.engine import open_engine
from hashshare.wire.errors import MissingObject, NetworkError, UsageError
from hashshare.wire.export import ExportFormat, export_changes
from hashshare.wire.manifest import Manifest


def export_list_changes(
    store: ListStore, output: Path | None, *, since: int, kind: ExportFormat, progress: Progress | None = None
) -> tuple[Held, int]:
    """Write what changed after version `since` to `output` (None: stdout); what was held, and how many rows.

    Raises UsageError when the signed chain does not reach back that far; NetworkError, MissingObject and refusals when
    segments that are no longer held cannot be had from the hub; the VerificationFailed tree when they are not right.
    """
    with (
        destination(store, output, kind) as path,
        store.pinned() as (held, _),
        _segments(store, held, since, progress or Silent()) as files,
        open_engine(read=files, write=path.parent, memory=MEMORY, threads=THREADS) as engine,
    ):
        return held, export_changes(engine, files, path, fmt=held.fmt, kind=kind)


@contextlib.contextmanager
def _segments(store: ListStore, held: Held, since: int, progress: Progress) -> Iterator[list[Path]]:
    """The deltas to fold, in order. One that begins before `since` is taken whole: operations are absolute."""
    if not 1 <= since <= held.version:
        raise UsageError(
            f"{held.name} is held at version {held.version}; --since is from 1 to that.",
            next_step=f"For all of its entries: hashshare export {held.name}",
        )
    chain = [*held.earlier, *held.deltas]
    if since < min((part.from_version for part in chain), default=held.version):
        chain = _signed_chain(store, held, since)
    needed = [part for part in chain if part.to_version > since]
    here = {part.sha256 for part in held.objects}
    lacking = [part for part in needed if part.sha256 not in here]
    with _borrowed(store, held, lacking, progress) as found:
        yield [found.get(part) or store.object_path(part.sha256) for part in needed]


def _signed_chain(store: ListStore, held: Held, since: int) -> list[HeldObject]:
    """The segments of the held manifest, whose signatures are checked again: what it names is fetched and believed."""
    chain = [of_segment(segment) for segment in Manifest.parse(verify_signatures(store, held)).segments]
    first = min((part.from_version for part in chain), default=held.version)
    if since < first:
        raise UsageError(
            f"{held.name} was published anew: its publisher signs no changes from before version {first}.",
            next_step=f"Replace what you have by the whole list: hashshare export {held.name}",
            since=since,
            first=first,
        )
    return chain


@contextlib.contextmanager
def _borrowed(
    store: ListStore, held: Held, lacking: Sequence[HeldObject], progress: Progress
) -> Iterator[dict[HeldObject, Path]]:
    """These segments from the hub, each verified, and gone again after the block."""
    if not lacking:
        yield {}
        return
    session, found = Session.open(store.home), dict[HeldObject, Path]()
    parent = make_private_folder(store.borrowed_folder)
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        total = sum(part.length for part in lacking)
        end = lacking[-1].to_version
        progress.start(held.name, before=lacking[0].from_version, version=end, objects=len(lacking), total=total)
        try:
            for part in lacking:
                found[part] = Path(folder, f"{part.sha256}.parquet")
                _borrow(session, held, part, found[part], progress)
        finally:
            progress.finish()
        yield found


def _borrow(session: Session, held: Held, part: HeldObject, path: Path, progress: Progress) -> None:
    url = session.url(f"tuf/{held.publisher}/targets/") + part.ref.stored_path
    whole = f"take the whole list: hashshare export {held.name}"
    try:
        Download(session, url, part.ref, path, progress.advance).run(threading.Event())
    except NetworkError as error:
        raise NetworkError(
            f"What changed in {held.name} before version {held.base_version} is no longer held here, and the hub that"
            f" serves it cannot be reached: {error.message}",
            next_step=f"Run it again when the hub answers, or {whole}",
        ) from error
    except MissingObject as error:
        raise MissingObject(
            f"What changed in {held.name} before version {held.base_version} is no longer held here. {error.message}",
            next_step=f"Sync and run it again, or {whole}",
            **error.facts,
        ) from error
    check_object(path, part, held.fmt)

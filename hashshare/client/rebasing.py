"""Renew a list's base: build it at the version held, send it, and keep it until a release adopts it.

It may run beside publications: the list's own lock is held only for the moment in which the version is chosen. A build
that is killed starts over, sending goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from hashshare.client.adoption import manifest_of
from hashshare.client.bases import BaseFolder, Prepared
from hashshare.client.drafts import Upload, base_of
from hashshare.client.mending import check_held, repeat_mended
from hashshare.client.merging import MEMORY
from hashshare.client.publication import Listener
from hashshare.client.publisher import OwnList
from hashshare.client.refusals import rested, resting
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date, settle
from hashshare.client.stages import Stages
from hashshare.client.store import ListStore
from hashshare.client.uploads import upload_all
from hashshare.durable import settle_path, sync_folder
from hashshare.wire.chain import base_due
from hashshare.wire.compaction import renew_base
from hashshare.wire.engine import open_engine
from hashshare.wire.errors import HashshareError, NotSynced, WrongDigest
from hashshare.wire.lapsing import day_of
from hashshare.wire.manifest import Manifest
from hashshare.wire.state import HeldState

Why = Literal["share", "withdrawals", "unfinished", "asked"]
"""Why a base is built: much has changed since the last one, that one holds withdrawn entries, a run was cut short, or
somebody asked for it."""

ROOM: Final = 1.5
"""How much disk a build may need, as a multiple of the files that it reads: what it writes, and what sorting spills."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`version` waits to be adopted, in `shards` files; None with `why` None when the base is good as it is.

    `uploaded` counts bytes that the hub did not have, `built` whether it was built by this run.
    """

    name: str
    why: Why | None = None
    version: int | None = None
    built: bool = False
    entries: int = 0
    shards: int = 0
    bytes: int = 0
    uploaded: int = 0
    stages: dict[str, float] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {("list" if name == "name" else name): value for name, value in fields.items()}


def why_renew(own: OwnList, *, now: datetime) -> Why | None:
    """Whether the held list asks for it, or an earlier run left something to do. Reads only what is held here.

    None too for a while after the hub refused several in a row.
    """
    manifest, begun = manifest_of(own), BaseFolder(own).read()
    if begun is not None and begun.is_ready and begun.fits(manifest, now=now):
        return None
    if begun is not None and begun.fits(manifest, now=now):
        return "unfinished"
    if resting(own, now=now):
        return None
    return base_due(manifest, now=now)


def prepare_base(session: Session, own: OwnList, *, asked: bool = False, listener: Listener | None = None) -> Rebuilt:
    """Build, or finish, the list's next base if it is due or `asked` for. The next release adopts it.

    Raises NotSynced before a first release, VerificationFailed (the hub refused the last ones; held files are damaged
    and cannot be fetched), HashshareError (no room), NetworkError; what was there stays in use.
    """
    heard = listener or Listener()
    return repeat_mended(own, heard, lambda: _prepare_base(session, own, asked=asked, heard=heard))


def _prepare_base(session: Session, own: OwnList, *, asked: bool, heard: Listener) -> Rebuilt:
    folder, stages = BaseFolder(own), Stages(heard.stage)
    waiting = f"A base of {own.name} is being built or adopted on this machine."
    with folder.lock(blocking=True, waiting=lambda: heard.waiting(waiting)), contextlib.ExitStack() as pins:
        why, prepared, state = _begin(session, own, asked=asked, listener=heard, stages=stages, pins=pins)
        if prepared is None:
            return Rebuilt(own.name, stages=stages.to_json())
        if state is not None:
            heard.building(prepared.version)
            with _cleared_on_failure(folder):
                with stages.stage("check"):
                    # Built of a damaged file it would be sent, refused and lost.
                    check_held(own)
                with stages.stage("build"):
                    prepared = _build(folder, prepared.version, state, now=datetime.now(UTC).replace(microsecond=0))
            pins.close()
        with stages.stage("upload"):
            uploaded = _send(session, folder, prepared, heard)
        return _outcome(own, why, prepared, uploaded, stages, built=state is not None)


def _begin(
    session: Session, own: OwnList, *, asked: bool, listener: Listener, stages: Stages, pins: contextlib.ExitStack
) -> tuple[Why | None, Prepared | None, HeldState | None]:
    """Choose the version and note it while no publication runs. The state to build from is pinned in `pins`; it is
    None when the files were built before.
    """
    folder, now = BaseFolder(own), datetime.now(UTC)
    with own.publisher.home.lock(f"publish-{own.list_id}"):
        with stages.stage("sync"):
            settle(session, own, listener)
            held = bring_up_to_date(session, own, listener)
        if held is None:
            raise NotSynced(f"{own.name} has no release yet.", next_step=f"hashshare publish {own.name} FILE")
        manifest = manifest_of(own)
        found = folder.read()
        if found is not None and found.is_written and found.fits(manifest, now=now):
            return (None if found.is_ready else "unfinished"), found, None
        why: Why | None = "unfinished" if found and found.fits(manifest, now=now) else base_due(manifest, now=now)
        folder.drop()
        if why is not None and not asked and (last := resting(own, now=now)):
            raise rested(own, last)
        if why is None and asked:
            why = "asked"
        if why is None or manifest.version <= manifest.base.version:
            return None, None, None
        _check_room(own, manifest)
        folder.begin(manifest.version)
        _, state = pins.enter_context(ListStore(own.publisher.home, own.list_id).pinned())
        return why, Prepared(manifest.version), state


@contextlib.contextmanager
def _cleared_on_failure(folder: BaseFolder) -> Iterator[None]:
    """What a failed build has written is of no use, and on a full disk it is in the way."""
    try:
        yield
    except Exception:
        folder.drop()
        raise


def _check_room(own: OwnList, manifest: Manifest) -> None:
    past = sum(it.object.length for it in manifest.segments if it.to_version > manifest.base.version)
    needed = int(ROOM * (manifest.base.bytes + past))
    folder = own.publisher.folder
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise HashshareError(
            f"A new base of {own.name} needs {needed:,} bytes while it is built; {folder} has {free:,} free.",
            next_step="Make room, or move HASHSHARE_HOME. The list is served as before meanwhile.",
        )


def _build(folder: BaseFolder, version: int, state: HeldState, *, now: datetime) -> Prepared:
    """Write the shards; they are on the disk before the record says so."""
    files = folder.files_folder
    with open_engine(read=state.paths, write=files, memory=MEMORY) as engine:
        shards = renew_base(engine, state, files, version=version, today=day_of(now))
    for shard in shards:
        _settle_file(shard.path)
    sync_folder(files)
    base, index = base_of(folder.own.list_id, shards, version=version, built_at=now)
    prepared = Prepared(version, base, index)
    folder.save(prepared)
    return prepared


def _settle_file(path: Path) -> None:
    path.chmod(0o600)
    settle_path(path)


def _send(session: Session, folder: BaseFolder, prepared: Prepared, listener: Listener) -> int:
    """Upload what the hub lacks, and note each object that is there. Raises WrongDigest, NetworkError, refusals."""
    lacking = folder.uploads(prepared)
    sent = set(prepared.sent)

    def note(item: Upload) -> None:
        sent.add(item.ref.sha256)
        folder.save(dataclasses.replace(prepared, sent=frozenset(sent)))
        listener.uploaded(item.ref.length)

    listener.uploading(sum(item.ref.length for item in lacking))
    try:
        return upload_all(session, folder.own.publisher.domain, lacking, sent=note)
    except WrongDigest:
        # A file was damaged since it was written: no use in sending it again.
        folder.drop()
        raise


def _outcome(
    own: OwnList, why: Why | None, prepared: Prepared, uploaded: int, stages: Stages, *, built: bool
) -> Rebuilt:
    base, index = prepared.base, prepared.index
    return Rebuilt(
        name=own.name,
        why=why,
        version=prepared.version,
        built=built,
        entries=base.entries if base else 0,
        shards=len(index.shards) if index else 0,
        bytes=base.bytes if base else 0,
        uploaded=uploaded,
        stages=stages.to_json(),
    )

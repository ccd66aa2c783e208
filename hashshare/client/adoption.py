"""The next version of a list as its release will have it: its delta, a base if one waits, neighbours merged."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from hashshare.client.bases import BaseFolder, Prepared
from hashshare.client.drafts import Draft, next_release, with_base
from hashshare.client.home import make_private_folder
from hashshare.client.merging import MEMORY, merge_runs, runs_to_merge
from hashshare.client.publication import Listener
from hashshare.client.publisher import OwnList
from hashshare.client.stages import Stages
from hashshare.client.store import Held, ListStore
from hashshare.wire.difference import Difference
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.manifest import Manifest
from hashshare.wire.segments import write_delta
from hashshare.wire.state import HeldState, count_entries, fold_deltas

NO_CHANGE: Final = "no_change"


@dataclass(frozen=True, slots=True)
class NextBase:
    """`prepared` may be adopted by the next release; `keep` are versions that no merge may go across."""

    prepared: Prepared | None = None
    keep: frozenset[int] = frozenset()


@contextlib.contextmanager
def next_base(
    own: OwnList, held: Held | None, *, now: datetime, listener: Listener, adopt: bool = True
) -> Iterator[NextBase]:
    """What is on its way, and is nobody else's inside the block. The list's publication lock is held already.

    What no release can adopt any more, or has rotted since it was sent, is dropped; what another process is building
    or sending is left to it. Without `adopt` one that is ready is only kept adoptable.
    """
    folder = BaseFolder(own)
    with folder.lock(blocking=False) as alone:
        found = folder.read()
        if alone and not (held and found and found.is_written and found.fits(manifest_of(own), now=now)):
            folder.drop()
            found = None
        if found is None:
            yield NextBase()
            return
        ready = adopt and alone and found.is_ready and held is not None and found.fits(manifest_of(own), now=now)
        if ready and (rotten := folder.rotten(found)):
            folder.drop()
            listener.waiting(
                f"{rotten} is damaged, so the base of v{found.version} was dropped; another is to be built."
            )
            yield NextBase()
            return
        yield NextBase(found if ready else None, frozenset({found.version}))


def manifest_of(own: OwnList) -> Manifest:
    """As last signed, synced and verified. Raises NotSynced, MissingObject."""
    return Manifest.parse(ListStore(own.publisher.home, own.list_id).manifest_bytes())


@contextlib.contextmanager
def held_state(own: OwnList, held: Held | None) -> Iterator[HeldState]:
    """The held files, kept in place inside the block; an empty state before the first release."""
    if held is None:
        yield HeldState(own.fmt)
        return
    with ListStore(own.publisher.home, own.list_id).pinned() as (_, state):
        yield state


@contextlib.contextmanager
def work_folder(own: OwnList) -> Iterator[Path]:
    """An empty folder for a run's segments; what a killed run left there goes first."""
    folder = own.publisher.work_folder(own.list_id)
    shutil.rmtree(folder, ignore_errors=True)
    make_private_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- the draft ---------------------------------------------------------------------------------------------------


def draft_next(
    engine: Engine, own: OwnList, change: Difference, base: NextBase, work: Path, *, now: datetime, stages: Stages
) -> Draft:
    """The version after the held one, its files written in `work`. Inside `held_state` and `next_base`."""
    previous = manifest_of(own)
    with stages.stage("write"):
        file = work / f"delta-{previous.version}-{previous.version + 1}.parquet"
        facts = write_delta(engine, change.table, file, fmt=own.fmt)
        draft = next_release(previous, change, facts, file, now=now)
    if base.prepared is not None:
        with stages.stage("base"):
            draft = _rebase(own, draft, base.prepared)
    if runs := runs_to_merge(draft, keep=base.keep):
        with stages.stage("merge"):
            store = ListStore(own.publisher.home, own.list_id)
            draft = merge_runs(draft, runs, store, work, fmt=own.fmt)
    return draft


def draft_unchanged(own: OwnList, base: NextBase, work: Path, *, now: datetime, stages: Stages) -> Draft:
    """The version after the held one with a delta of no rows, for a base that waits to be adopted."""
    with open_engine(write=work, memory=MEMORY) as engine:
        fold_deltas(engine, (), fmt=own.fmt, table=NO_CHANGE)
        change = Difference(NO_CHANGE, added=0, updated=0, reinstated=0, withdrawn=0, unchanged=0)
        return draft_next(engine, own, change, base, work, now=now, stages=stages)


def _rebase(own: OwnList, draft: Draft, prepared: Prepared) -> Draft:
    """The draft on the prepared base, its entries counted anew: those lapsed when that was built have dropped out."""
    if prepared.base is None:
        return draft
    store = ListStore(own.publisher.home, own.list_id)
    new = {item.ref.sha256: item.file for item in draft.objects if item.file is not None}
    past = [it.object.sha256 for it in draft.manifest.segments if it.to_version > prepared.version]
    deltas = tuple(new.get(sha256) or store.object_path(sha256) for sha256 in past)
    state = HeldState(own.fmt, base=BaseFolder(own).files(prepared), deltas=deltas)
    with open_engine(read=state.paths, memory=MEMORY) as engine:
        return with_base(draft, prepared.base, entries=count_entries(engine, state))

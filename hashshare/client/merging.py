"""A release's chain, its neighbours folded by the rule of wire.chain from the files held here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from hashshare.client.drafts import Draft, Merged, with_merges
from hashshare.client.store import ListStore
from hashshare.wire.chain import merge_candidates
from hashshare.wire.compaction import merge_deltas
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import Segment
from hashshare.wire.objects import ObjectRef, delta_path

MEMORY: Final = "512MiB"


def runs_to_merge(draft: Draft, *, keep: Collection[int]) -> tuple[tuple[Segment, ...], ...]:
    """Which neighbours of the draft's chain are to be merged; no run goes across its base or a version of `keep`."""
    return merge_candidates(draft.manifest.segments, keep={draft.manifest.base.version, *keep})


def merge_runs(
    draft: Draft, runs: Sequence[Sequence[Segment]], store: ListStore, work: Path, *, fmt: ListFormat
) -> Draft:
    """The draft with each of `runs` folded into one segment, written in `work`. The store's files must stay in place.

    A run of which a file is missing here is left for a later release: members only have one more file to fetch.
    """
    new = {item.ref.sha256: item.file for item in draft.objects if item.file is not None}
    merges = []
    for run in runs:
        parts = [new.get(part.object.sha256) or store.object_path(part.object.sha256) for part in run]
        if all(part.is_file() for part in parts):
            merges.append(_merge(tuple(run), parts, work, list_id=draft.manifest.list_id, fmt=fmt))
    return with_merges(draft, merges)


def _merge(run: tuple[Segment, ...], parts: Sequence[Path], work: Path, *, list_id: str, fmt: ListFormat) -> Merged:
    start, end = run[0].from_version, run[-1].to_version
    path = delta_path(list_id, from_version=start, to_version=end)
    file = work / path.partition("/")[2]
    with open_engine(read=parts, write=work, memory=MEMORY) as engine:
        facts = merge_deltas(engine, parts, file, fmt=fmt)
    ref = ObjectRef(path, facts.length, facts.sha256)
    return Merged(run, Segment(start, end, facts.upserts, facts.withdrawals, ref), file)

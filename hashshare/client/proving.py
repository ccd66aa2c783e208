"""What a member holds a publisher and a hub to: what stands for held parts says what they say, row by row.

A merged segment and a renewed base bring nothing new. Where the signed bytes come out of the held parts (client.making)
that is proof enough; where they do not, the object is fetched and compared before it is used, slice by slice, in the
memory of a sync. What is named without all of its parts being held cannot be compared; the count of entries still is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from hashshare.client.held import Held, HeldObject
from hashshare.client.making import working_engine
from hashshare.client.planning import Merge, Renewal, Want
from hashshare.client.store import ListStore
from hashshare.wire.checks import KeyRange, check_merge, check_shard
from hashshare.wire.engine import scalar
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import ContradictedFold, MalformedManifest, WrongFold
from hashshare.wire.liveness import count_growth, find_standing
from hashshare.wire.losses import count_weakened, weakenable
from hashshare.wire.state import HeldState, fold_deltas
from hashshare.wire.vocabulary import WITHDRAW

Proofs: TypeAlias = Mapping[HeldObject, Callable[[Path], None]]
"""How to compare the file of an object with the held parts that it stands for. Raises ContradictedFold."""

LAST: Final = 2**64 - 1


def proofs(store: ListStore, held: Held, want: Want, fmt: ListFormat, *, built: date) -> Proofs:
    """For every object that `want` says is the fold of held ones; `built` is the day of the new base."""
    found: dict[HeldObject, Callable[[Path], None]] = {
        merge.merged: partial(_prove_merge, store, held, merge, fmt) for merge in want.merges
    }
    if want.renewal is not None:
        for shard in want.renewal.shards:
            found[shard] = partial(_prove_shard, store, held, want.renewal, shard, fmt, built)
    return found


def prove_gaps(store: ListStore, held: Held, want: Want, fmt: ListFormat, *, built: date) -> None:
    """That the fold of what is held has no entry between the shards of the new base. Raises ContradictedFold."""
    if want.renewal is None:
        return
    for span in gaps(want.base):
        if all(map(store.has, _reaching(want.renewal.base, span))):
            _prove_range(store, held, want.renewal, None, span, fmt, built)


def gaps(shards: Sequence[HeldObject]) -> list[KeyRange]:
    """The values of `p` that no shard answers for; a base without shards answers for none."""
    starts = [0, *(int(shard.high, 16) + 1 for shard in shards)]
    ends = [*(int(shard.low, 16) - 1 for shard in shards), LAST]
    return [KeyRange(low, high) for low, high in zip(starts, ends, strict=True) if low <= high]


def _prove_merge(store: ListStore, held: Held, merge: Merge, fmt: ListFormat, path: Path) -> None:
    parts = [store.object_path(part.sha256) for part in merge.parts]
    with working_engine(store, [*parts, path]) as (engine, _):
        try:
            check_merge(engine, parts, path, fmt=fmt, fine=True)
        except WrongFold as error:
            what = f"the merged changes from version {merge.merged.from_version} to {merge.merged.to_version}"
            raise _contradicted(held, what, error) from error


def _prove_shard(
    store: ListStore, held: Held, renewal: Renewal, shard: HeldObject, fmt: ListFormat, built: date, path: Path
) -> None:
    _prove_range(store, held, renewal, path, KeyRange(int(shard.low, 16), int(shard.high, 16)), fmt, built)


def _prove_range(
    store: ListStore, held: Held, renewal: Renewal, path: Path | None, span: KeyRange, fmt: ListFormat, built: date
) -> None:
    base, deltas = (
        tuple(store.object_path(it.sha256) for it in parts) for parts in (_reaching(renewal.base, span), renewal.deltas)
    )
    state = HeldState(fmt, base=base, deltas=deltas)
    with working_engine(store, [*state.paths, *([path] if path else [])]) as (engine, _):
        try:
            check_shard(engine, state, path, span, today=built, fine=True)
        except WrongFold as error:
            raise _contradicted(held, f"the base at version {renewal.version}", error) from error


def _reaching(base: Sequence[HeldObject], span: KeyRange) -> list[HeldObject]:
    return [it for it in base if int(it.low, 16) <= span.high and span.low <= int(it.high, 16)]


def _contradicted(held: Held, what: str, error: WrongFold) -> ContradictedFold:
    return ContradictedFold(
        f"{held.name}: {what}, as its feed key signed it, contradicts what is held here. {error.message} Version"
        f" {held.version} stays in use.",
        next_step=f"This is an incident: tell {held.publisher} and the hub's operator over another channel. Once they "
        f"say that the new content is right: hashshare forget {held.name}, then hashshare sync.",
        what=what,
        **error.facts,
    )


# --- the count ----------------------------------------------------------------------------------------------------


def check_count(store: ListStore, held: Held | None, coming: Held) -> int | None:
    """That the objects of the state `coming`, all of them here, hold as many entries as were signed.

    Over the base that is held already only what is new is counted, so that a small delta to a large list stays cheap;
    then the answer is how many of the entries held it loses (wire.losses), else None. Raises MalformedManifest.
    """
    if held is not None and held.base == coming.base and all(map(store.has, held.deltas)):
        news = [part for part in coming.deltas if part.to_version > held.version]
        growth, lost = _growth(store, held, news)
        if held.entries + growth == coming.entries:
            return lost
    entries = sum(shard.rows for shard in coming.base) + _growth_past_base(store, coming)
    if entries != coming.entries:
        raise wrong_count(coming.name, entries, coming.entries)
    return None


def wrong_count(name: str, entries: int, signed: int) -> MalformedManifest:
    return MalformedManifest(
        f"{name} would hold {entries:,} entries; {signed:,} were signed. Every file is what its publisher signed.",
        next_step=f"Tell {name.partition('/')[0]} and the hub's operator. If it stays after they mended it: hashshare "
        f"forget {name}, then hashshare sync, which starts afresh.",
        entries=entries,
        signed=signed,
    )


def _growth(store: ListStore, held: Held, news: Sequence[HeldObject]) -> tuple[int, int]:
    """By how much these deltas, in version order, change the number of entries, and how many they take from it."""
    if not news:
        return 0, 0
    base, deltas, new = (
        tuple(store.object_path(it.sha256) for it in parts) for parts in (held.base, held.deltas, news)
    )
    with working_engine(store, {*base, *deltas, *new}, scattered=True) as (engine, _):
        state = HeldState(held.fmt, base, deltas)
        fold_deltas(engine, new, fmt=held.fmt, table="touched", columns=["op", *weakenable(held.fmt)])
        find_standing(engine, state, table="touched")
        growth = scalar(engine, f"SELECT count(*) FILTER (op <> {WITHDRAW}) - count(*) FILTER (held) FROM standing")
        withdrawn = scalar(engine, f"SELECT count(*) FROM standing WHERE op = {WITHDRAW} AND held")
        return growth, withdrawn + count_weakened(engine, state, rows="touched")


def _growth_past_base(store: ListStore, coming: Held) -> int:
    if not coming.deltas:
        return 0
    base, deltas = (tuple(store.object_path(it.sha256) for it in parts) for parts in (coming.base, coming.deltas))
    with working_engine(store, {*base, *deltas}, scattered=True) as (engine, _):
        return count_growth(engine, base, deltas)

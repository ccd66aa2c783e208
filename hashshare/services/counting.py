"""Counting what is on the lists: by the engine, over the segments that are served, whenever a list has moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from hashshare.models import HashList, ListCount, OverlapCount
from hashshare.services.commits import served_manifest
from hashshare.services.manifests import object_path, read_base_index
from hashshare.services.runs import spared
from hashshare.services.shards import MEMORY
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.lapsing import day_of
from hashshare.wire.overlap import count_shared
from hashshare.wire.state import HeldState
from hashshare.wire.tallies import Tally, tally_entries

LAPSES_KEPT: Final = timedelta(days=100)
"""So that a quarter can be counted again."""


def count_entries(*, now: datetime) -> int:
    """Count each list that has moved since, or of which entries have lapsed; then what hotlines have in common, once a
    day at most. How many lists. One that cannot be read keeps no other from being counted.
    """
    today, done = day_of(now), 0
    ListCount.objects.exclude(list__state=HashList.State.ACTIVE).delete()
    for hash_list in due_lists(today):
        with spared("The entries of %s could not be counted.", hash_list.name):
            count_list(hash_list=hash_list, today=today)
            done += 1
    for algorithm, lists in by_key(active_lists()).items():
        with spared("What hotlines have in common by %s could not be counted.", algorithm):
            count_overlap(algorithm=algorithm, lists=lists, today=today)
    OverlapCount.objects.exclude(algorithm__in=by_key(active_lists())).delete()
    return done


def active_lists() -> QuerySet[HashList]:
    """But for the sandbox, whose entries are made up."""
    rows = HashList.objects.filter(state=HashList.State.ACTIVE, publisher__sandbox=False).exclude(manifest_digest="")
    return rows.select_related("publisher").order_by("publisher__domain", "slug")


def due_lists(today: date) -> list[HashList]:
    """Those whose count is missing, of another manifest, or out of date since entries lapsed."""
    moved = Q(count=None) | ~Q(count__manifest_digest=F("manifest_digest"))
    return list(active_lists().filter(moved | Q(count__next_lapse__lte=today)))


def count_list(*, hash_list: HashList, today: date) -> None:
    """Idempotent: the same manifest on the same day gives the same row. Raises MissingObject, WrongDigest."""
    state, digest = served_state(hash_list), hash_list.manifest_digest
    since = today - LAPSES_KEPT
    with open_engine(read=state.paths, memory=MEMORY) as engine:
        tally = tally_entries(engine, state, today=today, lapsed_since=since)
    before = ListCount.objects.filter(list=hash_list).first()
    ListCount.objects.update_or_create(
        list=hash_list,
        defaults={
            "manifest_digest": digest,
            "counted_on": today,
            "entries": tally.entries,
            "hashes": dict(tally.hashes),
            "divided": {column: dict(words) for column, words in tally.divided.items()},
            "lapsed": lapsed_days(before.lapsed if before else {}, tally, since),
            "next_lapse": tally.next_lapse,
        },
    )


def lapsed_days(before: Mapping[str, int], tally: Tally, since: date) -> dict[str, int]:
    """What lapsed on which day. A renewed base leaves lapsed entries out, so what was counted before stands."""
    found = {day.isoformat(): number for day, number in tally.lapsed.items()}
    kept = {day: number for day, number in before.items() if day > since.isoformat()}
    return {day: max(found.get(day, 0), kept.get(day, 0)) for day in sorted({*found, *kept})}


def count_overlap(*, algorithm: str, lists: list[HashList], today: date) -> None:
    """Of lists with the same key; at most once a day, and only if one of them has moved."""
    of = {hash_list.tuf_id: hash_list.manifest_digest for hash_list in lists}
    before = OverlapCount.objects.filter(algorithm=algorithm).first()
    if before is not None and (before.of == of or before.counted_on >= today):
        return
    states: dict[str, list[HeldState]] = defaultdict(list)
    for hash_list in lists:
        states[hash_list.publisher.domain].append(served_state(hash_list))
    pairs: dict[tuple[str, str], int] = {}
    if len(states) > 1:
        files = [path for held in states.values() for state in held for path in state.paths]
        with open_engine(read=files, memory=MEMORY) as engine:
            pairs = count_shared(engine, states, entries=sum(it.entries for it in lists), today=today)
    OverlapCount.objects.update_or_create(
        algorithm=algorithm,
        defaults={"of": of, "pairs": [[*pair, number] for pair, number in sorted(pairs.items())], "counted_on": today},
    )


def by_key(lists: Iterable[HashList]) -> dict[str, list[HashList]]:
    """By the algorithm of the key."""
    found: dict[str, list[HashList]] = defaultdict(list)
    for hash_list in lists:
        found[hash_list.algorithms[0]].append(hash_list)
    return dict(found)


def served_state(hash_list: HashList) -> HeldState:
    """The files that make up the list as it is served; they were verified before they were published.

    Raises MissingObject, WrongDigest.
    """
    manifest = served_manifest(hash_list)
    if manifest is None:
        return HeldState(ListFormat(tuple(hash_list.algorithms), hash_list.scheme, tuple(hash_list.columns)))
    index = read_base_index(manifest.base.index)
    past = [segment for segment in manifest.segments if segment.to_version > manifest.base.version]
    return HeldState(
        ListFormat(manifest.algorithms, manifest.scheme, manifest.columns),
        base=tuple(object_path(ref) for ref in index.object_refs()),
        deltas=tuple(object_path(segment.object) for segment in past),
    )

"""What is on the lists, counted by the engine: by hash, by what entries say, and what hotlines have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from hashshare.models import HashList, JobRun, ListCount, OverlapCount
from hashshare.services import counting, runs
from hashshare.services.counting import count_entries, due_lists, served_state
from hashshare.services.manifests import object_path
from hashshare.wire.engine import open_engine
from hashshare.wire.overlap import count_shared
from tests import builders as b

pytestmark = pytest.mark.django_db

TODAY = b.now().date()
EVERYTHING = {"columns": ["category", "age_band", "media", "origin", "expires"]}


def row(**columns: Any) -> b.Row:
    return b.entry(**{"age_band": "3-6", "media": "image", "origin": "camera", "expires": None, **columns})


def lists(name: str, domain: str, *slugs: str, **declared: Any) -> list[b.Feed]:
    owner = b.publisher(name, domain)
    return [b.feed(owner, slug, **declared) for slug in slugs]


def counted(feed: b.Feed) -> ListCount:
    return ListCount.objects.get(list=feed.row)


def overlaps() -> dict[str, list[list[Any]]]:
    return dict(OverlapCount.objects.values_list("algorithm", "pairs"))


@pytest.fixture
def images(db: None) -> b.Feed:
    """Four entries, one of them without md5, one lapsed since yesterday, one that lapses in three days."""
    (feed,) = lists("Aurora", "aurora.example", "images", **EVERYTHING)
    rows = [
        row(),
        row(category="B", age_band=None, media="video", md5=None),
        row(category="B", origin=None, expires=TODAY + timedelta(days=3)),
        row(category="C", expires=TODAY - timedelta(days=1)),
    ]
    feed.publish(feed.first(rows))
    feed.rows = rows  # type: ignore[attr-defined]
    return feed


def test_it_counts_entries_and_hashes_apart(images: b.Feed) -> None:
    count_entries(now=b.now())
    found = counted(images)
    assert found.entries == 3
    assert found.hashes == {"sha256": 3, "md5": 2}


def test_it_divides_entries_up_by_what_they_say(images: b.Feed) -> None:
    count_entries(now=b.now())
    assert counted(images).divided == {
        "category": {"uk-abc A": 1, "uk-abc B": 2},
        "age_band": {"3-6": 2, "": 1},
        "media": {"image": 2, "video": 1},
        "origin": {"camera": 2, "": 1},
    }


def test_it_says_not_stated_of_a_list_that_has_no_such_column() -> None:
    (feed,) = lists("Aurora", "aurora.example", "images")
    feed.publish(feed.first([b.entry(), b.entry(category=None)]))
    count_entries(now=b.now())
    assert counted(feed).divided == {
        "category": {"uk-abc A": 1, "": 1},
        "age_band": {"": 2},
        "media": {"": 2},
        "origin": {"": 2},
    }


def test_it_folds_what_was_added_changed_and_withdrawn(images: b.Feed) -> None:
    rows: list[b.Row] = images.rows  # type: ignore[attr-defined]
    changed = rows[1] | {"category": "A", "md5": b.entry()["md5"]}
    images.publish(images.next([b.upsert(row()), b.upsert(changed), b.withdraw(rows[0])], growth=0))
    count_entries(now=b.now())
    found = counted(images)
    assert found.entries == 3
    assert found.hashes == {"sha256": 3, "md5": 3}
    assert found.divided["category"] == {"uk-abc A": 2, "uk-abc B": 1}


def test_it_counts_what_lapsed_on_which_day(images: b.Feed) -> None:
    count_entries(now=b.now())
    found = counted(images)
    assert found.lapsed == {(TODAY - timedelta(days=1)).isoformat(): 1}
    assert found.next_lapse == TODAY + timedelta(days=3)


def test_it_counts_a_list_again_when_entries_have_lapsed(images: b.Feed) -> None:
    count_entries(now=b.now())
    assert not due_lists(TODAY + timedelta(days=2))
    later = b.now() + timedelta(days=3)
    assert count_entries(now=later) == 1
    found = counted(images)
    assert (found.entries, found.next_lapse) == (2, None)
    assert found.lapsed[(TODAY + timedelta(days=3)).isoformat()] == 1


def test_it_remembers_what_lapsed_after_a_base_has_left_it_out(images: b.Feed) -> None:
    count_entries(now=b.now())
    renewed = images.renewed(images.next([b.upsert(row())]), 2)
    images.publish(replace(renewed, entries=renewed.base.entries))
    count_entries(now=b.now())
    assert counted(images).entries == 4
    assert counted(images).lapsed == {(TODAY - timedelta(days=1)).isoformat(): 1}


def test_it_leaves_a_list_alone_that_has_not_moved(images: b.Feed) -> None:
    assert count_entries(now=b.now()) == 1
    assert count_entries(now=b.now()) == 0
    images.publish(images.next([b.upsert(row())]))
    assert count_entries(now=b.now()) == 1
    assert counted(images).entries == 4


def test_it_forgets_a_list_that_is_closed(images: b.Feed) -> None:
    count_entries(now=b.now())
    HashList.objects.update(state="withdrawn")
    count_entries(now=b.now())
    assert not ListCount.objects.exists()
    assert not OverlapCount.objects.exists()


def test_a_list_that_cannot_be_read_keeps_no_other_from_being_counted(images: b.Feed) -> None:
    (other,) = lists("Borealis", "borealis.example", "images")
    other.publish(other.first([b.entry()]))
    assert images.manifest is not None
    object_path(images.manifest.base.index).unlink()
    with runs.recorded("count_entries"):
        count_entries(now=b.now())
    assert counted(other).entries == 1
    assert not ListCount.objects.filter(list=images.row).exists()
    assert "aurora.example/images could not be counted" in JobRun.objects.get().error


def shared_history() -> Mapping[str, b.Feed]:
    """Aurora has k1 k2 k3, and k3 k4 on another list; Borealis k2 k3 k4 k5; Cirrus k3 alone."""
    keys = [b.entry() for _ in range(5)]
    one, two = lists("Aurora", "aurora.example", "images", "more")
    (borealis,) = lists("Borealis", "borealis.example", "images")
    (cirrus,) = lists("Cirrus", "cirrus.example", "images")
    one.publish(one.first(keys[:3]))
    two.publish(two.first(keys[2:4]))
    borealis.publish(borealis.first(keys[1:]))
    cirrus.publish(cirrus.first([keys[2]]))
    return {"one": one, "two": two, "borealis": borealis, "cirrus": cirrus}


def test_it_counts_what_each_pair_of_hotlines_has_in_common() -> None:
    shared_history()
    count_entries(now=b.now())
    assert overlaps() == {
        "sha256": [
            ["aurora.example", "borealis.example", 3],
            ["aurora.example", "cirrus.example", 1],
            ["borealis.example", "cirrus.example", 1],
        ]
    }


@pytest.mark.parametrize("at_once", [1, 2, 1000])
def test_it_finds_the_same_in_ranges_of_any_size(at_once: int) -> None:
    feeds = shared_history()
    states = {
        "aurora": [served_state(feeds["one"].row), served_state(feeds["two"].row)],
        "borealis": [served_state(feeds["borealis"].row)],
    }
    files = [path for held in states.values() for state in held for path in state.paths]
    with open_engine(read=files) as engine:
        assert count_shared(engine, states, entries=9, today=TODAY, at_once=at_once) == {("aurora", "borealis"): 3}


def test_it_does_not_count_a_withdrawn_key_as_shared() -> None:
    feeds = shared_history()
    feed = feeds["cirrus"]
    feed.publish(feed.next([b.withdraw(_only(feed))]))
    count_entries(now=b.now())
    assert overlaps()["sha256"] == [["aurora.example", "borealis.example", 3]]


def _only(feed: b.Feed) -> b.Row:
    """The one entry of the list, read from its base."""
    (path,) = served_state(feed.row).base
    with open_engine(read=[path]) as engine:
        p, s = engine.execute(f"SELECT p, s FROM read_parquet('{path}')").fetchall()[0]
    return {"key": int(p).to_bytes(8, "big") + s}


def test_it_joins_lists_once_a_day_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    feeds, asked = shared_history(), list[int]()

    def joined(*args: Any, **options: Any) -> dict[tuple[str, str], int]:
        asked.append(1)
        return count_shared(*args, **options)

    monkeypatch.setattr(counting, "count_shared", joined)
    count_entries(now=b.now())
    count_entries(now=b.now() + timedelta(days=1))
    assert len(asked) == 1  # nothing has moved
    feeds["cirrus"].publish(feeds["cirrus"].next([b.upsert(b.entry())]))
    count_entries(now=b.now())
    assert len(asked) == 1  # counted today
    count_entries(now=b.now() + timedelta(days=1))
    assert len(asked) == 2


def test_a_date_of_the_engine_is_a_date() -> None:
    (feed,) = lists("Aurora", "aurora.example", "images", **EVERYTHING)
    feed.publish(feed.first([row(expires=date(9999, 12, 31))]))
    count_entries(now=b.now())
    assert counted(feed).next_lapse == date(9999, 12, 31)

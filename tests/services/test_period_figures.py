"""A period's figures on a small history that was worked out by hand."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from hashshare.models import Acknowledgement, DailyStatistic, Delivery, Release
from hashshare.periods import period_of
from hashshare.services.organisations import agree_to_be_named
from hashshare.services.statistics.daily import roll_up_statistics, write_rows
from hashshare.services.statistics.figures import figures_of
from hashshare.services.statistics.happenings import happenings
from hashshare.services.statistics.levels import levels
from hashshare.services.statistics.rows import Place
from tests import builders as b
from tests.services.statements import digests

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 16)
WEEK = period_of("week", MONDAY)
HOUR = timedelta(hours=1)


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """The day of the week, 0 for Monday."""
    return datetime(MONDAY.year, MONDAY.month, MONDAY.day, hour, minute, tzinfo=UTC) + timedelta(days=day)


def raw(day: int, metric: str, dimension: str, value: int, private: int = 0) -> None:
    DailyStatistic.objects.create(
        day=MONDAY + timedelta(days=day), metric=metric, dimension=dimension, value=value, private=private
    )


def shown(as_of: int = 6) -> dict[Place, int | None]:
    return {it.place: it.value for it in figures_of(WEEK, as_of=MONDAY + timedelta(days=as_of))}


def withheld(as_of: int = 6) -> set[tuple[str, str]]:
    found = figures_of(WEEK, as_of=MONDAY + timedelta(days=as_of))
    return {(it.place.metric, it.place.scope) for it in found if it.withheld}


# --- Levels, counts, rounding -------------------------------------------------------------------------------------


def test_levels_are_those_of_the_last_day_and_counts_add_up() -> None:
    for day, entries, added in ((-1, 999, 999), (0, 10, 1), (2, 12, 4), (7, 999, 999)):
        raw(day, "members", "", 0)
        raw(day, "entries", "", entries)
        raw(day, "upserts", "", added)
        raw(day, "withdrawals", "|reason:incorrect", added)
    assert shown()[Place("entries")] == 12
    assert shown()[Place("upserts")] == 5
    assert shown()[Place("withdrawals", "", "reason:incorrect")] == 5
    assert shown(as_of=0)[Place("entries")] == 10
    assert shown(as_of=0)[Place("upserts")] == 1


def test_members_are_exact_where_named_and_rounded_where_not() -> None:
    raw(6, "members", "", 20, private=13)
    assert shown()[Place("members")] == 7 + 15


def test_what_hotlines_publish_is_exact() -> None:
    raw(6, "members", "", 0)
    raw(6, "entries", "hotline:aurora.example|category:uk-abc A", 1_203)
    raw(6, "hotlines", "country:NL", 1)
    assert shown()[Place("entries", "hotline:aurora.example", "category:uk-abc A")] == 1_203
    assert shown()[Place("hotlines", "country:NL")] == 1


def countries(members: Iterable[tuple[str, int, int]]) -> None:
    """(code, members, of whom unnamed), and as many deliveries as ten times the members."""
    rows = list(members)
    raw(6, "members", "", sum(n for _, n, _ in rows), sum(p for *_, p in rows))
    raw(6, "deliveries", "", sum(10 * n for _, n, _ in rows), sum(10 * p for *_, p in rows))
    for code, number, private in rows:
        raw(6, "members", f"country:{code}", number, private)
        raw(6, "deliveries", f"country:{code}", 10 * number, 10 * private)


def test_a_country_with_fewer_than_five_unnamed_members_is_not_told_apart() -> None:
    countries([("NL", 9, 8), ("DE", 4, 3), ("SE", 2, 2), ("FI", 1, 0)])
    found = shown()
    assert found[Place("members", "country:NL")] == 1 + 10
    assert found[Place("members", "country:FI")] == 1
    assert found[Place("members", "country:DE")] == 1  # the one that is named
    assert found[Place("members", "", "pooled:country")] == 5  # 3 in DE and 2 in SE
    assert found[Place("deliveries", "country:NL")] == 10 + 80
    assert found[Place("deliveries", "country:DE")] is None
    assert ("deliveries", "country:DE") in withheld()
    assert ("members", "country:DE") in withheld()
    assert ("deliveries", "country:FI") not in withheld()
    assert not [place for place in found if place.scope == "country:SE"]  # even that there are any


def test_a_total_less_its_parts_is_never_about_fewer_than_five() -> None:
    """Deliveries of the whole less those in NL and BE would be those of the two in DE."""
    countries([("NL", 8, 8), ("BE", 6, 6), ("DE", 2, 2)])
    found = shown()
    assert found[Place("deliveries", "country:NL")] == 80
    assert Place("deliveries", "country:BE") not in found
    assert found[Place("members", "", "pooled:country")] == 10  # 6 and 2


def test_a_member_that_left_within_the_period_is_not_told_by_what_it_did() -> None:
    raw(0, "members", "", 6, 6)
    raw(0, "deliveries", "country:SE", 3, 3)
    raw(0, "members", "country:NL", 5, 5)
    raw(6, "members", "", 5, 5)
    raw(6, "members", "country:NL", 5, 5)
    assert Place("deliveries", "country:SE") not in shown()


def test_a_country_counts_by_the_most_members_it_had() -> None:
    """Five were there on Monday: what they did in the week may be shown though one has left."""
    for day, number in ((0, 5), (6, 4)):
        raw(day, "members", "", number, number)
        raw(day, "members", "country:NL", number, number)
    raw(3, "deliveries", "country:NL", 7, 7)
    assert shown()[Place("deliveries", "country:NL")] == 5


def test_subscribers_of_several_hotlines_are_not_added_up() -> None:
    raw(6, "members", "", 9, 9)
    for domain, number in (("aurora", 2), ("borealis", 2), ("cirrus", 2), ("dusk", 9)):
        raw(6, "members", f"hotline:{domain}.example", number, number)
        raw(6, "deliveries", f"hotline:{domain}.example", number, number)
    assert {scope for metric, scope in withheld() if metric == "deliveries"} == {
        f"hotline:{name}.example" for name in ("aurora", "borealis", "cirrus", "dusk")
    }


# --- Lags ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def images(db: None) -> b.Feed:
    """Version 1 of Monday 00:00, version 2 of 12:00, which takes two entries back, version 3 of Tuesday 12:00."""
    feed = b.feed(b.publisher())
    rows = [b.entry() for _ in range(6)]
    feed.publish(feed.first(rows))
    feed.publish(feed.next([b.withdraw(row) for row in rows[:2]]))
    feed.publish(feed.next([b.upsert(b.entry())]))
    for version, moment in ((1, at(0)), (2, at(0, 12)), (3, at(1, 12))):
        Release.objects.filter(list=feed.row, version=version).update(published_at=moment)
    return feed


def takes(feed: b.Feed, name: str, *, named: bool = True, since: datetime | None = None) -> b.Party:
    since = since or at(-1)
    who = b.member(name)
    subscription = b.subscribed(who, feed)
    type(subscription).objects.filter(pk=subscription.pk).update(entitled_at=since)
    if named:
        agree_to_be_named(organisation=who.organisation, now=since)
    return who


def states(who: b.Party, feed: b.Feed, version: int, moment: datetime) -> None:
    Acknowledgement.objects.create(
        organisation=who.organisation,
        list=feed.row,
        version=version,
        purged=0,
        manifest_digest=digests(feed)[version],
        statement="{}",
        key="k",
        received_at=moment,
    )


def lags(found: dict[Place, int | None], scope: str = "") -> tuple[int | None, ...]:
    names = ("applied_median", "applied_p90", "withdrawal_applied_median", "withdrawal_applied_p90")
    return tuple(found.get(Place(name, scope)) for name in names)


def test_lags_run_from_each_version_to_the_statement_that_covers_it(images: b.Feed) -> None:
    """Cobalt: v1 after 1 h, v2 and v3 together on Tuesday 13:00, after 25 h and 1 h. Granite: v1 and v2 at 14:00 on
    Monday, after 14 h and 2 h; it has not stated v3. In order: 1, 1, 2, 14, 25 hours.
    """
    cobalt, granite = takes(images, "Cobalt"), takes(images, "Granite")
    states(cobalt, images, 1, at(0, 1))
    states(cobalt, images, 3, at(1, 13))
    states(granite, images, 2, at(0, 14))
    for scope in ("", "hotline:aurora.example", "country:DE"):
        raw(6, "members", scope, 2, 0)
    hour = 3600
    assert lags(shown()) == (2 * hour, 25 * hour, (25 + 2) * hour // 2, 25 * hour)
    assert lags(shown(), "hotline:aurora.example") == lags(shown(), "country:DE") == lags(shown())


def test_a_statement_counts_in_the_period_in_which_it_came(images: b.Feed) -> None:
    cobalt = takes(images, "Cobalt")
    states(cobalt, images, 1, at(0, 1))
    states(cobalt, images, 3, at(7, 1))
    raw(6, "members", "", 1, 0)
    assert lags(shown()) == (3600, 3600, None, None)


def test_what_was_published_before_a_member_had_access_is_no_lag(images: b.Feed) -> None:
    cobalt = takes(images, "Cobalt", since=at(1))
    states(cobalt, images, 3, at(1, 13))
    raw(6, "members", "", 1, 0)
    assert lags(shown())[:2] == (3600, 3600)


def test_lags_of_fewer_than_five_with_an_unnamed_one_among_them_are_withheld(images: b.Feed) -> None:
    for n in range(4):
        states(takes(images, f"Member {n}", named=n > 0), images, 1, at(0, 1))
    raw(6, "members", "", 4, 1)
    assert lags(shown())[:2] == (None, None)
    states(takes(images, "Fifth", named=False), images, 1, at(0, 1))
    assert lags(shown())[:2] == (3600, 3600)


def test_lags_are_told_in_whole_minutes(images: b.Feed) -> None:
    states(takes(images, "Cobalt"), images, 1, at(0) + timedelta(seconds=61))
    raw(6, "members", "", 1, 0)
    assert lags(shown())[:2] == (120, 120)


# --- From the records to the figures ------------------------------------------------------------------------------


def test_members_are_current_when_nothing_older_than_a_day_is_missing(images: b.Feed) -> None:
    """On Wednesday 11:00, version 3 is 23 hours old: Cobalt with version 2 is current, Granite with version 1 is not,
    and Mica has had access for an hour only. A day later Cobalt is behind, too.
    """
    cobalt, granite = takes(images, "Cobalt"), takes(images, "Granite")
    takes(images, "Mica", since=at(2, 10))
    states(cobalt, images, 2, at(0, 13))
    states(granite, images, 1, at(0, 13))

    def current(moment: datetime) -> tuple[int, int]:
        found = dict(levels(moment))
        expected, now = found[Place("members_expected")], found[Place("members_current")]
        assert found[Place("members_current", "hotline:aurora.example")] == now
        assert found[Place("members_current", "country:DE")] == now
        return now.value, expected.value

    assert current(at(2, 11)) == (1, 2)
    assert current(at(3, 11)) == (0, 3)


def test_a_weeks_history_gives_the_figures_that_were_worked_out(images: b.Feed) -> None:
    """Three versions, 6 and 1 entries added or changed, 2 withdrawn as incorrect; Cobalt (named) got 3 deliveries,
    Granite (not named) 1, which rounds to 0.
    """
    cobalt, granite = takes(images, "Cobalt"), takes(images, "Granite", named=False)
    for who, day in ((cobalt, 0), (cobalt, 0), (cobalt, 1), (granite, 1)):
        Delivery.objects.create(
            organisation=who.organisation, list=images.row, version=1, manifest_digest=secrets.token_hex(32),
            bytes=100, at=at(day, 20),
        )  # fmt: skip
    for day in range(7):
        write_rows(MONDAY + timedelta(days=day), happenings(MONDAY + timedelta(days=day)))
    write_rows(MONDAY + timedelta(days=6), levels(at(6)))
    found = shown()
    for scope in ("", "hotline:aurora.example", "country:NL"):
        assert found[Place("releases", scope)] == 3
        assert found[Place("upserts", scope)] == 6 + 1
        assert found[Place("withdrawals", scope)] == 2
        assert found[Place("withdrawals", scope, "reason:incorrect")] == 2
    assert found[Place("deliveries")] == 3
    assert found[Place("deliveries", "country:DE")] is None  # an unnamed member stands behind it, too
    assert found[Place("members")] == 1  # and an unnamed one, rounded to nought
    assert found[Place("hotlines")] == 1
    assert found[Place("expired")] == 0


def test_it_has_no_figures_of_an_empty_hub() -> None:
    roll_up_statistics(day=MONDAY, now=at(0, 12))
    found = shown()
    assert found[Place("members")] == found[Place("entries")] == found[Place("deliveries")] == 0
    assert Place("applied_median") not in found

"""Editions of a period: made anew every day while it runs, then frozen, then only corrected by numbered revisions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hashshare.models import DailyStatistic, PeriodFigure, Person, StatisticPeriod
from hashshare.services.people import create_person
from hashshare.services.statistics.daily import roll_up_recent
from hashshare.services.statistics.editions import correct_period, publish_periods
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 16)


def at(day: int, hour: int = 12) -> datetime:
    """The day of that week, 0 for Monday."""
    return datetime(2026, 11, 16, hour, tzinfo=UTC) + timedelta(days=day)


def record(day: int, releases: int = 1, entries: int = 10) -> None:
    for metric, value in (("members", 0), ("releases", releases), ("entries", entries)):
        DailyStatistic.objects.update_or_create(
            day=MONDAY + timedelta(days=day), metric=metric, dimension="", defaults={"value": value}
        )


def edition(label: str = "2026-W47", revision: int = 1) -> StatisticPeriod:
    return StatisticPeriod.objects.get(label=label, revision=revision)


def value(metric: str, label: str = "2026-W47", revision: int = 1) -> int | None:
    return PeriodFigure.objects.get(period=edition(label, revision), metric=metric, scope="", part="").value


@pytest.fixture
def operator() -> Person:
    return create_person(email="ada@north.example", role="operator", password="a sentence nobody guesses")


@pytest.fixture
def week() -> None:
    """A week that is over, with a release a day, frozen."""
    for day in range(7):
        record(day)
    publish_periods(now=at(7))


def test_it_makes_nothing_before_anything_was_counted() -> None:
    assert publish_periods(now=at(0)) == 0
    assert not StatisticPeriod.objects.exists()


def test_it_shows_a_hubs_first_day_as_it_goes_on() -> None:
    record(0, releases=1)
    publish_periods(now=at(0, 12))
    assert (edition().as_of, value("releases")) == (MONDAY, 1)
    record(0, releases=2)
    publish_periods(now=at(0, 13))
    assert value("releases") == 2


def test_the_first_edition_of_a_hub_holds_the_entries_that_are_published_by_then() -> None:
    """The jobs that count and that make editions go at the same pace, so either may be first."""
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry(), b.entry()]))
    now = b.now()
    roll_up_recent(now=now)  # every minute, and before the lists are counted
    publish_periods(now=now)
    label = StatisticPeriod.objects.get(kind="week").label
    assert value("entries", label) == 2


def test_it_makes_a_week_a_month_and_a_quarter() -> None:
    record(0)
    assert publish_periods(now=at(0)) == 3
    assert set(StatisticPeriod.objects.values_list("label", flat=True)) == {"2026-W47", "2026-11", "2026-Q4"}


def test_what_is_shown_of_a_running_period_is_as_old_as_the_last_day_that_is_over() -> None:
    """Else one could tell by the minute what a member does."""
    record(0)
    record(1, releases=5)
    publish_periods(now=at(1, 12))
    assert (edition().as_of, value("releases")) == (MONDAY, 1)
    before = edition().made_at
    record(1, releases=6)
    assert publish_periods(now=at(1, 13)) == 0
    assert (edition().made_at, value("releases")) == (before, 1)
    publish_periods(now=at(2, 0))
    assert (edition().as_of, value("releases")) == (MONDAY + timedelta(days=1), 7)


def test_it_freezes_a_period_some_hours_after_it_is_over() -> None:
    for day in range(7):
        record(day)
    publish_periods(now=at(7, 5))
    assert edition().frozen_at is None
    publish_periods(now=at(7, 6))
    assert edition().frozen_at == at(7, 6)
    assert value("releases") == 7
    assert edition("2026-11").frozen_at is None


def test_what_is_frozen_changes_no_more(week: None) -> None:
    record(3, releases=100, entries=100)
    assert publish_periods(now=at(9)) > 0  # of what runs
    assert (value("releases"), value("entries"), edition().frozen_at) == (7, 10, at(7))


def test_it_makes_up_for_periods_that_an_outage_missed() -> None:
    for day in range(-30, 7):
        record(day)
    publish_periods(now=at(30))
    frozen = StatisticPeriod.objects.filter(frozen_at__isnull=False, kind="week")
    assert {row.label for row in frozen} == {f"2026-W{n}" for n in range(42, 51)}
    assert value("releases") == 7
    assert publish_periods(now=at(30)) == 0


def test_a_period_that_nobody_counted_has_no_levels_and_nought_happened() -> None:
    record(0)
    publish_periods(now=at(15))
    assert not PeriodFigure.objects.filter(period=edition("2026-W48")).exists()


def test_a_correction_is_a_revision_and_the_old_one_stays(week: None, operator: Person) -> None:
    record(3, entries=11)
    record(6, entries=12)
    made = correct_period(edition=edition(), reason="A list was counted twice.", by=operator, now=at(10))
    assert (made.revision, made.frozen_at, made.reason) == (2, at(10), "A list was counted twice.")
    assert made.corrected_by == operator
    assert (value("entries"), value("entries", revision=2)) == (10, 12)
    assert str(made) == "2026-W47, revision 2"


def test_a_correction_counts_what_happened_again(week: None, operator: Person) -> None:
    """The rows said one release a day; the hub has no release of that week on record."""
    correct_period(edition=edition(), reason="Counted wrongly.", by=operator, now=at(10))
    assert (value("releases"), value("releases", revision=2)) == (7, 0)


def test_a_correction_leaves_alone_what_can_no_longer_be_counted(week: None, operator: Person) -> None:
    correct_period(edition=edition(), reason="Counted wrongly.", by=operator, now=at(400))
    assert value("releases", revision=2) == 7


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_correction_says_why(week: None, operator: Person, reason: str) -> None:
    with pytest.raises(errors.UsageError, match="says why"):
        correct_period(edition=edition(), reason=reason, by=operator, now=at(10))


def test_a_running_period_is_not_corrected(operator: Person) -> None:
    record(0)
    publish_periods(now=at(1))
    with pytest.raises(errors.UsageError, match="not frozen"):
        correct_period(edition=edition(), reason="x", by=operator, now=at(1))


def test_two_corrections_of_the_same_edition_make_one(week: None, operator: Person) -> None:
    first = edition()
    correct_period(edition=first, reason="x", by=operator, now=at(10))
    with pytest.raises(errors.Conflict, match="corrected meanwhile"):
        correct_period(edition=first, reason="x", by=operator, now=at(10))
    assert StatisticPeriod.objects.filter(label="2026-W47").count() == 2

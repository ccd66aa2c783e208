"""The page *Coalition statistics*, as an adviser with five minutes reads it."""

from __future__ import annotations

import csv
import io
import re
import secrets
from datetime import date, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from hashshare.admin.marks import DASH
from hashshare.admin.measures import MEASURES
from hashshare.models import DailyStatistic, Person
from tests.admin.cast import browser, organisation, person

PAGE = "/admin/statistics/"
HASH = re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE)

pytestmark = pytest.mark.django_db


@pytest.fixture
def observer() -> Person:
    return person("observer", organisation("Delta", "partner"))


def today() -> date:
    return timezone.now().date()


def record(metric: str, value: int, *, ago: int = 0, dimension: str = "") -> None:
    day = today() - timedelta(days=ago)
    DailyStatistic.objects.create(day=day, metric=metric, dimension=dimension, value=value)


def words(client: Client, address: str = PAGE) -> str:
    """The text of the page as it is read, tags left out."""
    answer = client.get(address)
    assert answer.status_code == 200
    text = answer.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_it_shows_every_measure_with_its_value_unit_and_definition(observer: Person) -> None:
    for n, measure in enumerate(MEASURES, 1):
        record(measure.metric, 1000 * n)
    text = words(browser(observer))
    for n, measure in enumerate(MEASURES, 1):
        assert f"{measure.name} {n},000 {measure.unit}" in text
        assert measure.definition in text
    assert f"As of {today():%d %B %Y}".replace("As of 0", "As of ") in text


def test_it_says_that_a_day_is_not_over(observer: Person) -> None:
    record("members", 3)
    assert "a day that is not over" in words(browser(observer))


def test_it_says_nothing_of_that_about_a_day_that_is(observer: Person) -> None:
    record("members", 3, ago=1)
    text = words(browser(observer))
    assert "a day that is not over" not in text
    assert "No figures have been written since" not in text


def test_it_warns_when_counting_has_stopped(observer: Person) -> None:
    record("members", 3, ago=5)
    assert "No figures have been written since" in words(browser(observer))


def test_it_compares_with_the_period_before(observer: Person) -> None:
    for ago, value in ((0, 40), (29, 2), (30, 5), (89, 6)):
        record("deliveries", value, ago=ago)
    client = browser(observer)
    assert "Deliveries 42 deliveries 11 in the 30 days before" not in words(client)  # day 89 is older
    assert "Deliveries 42 deliveries 5 in the 30 days before" in words(client)
    assert "Deliveries 53 deliveries No figures for the period before" in words(client, f"{PAGE}?days=90")


@pytest.mark.parametrize("query", ["?days=7", "?days=-1", "?days=x", "?days=99999999999999999999", "?days="])
def test_it_keeps_to_the_offered_periods(observer: Person, query: str) -> None:
    record("members", 3)
    text = browser(observer).get(PAGE + query).content.decode()
    assert '<span aria-current="page">30 days</span>' in text


def test_it_divides_the_figures_up(observer: Person) -> None:
    record("organisations", 7, dimension="country:NL")
    record("organisations", 5, dimension="country:NL", ago=1)
    record("deliveries", 3, dimension="country:NL")
    record("deliveries", 4, dimension="country:NL", ago=1)
    record("withdrawals", 13, dimension="reason:incorrect")
    record("releases", 2, dimension="hotline:aurora.example")
    record("entries", 1204, dimension="list:aurora.example/images")
    text = words(browser(observer))
    assert "NL 7 7" in text  # a level as it stands, a count added up
    assert "incorrect 13" in text
    assert f"aurora.example 2 {DASH} {DASH}" in text
    assert "aurora.example/images 1,204" in text


def test_it_says_what_will_be_here_before_the_first_count(observer: Person) -> None:
    assert "No figures yet." in words(browser(observer))


def test_it_tells_missing_days_from_nought(observer: Person) -> None:
    record("deliveries", 0)
    record("deliveries", 5, ago=2)
    text = words(browser(observer))
    missing = today() - timedelta(days=1)
    assert f"{today():%Y-%m-%d} 0" in text
    assert f"{missing:%Y-%m-%d} {DASH}" in text


def test_it_draws_each_chart_with_a_title_a_description_and_a_table(observer: Person) -> None:
    record("members", 3)
    text = browser(observer).get(PAGE).content.decode()
    charts = re.findall(r"<svg class=\"chart\".*?</svg>", text, re.DOTALL)
    assert len(charts) == sum(1 for measure in MEASURES if measure.drawn_as) == text.count("<details>")
    for chart in charts:
        ids = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', chart)
        assert ids is not None
        assert f'<title id="{ids[1]}">' in chart
        assert f'<desc id="{ids[2]}">' in chart


def test_it_gives_the_figures_as_csv(observer: Person) -> None:
    record("deliveries", 41)
    record("deliveries", 1, ago=1)
    answer = browser(observer).get(f"{PAGE}?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    rows = [row for row in csv.DictReader(io.StringIO(answer.content.decode())) if row["measure"] == "deliveries"]
    assert len(rows) == 30
    assert [row["value"] for row in rows[-3:]] == ["", "1", "41"]


@pytest.mark.parametrize("query", ["", "?format=csv", "?days=365"])
def test_it_never_shows_a_hash(observer: Person, query: str) -> None:
    record("members", 3)
    text = browser(observer).get(PAGE + query).content.decode()
    without_tokens = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
    assert HASH.search(without_tokens) is None
    assert HASH.search(secrets.token_hex(16)) is not None


def test_it_is_for_operators_and_observers(observer: Person) -> None:
    cobalt = organisation("Cobalt", "member")
    assert browser(person("operator")).get(PAGE).status_code == 200
    for role in ("analyst", "engineer"):
        client = browser(person(role, cobalt))
        for query in ("", "?format=csv"):
            answer = client.get(PAGE + query)
            assert answer.status_code == 403
            assert "Your account does not open this page." in answer.content.decode()


def test_it_changes_nothing(observer: Person) -> None:
    record("members", 3)
    client = browser(observer)
    before = list(DailyStatistic.objects.values())
    client.post(PAGE, {"value": "9"})
    assert list(DailyStatistic.objects.values()) == before

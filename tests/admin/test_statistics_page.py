"""The page *Coalition statistics*, as an adviser with five minutes reads it."""

from __future__ import annotations

import re
import secrets
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hashshare.admin.marks import DASH
from hashshare.admin.measures import MEASURES
from hashshare.models import PeriodFigure, Person, StatisticPeriod
from hashshare.periods import day_in_words
from hashshare.services.organisations import agree_to_be_named
from tests.admin.cast import browser, organisation, person
from tests.admin.figures import edition, record

PAGE = "/admin/statistics/"
HASH = re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE)

pytestmark = pytest.mark.django_db


@pytest.fixture
def observer() -> Person:
    return person("observer", organisation("Delta", "partner", country="FR"))


@pytest.fixture
def week() -> StatisticPeriod:
    """The last week that is over, with a figure of every kind."""
    row = edition(ago=1)
    for n, metric in enumerate(MEASURES, 1):
        if metric not in {"hashes", "overlap"}:
            record(row, metric, 1000 * n)
    record(row, "hashes", 70, part="algorithm:sha256")
    record(row, "overlap", 3, part="pair:sha256 aurora.example borealis.example")
    record(row, "members", 12, scope="country:NL")
    record(row, "entries", 5, scope="hotline:aurora.example")
    record(row, "members", 9, scope="sector:Social media")
    return row


def words(client: Client, address: str = PAGE) -> str:
    """The text of the page as it is read, tags left out."""
    answer = client.get(address)
    assert answer.status_code == 200
    text = answer.content.decode()
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_it_quotes_six_figures_each_with_unit_definition_and_as_of(observer: Person, week: StatisticPeriod) -> None:
    answer = browser(observer).get(PAGE).content.decode()
    tiles = re.findall(r'<div class="tile">(.*?)</div>', answer, re.DOTALL)
    assert len(tiles) == 6
    for tile in tiles:
        assert 'class="definition"' in tile
        assert f"As of {day_in_words(week.as_of)}" in tile
    text = words(browser(observer))
    for metric in ("members", "hotlines", "entries", "withdrawals"):
        assert f"{MEASURES[metric].name} {1000 * (list(MEASURES).index(metric) + 1):,} {MEASURES[metric].unit}" in text


def test_it_runs_from_who_takes_part_to_the_exports(observer: Person, week: StatisticPeriod) -> None:
    text = browser(observer).get(PAGE).content.decode()
    heads = ["who", "what", "arrival", "withdrawals", "commitments", "method", "exports"]
    places = [text.index(f'<h2 id="{head}">') for head in heads]
    assert places == sorted(places)


def test_it_says_which_period_it_is_and_that_it_is_frozen(observer: Person, week: StatisticPeriod) -> None:
    text = words(browser(observer))
    assert f"As of {day_in_words(week.as_of)} (UTC); frozen on" in text
    assert "the period is not over" not in text


def test_it_says_that_a_period_is_running(observer: Person) -> None:
    record(edition(), "members", 3)
    assert "the period is not over, its figures change once a day" in words(browser(observer))


def test_it_warns_when_counting_has_stopped(observer: Person) -> None:
    record(edition(late=0), "members", 3)
    assert "The hub's operator should look" not in words(browser(observer))
    StatisticPeriod.objects.all().delete()
    record(edition(late=3), "members", 3)
    assert "The hub's operator should look" in words(browser(observer))


def test_it_shows_the_latest_week_unless_asked_for_another(observer: Person) -> None:
    old, new = edition(ago=2), edition(ago=1)
    record(old, "members", 41)
    record(new, "members", 42)
    client = browser(observer)
    assert f"Members 42 organisations +1 against {old.label}" in words(client)
    assert "Members 41 organisations" in words(client, f"{PAGE}?period={old.label}")


@pytest.mark.parametrize("kind", ["week", "month", "quarter"])
def test_it_has_weeks_months_and_quarters(observer: Person, kind: str) -> None:
    for value, each in ((1, "week"), (2, "month"), (3, "quarter")):
        record(edition(ago=1, kind=each), "members", value)  # type: ignore[arg-type]
    value = {"week": 1, "month": 2, "quarter": 3}[kind]
    assert f"Members {value} organisations" in words(browser(observer), f"{PAGE}?kind={kind}")


@pytest.mark.parametrize(
    "query",
    [
        "?period=x", "?period=2026-W99", "?kind=day", "?kind=year", "?revision=x", "?revision=99", "?period=2999-W01",
        "?days=1", "?scope=", "?period=%00", "?revision=-1",
    ],
)  # fmt: skip
def test_it_passes_over_what_makes_no_sense(observer: Person, week: StatisticPeriod, query: str) -> None:
    assert "Members 1,000 organisations" in words(browser(observer), PAGE + query)


def test_it_shows_one_scope_at_a_time(observer: Person, week: StatisticPeriod) -> None:
    client = browser(observer)
    assert "Based in Netherlands, week" in words(client, f"{PAGE}?scope=country:NL")
    assert "Members 12 organisations" in words(client, f"{PAGE}?scope=country:NL")
    assert "Entries in force 5 entries" in words(client, f"{PAGE}?scope=hotline:aurora.example")
    assert "Members 9 organisations" in words(client, f"{PAGE}?scope=sector:Social media")
    options = re.findall(r'<option value="([^"]*)"', client.get(PAGE).content.decode())
    assert {"country:NL", "sector:Social media", "hotline:aurora.example"} <= set(options)


@pytest.mark.parametrize("scope", ["country:SE", "hotline:", "x", "<script>alert(1)</script>", "a" * 5000])
def test_it_shows_the_coalition_where_nothing_may_be_shown_of_a_scope(
    observer: Person, week: StatisticPeriod, scope: str
) -> None:
    answer = browser(observer).get(PAGE, {"scope": scope})
    text = answer.content.decode()
    assert "Nothing is shown of" in text
    assert "<script>alert" not in text
    assert len(text) < 100_000
    assert "The whole coalition, week" in text


def test_it_tells_withheld_from_missing(observer: Person, week: StatisticPeriod) -> None:
    PeriodFigure.objects.filter(metric="applied_median").update(value=None, withheld=True)
    text = words(browser(observer))
    assert f"Publication to use, median {DASH} Too few members to be shown" in text
    assert "fewer than five members that have not agreed to be named stand behind it" in text


def test_a_correction_shows_its_reason_and_leads_to_the_edition_before(observer: Person) -> None:
    record(edition(ago=1), "members", 3)
    record(edition(ago=1, revision=2, reason="A list was counted twice & more."), "members", 4)
    client = browser(observer)
    text = words(client)
    assert "revision 2" in text
    assert "A list was counted twice & more." in text
    assert "Members 4 organisations" in text
    label = StatisticPeriod.objects.first().label  # type: ignore[union-attr]
    assert f"?period={label}&amp;revision=1" in client.get(PAGE).content.decode()
    old = words(client, f"{PAGE}?period={label}&revision=1")
    assert "Members 3 organisations" in old
    assert "These figures were corrected on" in old


def test_it_draws_each_chart_with_a_title_a_description_and_a_table(observer: Person, week: StatisticPeriod) -> None:
    text = browser(observer).get(PAGE).content.decode()
    charts = re.findall(r"<svg class=\"chart\".*?</svg>", text, re.DOTALL)
    assert len(charts) > 8
    for figure in re.findall(r"<figure.*?</figure>", text, re.DOTALL):
        assert "<table" in figure
        assert "As of" in figure
        assert 'class="definition"' in figure
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(set(identifiers)) == len(identifiers)
    for chart in charts:
        ids = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', chart)
        assert ids is not None
        assert f'<title id="{ids[1]}">' in chart
        assert f'<desc id="{ids[2]}">' in chart


def test_it_says_what_will_be_here_before_the_first_count(observer: Person) -> None:
    assert "No figures yet." in words(browser(observer))


def test_it_names_only_who_agreed(observer: Person, week: StatisticPeriod) -> None:
    cobalt, granite = organisation("Cobalt", "member"), organisation("<i>Granite</i>", "member", country="DE")
    agree_to_be_named(organisation=granite, now=week.made_at)
    for query in ("", f"?period={week.label}"):
        text = browser(observer).get(PAGE + query).content.decode()
        assert cobalt.name not in text
        assert "&lt;i&gt;Granite&lt;/i&gt;" in text
    assert "Granite" not in words(browser(observer), f"{PAGE}?scope=country:NL")


def test_it_never_shows_a_hash(observer: Person, week: StatisticPeriod) -> None:
    for query in ("", "?scope=country:NL", "report/"):
        text = browser(observer).get(PAGE + query).content.decode()
        without_tokens = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
        assert HASH.search(without_tokens) is None
    assert HASH.search(secrets.token_hex(16)) is not None


@pytest.mark.parametrize("path", ["", "report/", "export/", "export/?format=json"])
def test_it_is_for_operators_and_observers(observer: Person, week: StatisticPeriod, path: str) -> None:
    cobalt = organisation("Cobalt", "member")
    assert browser(person("operator")).get(PAGE + path).status_code == 200
    assert browser(observer).get(PAGE + path).status_code == 200
    for role in ("analyst", "engineer"):
        answer = browser(person(role, cobalt)).get(PAGE + path)
        assert answer.status_code == 403
        assert "Your account does not open this page." in answer.content.decode()
    stranger = Client().get(PAGE + path)
    assert stranger.status_code == 302
    assert stranger["Location"].startswith("/admin/login/")


def test_it_changes_nothing(observer: Person, week: StatisticPeriod) -> None:
    client = browser(observer)
    before = list(PeriodFigure.objects.order_by("pk").values())
    client.post(PAGE, {"value": "9"})
    assert list(PeriodFigure.objects.order_by("pk").values()) == before


def test_it_costs_a_few_queries_whatever_there_is(observer: Person, week: StatisticPeriod) -> None:
    client = browser(observer)
    for ago in range(2, 30):
        row = edition(ago=ago)
        for metric in MEASURES:
            record(row, metric, 7)
    for query in ("", "?scope=country:NL", "?scope=nothing"):
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE + query)
        assert len(queries) <= 9 + ("nothing" in query), [query["sql"][:120] for query in queries]

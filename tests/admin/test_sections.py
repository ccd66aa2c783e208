"""What is quoted for a period, against what it is compared, and what the charts say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hashshare.admin.marks import DASH, number
from hashshare.admin.measures import MEASURES
from hashshare.admin.sections import Plot, Section, describe, lag_ticks, sections, tiles
from hashshare.admin.sheets import Sheet, history_of, make_sheet
from hashshare.selectors.editions import Row
from hashshare.services.statistics.figures import COUNTS, LEVELS
from tests.admin.test_charts import readings

MANUAL = Path(__file__).parents[2] / "docs/statistics.md"


@dataclass
class Edition:
    pk: int
    label: str
    start: date
    kind: str = "week"
    as_of: date = date(2026, 11, 22)
    revision: int = 1


BEFORE, NOW = Edition(1, "2026-W46", date(2026, 11, 9)), Edition(2, "2026-W47", date(2026, 11, 16))


def sheet(*rows: Row, scope: str = "") -> Sheet:
    return make_sheet([BEFORE, NOW], scope, rows)


def figure(metric: str, value: int | None, period: int = 2, *, scope: str = "", part: str = "") -> Row:
    return Row(period, metric, scope, part, value, withheld=value is None)


def changes(found: Sheet, *, running: bool = False) -> dict[str, tuple[str, str]]:
    return {tile.name: (tile.value, tile.change) for tile in tiles(found, running=running)}


def plots(found: list[Section]) -> dict[str, Plot]:
    return {plot.slug: plot for section in found for plot in section.plots}


def test_it_quotes_a_level_with_what_has_changed() -> None:
    assert changes(sheet(figure("members", 12), figure("members", 9, 1)))["Members"] == ("12", "+3 against 2026-W46")
    assert changes(sheet(figure("members", 7), figure("members", 9, 1)))["Members"] == ("7", "-2 against 2026-W46")
    assert changes(sheet(figure("members", 7), figure("members", 7, 1)))["Members"] == ("7", "As in 2026-W46")


def test_it_quotes_a_count_beside_that_of_the_period_before() -> None:
    found = sheet(figure("withdrawals", 12), figure("withdrawals", 1_111, 1))
    assert changes(found)["Withdrawn"] == ("12", "1,111 in 2026-W46")
    assert changes(found, running=True)["Withdrawn"] == ("12", "1,111 in the whole of 2026-W46")


def test_it_quotes_a_lag_as_a_duration() -> None:
    found = sheet(figure("applied_median", 7_200), figure("applied_median", 90_000, 1))
    assert changes(found)["Publication to use, median"] == ("2 h", "1 d 1 h in 2026-W46")


def test_it_quotes_the_share_of_current_members_with_both_numbers() -> None:
    found = sheet(
        figure("members_current", 41),
        figure("members_expected", 45),
        figure("members_current", 20, 1),
        figure("members_expected", 40, 1),
    )
    tile = tiles(found, running=False)[-1]
    assert (tile.value, tile.unit, tile.change) == ("91 %", "41 of 45 members", "50 % in 2026-W46")


def test_it_tells_missing_withheld_and_nought_apart() -> None:
    assert changes(sheet())["Members"] == (DASH, "No figures in this period")
    assert changes(sheet(figure("members", 0)))["Members"] == ("0", "No figures for 2026-W46")
    assert changes(sheet(figure("applied_median", None)))["Publication to use, median"] == (
        DASH,
        "Too few members to be shown",
    )
    found = sheet(figure("applied_median", 60), figure("applied_median", None, 1))
    assert changes(found)["Publication to use, median"][1] == "Not shown for 2026-W46"
    first = make_sheet([NOW], "", [figure("members", 3)])
    assert changes(first)["Members"] == ("3", "No period before this one")


def test_it_has_six_tiles_for_the_coalition_and_fewer_where_a_scope_has_fewer() -> None:
    assert len(tiles(sheet(), running=False)) == 6
    assert len(tiles(sheet(scope="country:NL"), running=False)) == 6
    assert "Lists" in changes(sheet(scope="hotline:aurora.example"))
    assert "Entries in force" not in changes(sheet(scope="sector:social"))


def test_it_compares_scopes_largest_first_and_what_cannot_be_told_apart_last() -> None:
    found = sheet(
        figure("members", 30),
        figure("members", 6, scope="country:DE"),
        figure("members", 12, scope="country:NL"),
        figure("members", 15, part="pooled:country"),
    )
    plot = plots(sections(found))["members-country"]
    assert plot.rows == (("Netherlands", "12"), ("Germany", "6"), ("not told by country", "15"))
    assert "counted together" in plot.note


def test_it_divides_by_category_in_the_schemes_order_and_says_what_is_not_stated() -> None:
    found = sheet(
        figure("entries", 60),
        figure("entries", 30, part="category:"),
        figure("entries", 20, part="category:uk-abc B"),
        figure("entries", 10, part="category:uk-abc A"),
    )
    rows = plots(sections(found))["entries-category"].rows
    assert rows == (("uk-abc A", "10"), ("uk-abc B", "20"), ("not stated", "30"))


def test_it_shows_what_two_hotlines_have_in_common() -> None:
    found = sheet(figure("overlap", 7, part="pair:sha256 aurora.example borealis.example"))
    assert plots(sections(found))["overlap"].rows == (("aurora.example and borealis.example", "sha256", "7"),)


def test_it_draws_at_most_ten_bars_and_tables_them_all() -> None:
    found = sheet(*(figure("members", n, scope=f"country:{n:02}") for n in range(1, 31)))
    plot = plots(sections(found))["members-country"]
    assert plot.chart is not None
    assert (len(plot.chart.bars), len(plot.rows)) == (10, 30)
    assert "10 largest of 30" in plot.note


def test_it_leaves_out_what_has_no_figure_at_all() -> None:
    assert sections(sheet()) == []


def test_it_goes_back_over_the_newest_edition_of_each_period() -> None:
    weeks = [Edition(n, f"W{n}", date.fromordinal(date(2026, 1, 5).toordinal() + 7 * n)) for n in range(20)]
    corrected = Edition(99, "W18", weeks[18].start, revision=2)
    rows = sorted([*weeks, corrected], key=lambda it: (it.start, it.revision), reverse=True)
    history = history_of(weeks[19], rows)
    assert [it.pk for it in history] == [*range(7, 18), 99, 19]


def test_it_describes_a_chart_in_words() -> None:
    assert (
        describe(readings(4, None, 1000), number)
        == "From W1 to W3: lowest 4, highest 1,000, last 1,000; 1 without figures."
    )
    assert describe(readings(None, None), number) == "From W1 to W2: no figures."


def test_its_ticks_of_time_are_round() -> None:
    assert lag_ticks(5 * 3600) == (0, 7200, 14_400, 21_600)
    assert lag_ticks(0) == (0, 60)
    assert lag_ticks(400 * 86_400)[-1] >= 400 * 86_400
    assert len(lag_ticks(400 * 86_400)) <= 6


def test_it_defines_every_measure_and_the_manual_has_the_same_words() -> None:
    lags = {f"{lag}_{share}" for lag in ("applied", "withdrawal_applied") for share in ("median", "p90")}
    assert set(MEASURES) == {*LEVELS, *COUNTS, *lags}
    manual = " ".join(MANUAL.read_text().split())
    for measure in MEASURES.values():
        assert f"| `{measure.metric}` | {measure.name} |" in manual, measure.metric
        assert measure.definition in manual, measure.metric

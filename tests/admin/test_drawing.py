"""Charts and tables as they are written into the page: whatever somebody entered stays text."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from hashshare.admin.charts import Reading, Series, bar_chart, column_chart, line_chart
from hashshare.admin.drawing import svg, table

SCRIPT = '<script>alert("1")</script>&'


def test_it_escapes_every_text() -> None:
    rows = [Reading(SCRIPT, 3), Reading("b", None)]
    charts = [
        bar_chart(rows, title=SCRIPT, description=SCRIPT),
        column_chart(rows, title=SCRIPT, description=SCRIPT),
        line_chart([Series(SCRIPT, tuple(rows)), Series("b", tuple(rows))], title=SCRIPT, description=SCRIPT),
    ]
    for chart in charts:
        drawn = svg(chart, "x")
        assert "<script" not in drawn
        assert fromstring(drawn).attrib["role"] == "img"
    assert "<script" not in table([SCRIPT, SCRIPT], [[SCRIPT, SCRIPT]])


def test_it_names_each_drawing_by_its_title_and_description() -> None:
    root = fromstring(svg(bar_chart([Reading("NL", 1)], title="Members", description="One."), "members"))
    assert root.attrib["aria-labelledby"] == "members-t members-d"
    assert [(child.attrib["id"], child.text) for child in root[:2]] == [
        ("members-t", "Members"),
        ("members-d", "One."),
    ]


def test_a_tables_first_cells_are_heads_and_the_others_numbers() -> None:
    root = fromstring(table(["Country", "Members"], [["NL", "12"]]))
    assert [cell.attrib for cell in root.iter("th")] == [
        {"scope": "col"},
        {"scope": "col", "class": "number"},
        {"scope": "row"},
    ]
    assert [cell.text for cell in root.iter("td")] == ["12"]

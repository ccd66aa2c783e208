"""What stands in the navigation: the pages that are no table of rows, then the tables, each seen by who may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from hashshare.admin import roles
from hashshare.admin.commitments import commitments
from hashshare.admin.expiring import what_expires_next
from hashshare.admin.propagation import withdrawal_propagation
from hashshare.admin.statistics import coalition_statistics, statistics_export, statistics_report
from hashshare.admin.timetable import timetable

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """`name` of its address in the admin; `view(site)` makes the view, which refuses on its own whom `seen_by` does not
    name; a page without a label has no line in the navigation (it belongs to another page).
    """

    name: str
    path: str
    label: str
    section: str
    view: Callable[[AdminSite], View]
    seen_by: Callable[[HttpRequest], bool]


PAGES: Final = (
    Page("statistics", "statistics/", "Coalition statistics", "Coalition", coalition_statistics, roles.sees_statistics),
    Page("statistics-report", "statistics/report/", "", "Coalition", statistics_report, roles.sees_statistics),
    Page("statistics-export", "statistics/export/", "", "Coalition", statistics_export, roles.sees_statistics),
    Page("commitments", "commitments/", "Commitments", "Coalition", commitments, roles.enters_commitments),
    Page(
        "propagation",
        "propagation/",
        "Withdrawal propagation",
        "Coalition",
        withdrawal_propagation,
        roles.sees_propagation,
    ),
    Page("expiring", "expiring/", "What expires next", "Coalition", what_expires_next, roles.sees_expiring),
    Page("timetable", "timetable/", "Timetable", "Coalition", timetable, roles.is_operator),
)
"""In the order of the navigation."""

TABLES: Final[dict[str, tuple[str, ...]]] = {
    "Organisations and people": ("Organisation", "Person", "Invitation", "OrganisationKey", "AccessKey"),
    "What is published": ("Publisher", "HashList", "Release", "Commit", "Metadata", "StoredObject"),
    "Who receives it": ("Subscription", "Delivery", "Acknowledgement", "Reminder"),
    "Operation": ("Job", "ExpiryWarning", "Log", "Restoration", "GuardedDigest", "Deed"),
    "Statistics": ("StatisticPeriod", "Commitment", "StatementAction", "DailyStatistic"),
}
"""Model class names by section, in order; one that is missing here stands in the last."""

NAMES: Final = {"HashList": "Lists", "OrganisationKey": "Keys", "Deed": "What people did", "StatisticPeriod": "Periods"}
"""Where the navigation says it in other words than the class."""


def sections(request: HttpRequest, tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The navigation of a person, in the shape of the admin's list of applications; `tables` are those seen."""
    names = dict.fromkeys([*(page.section for page in PAGES), *TABLES])
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for page in PAGES:
        if page.label and page.seen_by(request):
            lines[page.section].append(_line(page))
    for name in TABLES:
        lines[name] += _tables(name, tables)
    return [_section(name, models) for name, models in lines.items() if models]


def _line(page: Page) -> dict[str, Any]:
    return {
        "name": page.label,
        "object_name": page.name,
        "admin_url": reverse(f"admin:{page.name}"),
        "view_only": True,
    }


def _tables(section: str, tables: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    order = TABLES[section]
    known = {model for models in TABLES.values() for model in models}
    last = section == list(TABLES)[-1]
    mine = [t for t in tables if t["object_name"] in order or (last and t["object_name"] not in known)]
    mine.sort(key=lambda table: order.index(table["object_name"]) if table["object_name"] in order else len(order))
    return [{**table, "name": NAMES.get(table["object_name"], table["name"])} for table in mine]


def _section(name: str, models: list[dict[str, Any]]) -> dict[str, Any]:
    label = name.split()[0].lower()
    return {
        "name": name,
        "app_label": label,
        "app_url": models[0]["admin_url"] or reverse("admin:index"),
        "models": models,
    }

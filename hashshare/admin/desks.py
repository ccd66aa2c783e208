"""What stands in the navigation: the pages that are no table of rows, then the tables, each seen by who may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from hashshare.admin import account, drafts, roles, uploading
from hashshare.admin.commitments import commitments
from hashshare.admin.expiring import what_expires_next
from hashshare.admin.kept_forms import kept_form_page
from hashshare.admin.member_desk import (
    member_desk,
    member_list,
    member_lists,
    member_receipt,
    sandbox_files,
)
from hashshare.admin.onboarding import onboarding
from hashshare.admin.propagation import withdrawal_propagation
from hashshare.admin.queues import decisions
from hashshare.admin.reception import one_release
from hashshare.admin.statistics import coalition_statistics, statistics_export, statistics_report
from hashshare.admin.timetable import timetable
from hashshare.extensions import extensions

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Page:
    """`name` of its address in the admin; `view(site)` makes the view, which refuses on its own whom `seen_by` does not
    name; a page without a label has no line in the navigation (it belongs to another page). `about` is what the
    overview says of it.
    """

    name: str
    path: str
    label: str
    section: str
    view: Callable[[AdminSite], View]
    seen_by: Callable[[HttpRequest], bool]
    about: str = ""


PAGES: Final = (
    Page(
        "member-desk",
        "desk/",
        "Your desk",
        "Your organisation",
        member_desk,
        roles.sees_member_desk,
        "What to do next, lists, withdrawals to apply, machines, receipts",
    ),
    Page(
        "member-lists",
        "lists/",
        "Lists to ask for",
        "Your organisation",
        member_lists,
        roles.sees_member_desk,
        "What hotlines offer here, and where each of your requests stands",
    ),
    Page(
        "member-list",
        "lists/<str:domain>/<slug:slug>/",
        "",
        "Your organisation",
        member_list,
        roles.sees_member_desk,
    ),
    Page(
        "member-receipt", "desk/receipts/<int:leaf>/", "", "Your organisation", member_receipt, roles.sees_member_desk
    ),
    Page("sandbox-files", "desk/sandbox.zip", "", "Your organisation", sandbox_files, roles.sees_member_desk),
    Page(
        "onboarding",
        "onboarding/",
        "Onboarding",
        "Your desk",
        onboarding,
        roles.is_operator,
        "How far each organisation is, since when, and who does the next step",
    ),
    Page(
        "queues",
        "waiting/",
        "Waiting for a decision",
        "Your desk",
        decisions,
        roles.is_operator,
        "What somebody has to decide, the longest wait first",
    ),
    Page(
        "uploads",
        "uploads/",
        "Uploads",
        "Publish",
        drafts.uploads,
        roles.uploads,
        "Files on their way to becoming releases, and those that wait for you",
    ),
    Page(
        "new-upload",
        "upload/",
        "New upload",
        "Publish",
        uploading.new_upload,
        roles.uploads,
        "A CSV file, checked before anything is published",
    ),
    Page(
        "withdraw",
        "withdraw/",
        "Withdraw entries",
        "Publish",
        uploading.withdraw,
        roles.uploads,
        "One wrong hash or many, with the reason",
    ),
    Page("upload", "uploads/<uuid:draft_id>/", "", "Publish", drafts.one_upload, roles.uploads),
    Page("upload-progress", "uploads/<uuid:draft_id>/progress/", "", "Publish", drafts.progress, roles.uploads),
    Page("upload-faults", "uploads/<uuid:draft_id>/faults.csv", "", "Publish", drafts.faults, roles.uploads),
    Page("upload-template", "uploads/template/<uuid:list_id>/", "", "Publish", drafts.template, roles.uploads),
    Page("release", "releases/<uuid:release_id>/", "", "Publish", one_release, roles.sees_propagation),
    Page(
        "statistics",
        "statistics/",
        "Coalition statistics",
        "Coalition",
        coalition_statistics,
        roles.sees_statistics,
        "Members, entries, deliveries and withdrawals, by week, month and quarter",
    ),
    Page("statistics-report", "statistics/report/", "", "Coalition", statistics_report, roles.sees_statistics),
    Page("statistics-export", "statistics/export/", "", "Coalition", statistics_export, roles.sees_statistics),
    Page(
        "commitments",
        "commitments/",
        "Commitments",
        "Coalition",
        commitments,
        roles.enters_commitments,
        "What your organisation says it has done of the statement of action",
    ),
    Page(
        "propagation",
        "propagation/",
        "Withdrawal propagation",
        "Coalition",
        withdrawal_propagation,
        roles.sees_propagation,
        "Which members have applied what was taken back, and who is overdue",
    ),
    Page(
        "expiring",
        "expiring/",
        "What expires next",
        "Coalition",
        what_expires_next,
        roles.sees_expiring,
        "Signatures, subscriptions, keys and invitations by end date",
    ),
    Page(
        "timetable",
        "timetable/",
        "Timetable",
        "Coalition",
        timetable,
        roles.is_operator,
        "The jobs that run by themselves, and whether they are on time",
    ),
    Page("account", "account/", "", "", account.account, roles.is_anybody),
    Page("account-password", "account/password/", "", "", account.own_password, roles.is_anybody),
    Page("account-codes", "account/recovery-codes/", "", "", account.new_codes, roles.is_anybody),
    Page("account-authenticator", "account/authenticator/", "", "", account.new_authenticator, roles.is_anybody),
    Page("account-sign-out", "account/sign-out-everywhere/", "", "", account.sign_out_everywhere, roles.is_anybody),
    Page("kept-form", "kept-form/", "", "", kept_form_page, roles.is_anybody),
)
"""In the order of the navigation."""

TABLES: Final[dict[str, tuple[str, ...]]] = {
    "Organisations and people": ("Organisation", "Person", "Invitation", "OrganisationKey", "AccessKey"),
    "What is published": (
        "Publisher",
        "Beginning",
        "HashList",
        "HostedKey",
        "Release",
        "Commit",
        "Metadata",
        "StoredObject",
    ),
    "Who receives it": ("Subscription", "Delivery", "Acknowledgement", "Reminder"),
    "Operation": ("Job", "ExpiryWarning", "Log", "Restoration", "GuardedDigest", "Deed"),
    "Statistics": ("StatisticPeriod", "Commitment", "StatementAction", "DailyStatistic"),
}
"""Model class names by section, in order; one that is missing here stands in the last."""

OF_PUBLISHERS: Final = frozenset({*TABLES["What is published"], "Job", "ExpiryWarning", "Log"})
"""Tables in which an organisation that publishes nothing has no row: they are no lines of its people's navigation."""

ON_A_PAGE: Final = frozenset({"Commitment"})
"""Tables of which people of an organisation have a page that shows all of theirs."""

NAMES: Final = {
    "HashList": "Lists",
    "HostedKey": "Hosted keys",
    "OrganisationKey": "Keys",
    "Deed": "What people did",
    "StatisticPeriod": "Periods",
}
"""Where the navigation says it in other words than the class."""

ABOUT: Final = {
    "Organisation": "Hotlines, members, partners and hubs",
    "Person": "Who signs in here, in which role",
    "Invitation": "Codes and links that are still open, and those used",
    "OrganisationKey": "The machine keys that sign requests",
    "AccessKey": "Read-only keys for other programs",
    "Publisher": "The domains under which hotlines publish",
    "Beginning": "Hotlines that lost their root and were let begin anew",
    "HashList": "What is published, with algorithms, terms and version",
    "HostedKey": "Keys with which this hub signs for hotlines",
    "Release": "Each version of a list, published or rejected with reasons",
    "Commit": "What hotlines sent to be published",
    "Metadata": "The signed documents of each publisher",
    "StoredObject": "The files that releases are made of",
    "Subscription": "Who may receive which list, until when",
    "Delivery": "Which version went to whom, when",
    "Acknowledgement": "What members signed to have applied",
    "Reminder": "Mail to members that had not applied a withdrawal",
    "Job": "Verifications that wait, run, or have failed",
    "ExpiryWarning": "Who was told that a signature ends",
    "Log": "The logs that nobody can rewrite",
    "Restoration": "When this hub was restored from a backup",
    "GuardedDigest": "Digests of harmless files that no list may hold",
    "StatisticPeriod": "What was shown of each week, month and quarter, and its corrections",
    "Commitment": "What signatories say they have done, and its review",
    "StatementAction": "The actions of the statement, in its own words",
    "DailyStatistic": "The numbers behind the coalition statistics",
    "Deed": "Every change made from these pages, by whom, why",
}
"""What the overview says of a table."""


def pages() -> list[Page]:
    """The hub's own and those that extensions add, in the order of the navigation."""
    return [*PAGES, *(page for extension in extensions() for page in extension.pages())]


def tables_by_section() -> dict[str, tuple[str, ...]]:
    found = dict(TABLES)
    for extension in extensions():
        for section, names in extension.tables.items():
            found[section] = (*found.get(section, ()), *names)
    return found


def sections(request: HttpRequest, tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The navigation of a person, in the shape of the admin's list of applications; `tables` are those seen."""
    order = tables_by_section()
    names = dict.fromkeys([*(page.section for page in pages() if page.label), *order])
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for page in pages():
        if page.label and page.seen_by(request):
            lines[page.section].append(_line(page))
    own = [table for table in tables if _is_a_line(request, table["object_name"])]
    for name in order:
        lines[name] += _tables(order, name, own)
    _mark_current(request.path, [line for models in lines.values() for line in models])
    return [_section(name, models) for name, models in lines.items() if models]


def _is_a_line(request: HttpRequest, model: str) -> bool:
    if roles.is_operator(request):
        return True
    return model not in ON_A_PAGE and (model not in OF_PUBLISHERS or roles.sees_propagation(request))


def _mark_current(path: str, lines: list[dict[str, Any]]) -> None:
    """The one line that leads here, or to what the page at `path` belongs to: the longest address that begins it."""
    above = [line for line in lines if line["admin_url"] and path.startswith(line["admin_url"])]
    if above:
        nearest = max(above, key=lambda line: len(line["admin_url"]))
        nearest["current"] = "page" if nearest["admin_url"] == path else "true"


def _line(page: Page) -> dict[str, Any]:
    return {
        "name": page.label,
        "object_name": page.name,
        "admin_url": reverse(f"admin:{page.name}"),
        "view_only": True,
        "about": page.about,
    }


def _tables(
    sections: dict[str, tuple[str, ...]], section: str, tables: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    order = sections[section]
    known = {model for models in sections.values() for model in models}
    last = section == list(sections)[-1]
    mine = [t for t in tables if t["object_name"] in order or (last and t["object_name"] not in known)]
    mine.sort(key=lambda table: order.index(table["object_name"]) if table["object_name"] in order else len(order))
    return [_told(table, table["object_name"]) for table in mine]


def _told(table: dict[str, Any], model: str) -> dict[str, Any]:
    about = [extension.about.get(model, "") for extension in extensions()]
    return {**table, "name": NAMES.get(model, table["name"]), "about": ABOUT.get(model) or "".join(about)}


def _section(name: str, models: list[dict[str, Any]]) -> dict[str, Any]:
    label = name.split()[0].lower()
    return {
        "name": name,
        "app_label": label,
        "app_url": models[0]["admin_url"] or reverse("admin:index"),
        "models": models,
    }

"""The page *Coalition statistics*, its printable report and its exports: of one period and scope; no hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from hashshare.admin import roles
from hashshare.admin.measures import MEASURES
from hashshare.admin.sections import name_in, sections, tiles
from hashshare.admin.sheets import AXES, Sheet, history_of, make_sheet
from hashshare.admin.spreadsheets import csv_response
from hashshare.countries import country_name
from hashshare.periods import Period, day_in_words, read_period
from hashshare.selectors.commitments import action_states
from hashshare.selectors.demonstration import is_demonstration
from hashshare.selectors.editions import editions, every_figure, figures
from hashshare.selectors.organisations import named_organisations
from hashshare.services.statistics.exports import note_export, signed_statistics
from hashshare.wire.errors import HashshareError

KIND_NAMES: Final = {"week": "Weeks", "month": "Months", "quarter": "Quarters"}
LATE_AFTER: Final = timedelta(days=2)
LONGEST: Final = 300
"""Characters of a scope."""
HEAD: Final = (
    "period", "revision", "as_of", "frozen", "metric", "name", "kind", "unit", "scope", "part", "value", "withheld",
    "definition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. `all`: every edition of this kind of period, the latest first; `edition`: the one in
    hand, None on a hub without figures.
    """

    kind: str
    all: Sequence[Any]
    edition: Any
    scope: str

    @property
    def revisions(self) -> list[Any]:
        """Every edition of the period in hand, the newest first."""
        return [row for row in self.all if self.edition and row.start == self.edition.start]

    @property
    def periods(self) -> list[Any]:
        """The newest edition of each period."""
        newest: dict[Any, Any] = {}
        for row in self.all:
            newest.setdefault(row.start, row)
        return list(newest.values())


def coalition_statistics(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`. Operators and observers only."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_statistics(request):
            raise PermissionDenied
        context = {**site.each_context(request), **page_of(read_asked(request))}
        return TemplateResponse(request, "hashshare/statistics.html", context)

    return view


def statistics_report(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The same to be printed or kept, with the hub's name: no navigation, every table open. Handing it out is noted."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_statistics(request):
            raise PermissionDenied
        asked = read_asked(request)
        if (refused := noted(request, asked, "report")) is not None:
            return refused
        whose = {"hub_name": settings.HASHSHARE_NAME, "made_up": is_demonstration()}
        return TemplateResponse(request, "hashshare/statistics_report.html", {**whose, **page_of(asked)})

    return view


def statistics_export(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """Every figure of the period in every scope: CSV, or JSON signed by the hub (`?format=json`)."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_statistics(request):
            raise PermissionDenied
        asked, form = read_asked(request), "JSON" if request.GET.get("format") == "json" else "CSV"
        if (refused := noted(request, asked, form)) is not None:
            return refused
        return signed_json(asked.edition) if form == "JSON" else csv_file(asked.edition)

    return view


def noted(request: HttpRequest, asked: Asked, form: str) -> HttpResponse | None:
    """None when the export was noted; else back to the page, which says why not."""
    if asked.edition is None:
        messages.warning(request, "There are no figures to export yet.")
        return HttpResponseRedirect(reverse("admin:statistics"))
    try:
        note_export(edition=asked.edition, form=form, by=request.user, now=timezone.now())  # type: ignore[arg-type]
    except HashshareError as error:
        messages.error(request, f"Nothing was exported. {error.message}")
        return HttpResponseRedirect(reverse("admin:statistics"))
    return None


# --- What is asked for --------------------------------------------------------------------------------------------


def read_asked(request: HttpRequest) -> Asked:
    """A period by its label and revision, else the newest of the kind; what makes no sense is passed over."""
    period = read_period(request.GET.get("period", ""))
    kind = period.kind if period else request.GET.get("kind", "")
    kind = kind if kind in KIND_NAMES else "week"
    rows = editions(kind=kind)
    of_period = [row for row in rows if period and row.start == period.start]
    revision = request.GET.get("revision", "")
    exact = [row for row in of_period if str(row.revision) == revision]
    edition = next(iter(exact or of_period or rows), None)
    return Asked(kind, rows, edition, request.GET.get("scope", "")[:LONGEST])


def sheet_of(asked: Asked, scope: str) -> Sheet:
    history = history_of(asked.edition, asked.all)
    return make_sheet(history, scope, figures(edition=asked.edition, history=history, scope=scope))


# --- The page -----------------------------------------------------------------------------------------------------


def page_of(asked: Asked) -> dict[str, Any]:
    kinds = [{"kind": kind, "name": name, "here": kind == asked.kind} for kind, name in KIND_NAMES.items()]
    page: dict[str, Any] = {"title": "Coalition statistics", "asked": asked, "kinds": kinds}
    if asked.edition is None:
        return {**page, "actions": action_states(), "shows_commitments": True}
    sheet = sheet_of(asked, asked.scope)
    known = asked.scope == "" or asked.scope in sheet.known_scopes
    if not known:
        sheet = sheet_of(asked, "")
    edition, period = asked.edition, Period(asked.edition.kind, asked.edition.start)
    running = edition.frozen_at is None
    axis, _, name = sheet.scope.partition(":")
    return page | {
        "edition": edition,
        "period": period,
        "words": period.words,
        "running": running,
        "late": running and timezone.now().date() - edition.as_of > LATE_AFTER,
        "as_of": day_in_words(edition.as_of),
        "refused_scope": "" if known else asked_words(asked.scope),
        "scope": sheet.scope,
        "scope_words": scope_words(axis, name),
        "scopes": scope_choices(sheet),
        "newest": asked.revisions[0],
        "tiles": tiles(sheet, running=running),
        "sections": sections(sheet),
        "named": named_in(axis, name),
        "actions": action_states(
            country=name if axis == "country" else None, sector=name if axis == "sector" else None
        ),
        "shows_commitments": axis != "hotline",
        "query": urlencode({"period": edition.label, "revision": edition.revision, "scope": sheet.scope}),
        "measures": list(MEASURES.values()),
    }


def scope_words(axis: str, name: str) -> str:
    if not axis:
        return "The whole coalition"
    if axis == "country":
        return f"Based in {country_name(name)}"
    return f"Sector: {name or 'not stated'}" if axis == "sector" else name


def asked_words(scope: str) -> str:
    axis, _, name = scope.partition(":")
    return name_in(axis, name) or scope


def scope_choices(sheet: Sheet) -> list[dict[str, Any]]:
    """By axis, what may be picked."""
    found = [it.partition(":") for it in sheet.known_scopes]
    return [
        {
            "name": {"country": "Countries", "sector": "Sectors", "hotline": "Hotlines"}[axis],
            "options": sorted(
                ((f"{axis}:{name}", name_in(axis, name) or "not stated") for kind, _, name in found if kind == axis),
                key=itemgetter(1),
            ),
        }
        for axis in AXES
    ]


def named_in(axis: str, name: str) -> list[Any]:
    """Organisations that agreed to be named, of the scope."""
    rows = list(named_organisations())
    if axis == "hotline":
        return []
    return [row for row in rows if not axis or str(getattr(row, axis)).replace("|", "/") == name]


# --- Exports ------------------------------------------------------------------------------------------------------


def csv_file(edition: Any) -> HttpResponse:
    frozen = edition.frozen_at.isoformat() if edition.frozen_at else ""
    first = (edition.label, edition.revision, edition.as_of.isoformat(), frozen)
    rows = []
    for it in every_figure(edition=edition):
        m = MEASURES[it.metric]
        value = "" if it.value is None else it.value
        withheld = "yes" if it.withheld else ""
        rows.append((*first, it.metric, m.name, m.kind, unit_of(m), it.scope, it.part, value, withheld, m.definition))
    for state in action_states():
        for metric in ("signed", "in_progress", "done", "verified"):
            part, value = f"action:{state.action.key}", getattr(state, metric)
            name, when = f"Commitment {metric.replace('_', ' ')}", timezone.now().date().isoformat()
            rows.append(
                (*first[:2], when, "", f"commitments_{metric}", name, "level", "signatories", "", part, value, "",
                 state.action.text)
            )  # fmt: skip
    return csv_response(f"{file_name(edition)}.csv", HEAD, rows)


def unit_of(measure: Any) -> str:
    return "seconds" if measure.kind == "lag" else str(measure.unit)


def signed_json(edition: Any) -> HttpResponse:
    definitions = {
        metric: {"name": it.name, "kind": it.kind, "unit": unit_of(it), "definition": it.definition}
        for metric, it in MEASURES.items()
    }
    body = signed_statistics(edition=edition, definitions=definitions, commitments=action_states(), now=timezone.now())
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{file_name(edition)}.json"'
    return response


def file_name(edition: Any) -> str:
    return f"coalition-statistics-{edition.label}-r{edition.revision}"

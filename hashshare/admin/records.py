"""The stock admin over a table whose rows are a record: seen by role, never edited, changed only by deeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.deeds import Deed, Outcome
from hashshare.admin.desks import NAMES
from hashshare.admin.paging import BoundedPaginator
from hashshare.selectors.deeds import deeds_about
from hashshare.services.deeds import note_deed
from hashshare.wire.errors import HashshareError

if TYPE_CHECKING:
    StockAdmin = admin.ModelAdmin[Any]
else:
    StockAdmin = admin.ModelAdmin

MOST = 500
"""Lines of a row's history; the table of deeds has them all."""


class RecordAdmin(StockAdmin):
    """`organisation_paths` lead from a row to the organisations whose people see it; empty: operators alone."""

    organisation_paths: ClassVar[tuple[str, ...]] = ()
    empty_state: ClassVar[str] = "Nothing here yet."
    deeds: ClassVar[tuple[Deed, ...]] = ()
    table_deeds: ClassVar[tuple[Deed, ...]] = ()
    list_per_page = 50
    paginator = BoundedPaginator
    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    preserve_filters = False
    """Nothing is saved here that would lead back to the table, and each row's address would be looked up once more."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return roles.sees_table(request, self.organisation_paths)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return roles.rows_seen(request, super().get_queryset(request), self.organisation_paths)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(str(name) for name in self.fields or ())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only by the filters on the page: the stock rule lets an address ask any column of the table, digests too."""
        offered = {str(each[0]) if isinstance(each, tuple) else str(each) for each in self.list_filter}
        asked = lookup.split("__", 1)[0]
        return asked in {*offered, self.date_hierarchy} and super().lookup_allowed(lookup, value, request)

    # --- Pages

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        offered = self._offered(request, self.table_deeds, None, self._address)
        context = {**(extra_context or {}), "deeds": offered, "empty_state": self.empty_state}
        context["title"] = self._table_name()
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        offered = self._offered(request, self.deeds, row, self._address) if row else []
        context = {**(extra_context or {}), "deeds": offered, "shows_history": roles.is_operator(request)}
        context |= {"title": str(row), "subtitle": None, "table": self._table_name()}
        return super().change_view(request, object_id, form_url, context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Operators' reasons are for operators."""
        if not roles.is_operator(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        context = {**self._frame(request, row, f"History: {row}"), "history": deeds_about(row)[:MOST]}
        return TemplateResponse(request, "admin/history.html", {**context, **(extra_context or {})})

    # --- Deeds

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(f"do/{deed.slug}/", view(self._table_view(deed)), name=self._name(deed)) for deed in self.table_deeds
        ]
        own += [path(f"<path:pk>/do/{d.slug}/", view(self._row_view(d)), name=self._name(d)) for d in self.deeds]
        return [*own, *super().get_urls()]

    def _table_view(self, deed: Deed) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest) -> HttpResponse:
            return self._ask_or_do(request, deed, None)

        return view

    def _row_view(self, deed: Deed) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, pk: str) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            row = self.get_object(request, unquote(pk))
            if row is None:
                raise Http404
            return self._ask_or_do(request, deed, row)

        return view

    def _ask_or_do(self, request: HttpRequest, deed: Deed, row: Any) -> HttpResponse:
        if not deed.may(request, row):
            raise PermissionDenied
        if not deed.applies(row):
            if request.method == "POST" and (done := deed.repeated(row, request.POST, request.user)):
                return self._told(request, deed, row, Outcome(done))
            messages.warning(request, f"“{deed.label}” does not apply any more: the state has changed meanwhile.")
            return HttpResponseRedirect(self._back(row))
        form = deed.form(request.POST if request.method == "POST" else None, initial=deed.initial(row))
        deed.fit(form, row)
        if request.method == "POST" and form.is_valid():
            try:
                outcome = self._do(request, deed, row, form.cleaned_data)
            except HashshareError as error:
                if row is not None and (done := self._done_meanwhile(request, deed, row)):
                    return self._told(request, deed, row, Outcome(done))
                form.add_error(None, f"{error.message} {error.next_step}".strip())
            else:
                return self._told(request, deed, row, outcome)
        context = self._context(request, deed, row, form=form, consequence=deed.tells(request, row))
        return TemplateResponse(request, "admin/deed.html", context)

    def _done_meanwhile(self, request: HttpRequest, deed: Deed, row: Any) -> str:
        """By the first of two clicks, whose change was not there yet when this one was read."""
        row.refresh_from_db()
        return deed.repeated(row, request.POST, request.user)

    def _do(self, request: HttpRequest, deed: Deed, row: Any, data: dict[str, Any]) -> Outcome:
        """The change and its line in the history and in the log stand or fall together."""
        actor: Any = request.user
        note = partial(note_deed, person=actor, what=deed.label, reason=str(data.get("reason") or ""))
        with transaction.atomic():
            outcome = deed.perform(row, data, actor)
            note = partial(note, now=timezone.now())
            about = outcome.row or row or ""
            note(about=about, noted=outcome.noted)
            for other in outcome.ended:
                note(about=other, noted=f"With {about}.")
        return outcome

    def _told(self, request: HttpRequest, deed: Deed, row: Any, outcome: Outcome) -> HttpResponse:
        if outcome.secret:
            context = self._context(request, deed, row, outcome=outcome)
            return TemplateResponse(request, "admin/shown_once.html", context)
        messages.success(request, outcome.message)
        return HttpResponseRedirect(self._back(None if outcome.gone else row))

    def _context(self, request: HttpRequest, deed: Deed, row: Model | None, **more: Any) -> dict[str, Any]:
        title = f"{deed.label}: {row}" if row else deed.label
        return {**self._frame(request, row, title), "deed": deed, **more}

    def _frame(self, request: HttpRequest, row: Model | None, title: str) -> dict[str, Any]:
        """What the templates need to say where a page stands."""
        page = {
            "title": title,
            "opts": self.opts,
            "original": row,
            "back": self._back(row),
            "table": self._table_name(),
        }
        return {**self.admin_site.each_context(request), **page}

    def _table_name(self) -> str:
        """As the navigation says it."""
        return NAMES.get(self.opts.object_name or "", str(self.opts.verbose_name_plural).capitalize())

    def _offered(
        self, request: HttpRequest, deeds: Sequence[Deed], row: Any, address: Callable[[Deed, Any], str]
    ) -> list[dict[str, str]]:
        offered = [deed for deed in deeds if deed.may(request, row) and deed.applies(row)]
        offered.sort(key=lambda deed: deed.takes_away)
        first = next((deed for deed in offered if not deed.takes_away), None)
        looks = {deed.slug: "" if deed is first else "taking" if deed.takes_away else "quiet" for deed in offered}
        return [{"label": deed.label, "address": address(deed, row), "look": looks[deed.slug]} for deed in offered]

    def _address(self, deed: Deed, row: Any) -> str:
        return reverse(f"admin:{self._name(deed)}", args=[row.pk] if row else [])

    def _back(self, row: Model | None) -> str:
        table = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{table}_change", args=[row.pk]) if row else reverse(f"{table}_changelist")

    def _name(self, deed: Deed) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{deed.slug}"

"""Findings: what peers have to explain, with what proves it; an operator looks and says what came of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from federation.admin.second_clicks import sent_again
from federation.models import Finding
from federation.services.findings import settle_finding
from hashshare.admin.deeds import Deed, Outcome
from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site


class Settle(forms.Form):
    reason = forms.CharField(
        label="What came of it",
        max_length=500,
        help_text="What the peer's operator and the publishers said, and what you decided. Kept in the record.",
    )


def _settle(row: Finding, data: dict[str, Any], actor: Any) -> Outcome:
    settle_finding(finding=row, settlement=data["reason"], by=actor, now=timezone.now())
    return Outcome(_settled(row), ended=(row.peer,))


def _settled(row: Finding) -> str:
    return f"Settled: {row}."


def _consequence(row: Finding) -> str:
    return (
        f"It no longer stands on the overview. If {row.peer} still shows the same, it is found again. Nothing else "
        "changes: to trust the peer no longer, suspend it."
    )


@admin.register(Finding, site=site)
class FindingAdmin(RecordAdmin):
    empty_state = (
        "No peer has shown two histories of a log, or replaced a root in silence. They are watched every ten minutes."
    )
    list_display = ("found_at", "peer", "kind", "subject", "state_mark", "seen_at")
    list_filter = ("kind", ("peer", SeenFilter))
    list_select_related = ("peer",)
    search_fields = ("subject",)
    date_hierarchy = "found_at"
    fields = (
        "peer",
        "kind",
        "subject",
        "state_mark",
        "detail",
        "found_at",
        "seen_at",
        "evidence",
        "settled_at",
        "settled_by",
        "settlement",
    )
    deeds = (
        Deed(
            "settle",
            "Settle",
            _settle,
            _consequence,
            Settle,
            lambda row: row.settled_at is None,
            repeated=sent_again("Settle", _settled),
        ),
    )

    @admin.display(description="state", ordering="settled_at")
    def state_mark(self, row: Finding) -> SafeString:
        return mark("settled" if row.settled_at else "open")

    @admin.display(description="evidence")
    def evidence(self, row: Finding) -> SafeString:
        """Each document as it was; `manage.py findings export` writes them as files."""
        shown = [(document["name"], document["text"]) for document in row.documents]
        documents = format_html_join("", '<h3>{}</h3><pre tabindex="0">{}</pre>', shown)
        return format_html("{}<p>As files: <code>manage.py findings export {} FOLDER</code></p>", documents, row.pk)

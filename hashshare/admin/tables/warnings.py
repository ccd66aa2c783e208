"""Expiry warnings: who was told, when, that a signature nears its end."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from hashshare.admin import roles
from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import ExpiryWarning


@admin.register(ExpiryWarning, site=site)
class ExpiryWarningAdmin(RecordAdmin):
    organisation_paths = ("publisher__organisation",)
    empty_state = "When a signature nears its end, its hotline's people and the operators are mailed, once a step."
    list_display = ("sent_at", "subject", "version", "step", "expires_at", "audience", "recipients_count")
    list_filter = ("step", "audience", ("publisher", SeenFilter))
    date_hierarchy = "sent_at"
    fields = (
        "sent_at",
        "subject",
        "publisher",
        "role",
        "version",
        "step",
        "expires_at",
        "audience",
        "recipients_count",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExpiryWarning]:
        """What operators were told, and how many they are, is theirs to know."""
        rows = super().get_queryset(request)
        return rows if roles.is_operator(request) else rows.filter(audience=ExpiryWarning.Audience.ORGANISATION)

    @admin.display(description="mails", ordering="recipients")
    def recipients_count(self, row: ExpiryWarning) -> str:
        """0: nobody of that audience has an account here."""
        return number(row.recipients)

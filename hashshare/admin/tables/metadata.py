"""Accepted TUF metadata, as it was signed."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.filters import SeenFilter
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Metadata


@admin.register(Metadata, site=site)
class MetadataAdmin(RecordAdmin):
    organisation_paths = ("publisher__organisation",)
    empty_state = "Metadata appears here when a hotline's first commit is accepted."
    list_display = ("__str__", "publisher", "list", "version", "expires_at", "accepted_at")
    list_filter = (("publisher", SeenFilter),)
    list_select_related = ("publisher", "list__publisher")
    ordering = ("-accepted_at",)
    fields = ("publisher", "list", "role", "version", "sha256", "expires_at", "accepted_at", "signed_text")

    @admin.display(description="as signed")
    def signed_text(self, row: Metadata) -> str:
        return row.content.decode("utf-8", "replace")

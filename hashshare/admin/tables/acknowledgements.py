"""Acknowledgements: which version an organisation has stated, signed, to use. Receiver and publisher see theirs."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Acknowledgement


@admin.register(Acknowledgement, site=site)
class AcknowledgementAdmin(RecordAdmin):
    organisation_paths = ("organisation", "list__publisher__organisation")
    empty_state = "A member's `hashshare sync` acknowledges what it applied; others send a signed statement."
    list_display = ("received_at", "list", "version", "purged_count", "organisation")
    list_filter = (("list", SeenFilter), ("organisation", SeenFilter))
    list_select_related = ("list__publisher", "organisation")
    date_hierarchy = "received_at"
    sortable_by = ("received_at",)
    fields = (
        "received_at",
        "list",
        "version",
        "purged_count",
        "organisation",
        "manifest_digest",
        "key",
        "statement",
    )

    @admin.display(description="purged up to", ordering="purged")
    def purged_count(self, row: Acknowledgement) -> str:
        return number(row.purged)

"""Deliveries: which version of a list was served to whom and when. Both the receiver and the publisher see theirs."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Delivery


@admin.register(Delivery, site=site)
class DeliveryAdmin(RecordAdmin):
    organisation_paths = ("organisation", "list__publisher__organisation")
    empty_state = "A delivery is recorded each time the hub serves a list's manifest in full."
    list_display = ("at", "list", "version", "organisation", "acknowledged_count", "bytes_count")
    list_filter = (("list", SeenFilter), ("organisation", SeenFilter))
    list_select_related = ("list__publisher", "organisation")
    date_hierarchy = "at"
    sortable_by = ("at",)
    fields = ("at", "list", "version", "organisation", "acknowledged_count", "bytes_count", "manifest_digest", "key")

    @admin.display(description="acknowledged before", ordering="acknowledged")
    def acknowledged_count(self, row: Delivery) -> str:
        return number(row.acknowledged)

    @admin.display(description="bytes", ordering="bytes")
    def bytes_count(self, row: Delivery) -> str:
        return number(row.bytes)

"""Stored objects: names, digests and sizes of files. What is in them is not shown anywhere in the pages."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import StoredObject


@admin.register(StoredObject, site=site)
class StoredObjectAdmin(RecordAdmin):
    organisation_paths = ("list__publisher__organisation",)
    empty_state = "Objects appear here when a hotline uploads the segments of a release."
    list_display = ("name", "list", "bytes_count", "state_mark", "uploaded_at", "published_at", "superseded_at")
    list_filter = (("list", SeenFilter),)
    list_select_related = ("list__publisher",)
    ordering = ("-uploaded_at",)
    search_fields = ("digest", "name")
    fields = ("list", "name", "digest", "bytes_count", "state_mark", "uploaded_at", "published_at", "superseded_at")

    @admin.display(description="bytes", ordering="length")
    def bytes_count(self, row: StoredObject) -> str:
        return number(row.length)

    @admin.display(description="state")
    def state_mark(self, row: StoredObject) -> SafeString:
        if row.superseded_at is not None:
            return mark("superseded")
        return mark("published" if row.published_at is not None else "uploaded")

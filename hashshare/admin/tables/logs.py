"""The logs' state: how far each is sealed, what waits, what the public sees. Leaves and tiles have no page."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.marks import mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Log
from hashshare.selectors.logs import is_late, shown_checkpoint, with_waiting


@admin.register(Log, site=site)
class LogAdmin(RecordAdmin):
    organisation_paths = ("publisher__organisation",)
    empty_state = "A publisher's log begins with its first root; a worker seals it every minute."
    list_display = ("origin", "kind", "state_mark", "size_count", "waiting_count", "sealed_at", "public_size_count")
    list_filter = ("kind",)
    search_fields = ("origin",)
    fields = (
        "origin",
        "kind",
        "state_mark",
        "size_count",
        "waiting_count",
        "sealed_at",
        "checkpoint",
        "public_size_count",
        "published_at",
        "shown_checkpoint",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Log]:
        return with_waiting(super().get_queryset(request))

    @admin.display(description="state")
    def state_mark(self, row: Log) -> SafeString:
        return mark("late" if is_late(row, now=timezone.now()) else "sealed")

    @admin.display(description="leaves", ordering="size")
    def size_count(self, row: Log) -> str:
        return number(row.size)

    @admin.display(description="waiting")
    def waiting_count(self, row: Log) -> str:
        return number(getattr(row, "waiting", None))

    @admin.display(description="public checkpoint, cosigned")
    def shown_checkpoint(self, row: Log) -> str:
        return shown_checkpoint(row)

    @admin.display(description="leaves shown to the public", ordering="public_size")
    def public_size_count(self, row: Log) -> str:
        return number(row.public_size)

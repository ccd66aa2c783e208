"""Witnessing, for operators to see that it works: who cosigned our logs, what was cosigned here, what was read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from federation.models import Cosigning, WatchedLog, WitnessedLog
from federation.services.cosigning import RENEWED
from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import DASH, mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site


def _detail(trouble: Any) -> str:
    return str((trouble or {}).get("detail") or DASH)


@admin.register(Cosigning, site=site)
class CosigningAdmin(RecordAdmin):
    empty_state = "No witness was asked yet. Peers are, and those of HASHSHARE_WITNESSES, as checkpoints are shown."
    list_display = ("origin", "witness_name", "state_mark", "size_count", "cosigned_at", "asked_at", "trouble_text")
    search_fields = ("origin",)
    fields = ("origin", "witness", "state_mark", "size_count", "cosigned_at", "asked_at", "trouble_text", "checkpoint")

    @admin.display(description="witness", ordering="witness")
    def witness_name(self, row: Cosigning) -> str:
        return row.witness.partition("+")[0]

    @admin.display(description="state")
    def state_mark(self, row: Cosigning) -> SafeString:
        if row.cosigned_at is not None and timezone.now() - row.cosigned_at < 2 * RENEWED:
            return mark("up to date")
        return mark("late" if row.trouble else "waiting")

    @admin.display(description="leaves", ordering="size")
    def size_count(self, row: Cosigning) -> str:
        return number(row.size)

    @admin.display(description="trouble")
    def trouble_text(self, row: Cosigning) -> str:
        return _detail(row.trouble)


@admin.register(WatchedLog, site=site)
class WatchedLogAdmin(RecordAdmin):
    empty_state = "The logs of peers are read every ten minutes, and must extend what they were."
    list_display = ("origin", "peer", "size_count", "seen_at", "trouble_text")
    list_filter = (("peer", SeenFilter),)
    list_select_related = ("peer",)
    search_fields = ("origin",)
    fields = ("origin", "peer", "size_count", "seen_at", "trouble_text", "checkpoint")

    @admin.display(description="leaves", ordering="size")
    def size_count(self, row: WatchedLog) -> str:
        return number(row.size)

    @admin.display(description="trouble")
    def trouble_text(self, row: WatchedLog) -> str:
        return _detail(row.trouble)


@admin.register(WitnessedLog, site=site)
class WitnessedLogAdmin(RecordAdmin):
    empty_state = "No peer has asked this hub to cosign a log yet."
    list_display = ("origin", "peer", "size_count", "cosigned_at")
    list_filter = (("peer", SeenFilter),)
    list_select_related = ("peer",)
    search_fields = ("origin",)
    fields = ("origin", "peer", "size_count", "cosigned_at", "checkpoint", "disputed_at", "disputed")

    @admin.display(description="leaves", ordering="size")
    def size_count(self, row: WitnessedLog) -> str:
        return number(row.size)

"""Restorations: when this hub was brought back from a backup, and since when it is itself again."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.marks import mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Restoration


@admin.register(Restoration, site=site)
class RestorationAdmin(RecordAdmin):
    empty_state = "This hub was never restored from a backup."
    list_display = ("restored_at", "made_at", "state_mark", "recovered_at", "jump_count")
    fields = ("restored_at", "made_at", "backup", "state_mark", "recovered_at", "jump_count")

    @admin.display(description="state")
    def state_mark(self, row: Restoration) -> SafeString:
        return mark("done" if row.recovered_at else "read-only")

    @admin.display(description="versions raised by", ordering="jump")
    def jump_count(self, row: Restoration) -> str:
        return number(row.jump)

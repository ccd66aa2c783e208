"""Jobs: what the workers were told to do, how far they are, and why one failed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.marks import DASH, mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Job


@admin.register(Job, site=site)
class JobAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A job appears here when a hotline commits something that a worker must verify."
    list_display = ("created_at", "kind", "organisation", "state_mark", "progress", "attempts", "finished_at")
    list_filter = ("state", "kind")
    list_select_related = ("organisation",)
    fields = (
        "kind",
        "organisation",
        "state_mark",
        "progress",
        "attempts",
        "problem",
        "result",
        "task_id",
        "worker",
        "leased_until",
        "created_at",
        "started_at",
        "finished_at",
    )

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Job) -> SafeString:
        return mark(row.state)

    @admin.display(description="progress")
    def progress(self, row: Job) -> str:
        if not row.progress_total:
            return row.progress_message or DASH
        return f"{number(row.progress_done)} of {number(row.progress_total)} {row.progress_message}".rstrip()

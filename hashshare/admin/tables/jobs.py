"""Jobs: what the workers were told to do, how far they are, why one failed, and trying one again."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome
from hashshare.admin.marks import DASH, mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Job
from hashshare.services.retrying import is_ours, may_retry, retry_job


def _retry(row: Job, data: dict[str, Any], actor: Any) -> Outcome:
    retry_job(job=row, now=timezone.now())
    return Outcome(f"{row.get_kind_display()} is queued; a worker takes it when one is free.")


@admin.register(Job, site=site)
class JobAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A job appears here when a hotline commits something that a worker must verify."
    list_display = ("created_at", "kind", "organisation", "state_mark", "progress", "attempts", "finished_at")
    list_filter = ("state", "kind")
    sortable_by = ("created_at",)
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

    deeds = (
        Deed(
            "retry",
            "Try again",
            _retry,
            lambda row: (
                f"{row.get_kind_display()} of {row.organisation or 'this hub'} is begun anew, as if it had just come."
                if is_ours(row)
                else "The workers are told of it once more; the sweep does so by itself every half minute."
            ),
            applies=may_retry,
        ),
    )

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Job) -> SafeString:
        return mark(row.state)

    @admin.display(description="progress")
    def progress(self, row: Job) -> str | SafeString:
        if not row.progress_total:
            return row.progress_message or DASH
        words = f"{number(row.progress_done)} of {number(row.progress_total)} {row.progress_message}".rstrip()
        return format_html(
            '<progress value="{}" max="{}" aria-label="{}"></progress> {}',
            min(row.progress_done, row.progress_total),
            row.progress_total,
            f"Progress of {row}",
            words,
        )

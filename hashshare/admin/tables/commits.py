"""Commits: signed metadata as submitted, and what became of it."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import DASH, SHORT, mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Commit


@admin.register(Commit, site=site)
class CommitAdmin(RecordAdmin):
    organisation_paths = ("publisher__organisation",)
    empty_state = "A commit appears here when a hotline submits signed metadata."
    list_display = ("__str__", "list", "state_mark", "machine", "submitted_at", "decided_at")
    list_filter = ("state", ("publisher", SeenFilter))
    sortable_by = ("submitted_at",)
    list_select_related = ("publisher", "list__publisher", "submitted_by")
    fields = (
        "publisher",
        "list",
        "roles_named",
        "state_mark",
        "problem",
        "submitted_by",
        "submitted_at",
        "decided_at",
        "job",
    )

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Commit) -> SafeString:
        return mark(row.state)

    @admin.display(description="submitted by", ordering="submitted_by")
    def machine(self, row: Commit) -> str:
        """Its name; the row's own page has the fingerprint."""
        key = row.submitted_by
        return (key.name or f"{key.fingerprint[:SHORT]}\N{HORIZONTAL ELLIPSIS}") if key else DASH

    @admin.display(description="roles")
    def roles_named(self, row: Commit) -> str:
        return ", ".join(sorted(row.roles))

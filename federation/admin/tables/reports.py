"""How far peers have been told of the members here, and what they told of theirs: numbers, and nobody's name."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from federation.models import RemoteHub, ReportCursor
from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site


@admin.register(ReportCursor, site=site)
class ReportCursorAdmin(RecordAdmin):
    empty_state = "Nothing is told to any hub. Each list that is copied from a peer appears here with its first report."
    list_display = ("list", "peer", "state_mark", "taken", "taken_at")
    list_filter = (("peer", SeenFilter),)
    list_select_related = ("list__publisher", "peer")
    search_fields = ("list__slug", "list__publisher__domain")
    fields = ("list", "peer", "state_mark", "sequence", "taken", "taken_at", "trouble")

    @admin.display(description="state")
    def state_mark(self, row: ReportCursor) -> SafeString:
        if row.trouble:
            return mark("failed")
        return mark("waiting" if row.pending else "up to date")


@admin.register(RemoteHub, site=site)
class RemoteHubAdmin(RecordAdmin):
    """Not its members: those are for the hotline, on the pages of its withdrawals."""

    empty_state = "No hub has told of its members. Those that have a list from here do so by themselves."
    list_display = ("list", "__str__", "peer", "mode", "told_at")
    list_filter = ("mode", ("peer", SeenFilter))
    list_select_related = ("list__publisher", "peer")
    search_fields = ("list__slug", "list__publisher__domain")
    fields = ("list", "peer", "path", "mode", "told_at")

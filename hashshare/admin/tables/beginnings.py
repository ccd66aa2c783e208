"""New beginnings: which publishers were let begin anew under their own name, by whom and why, and what came of it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.marks import in_groups, mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.roles import is_operator
from hashshare.admin.site import site
from hashshare.models import Beginning

FIELDS: Final = (
    "publisher",
    "state_mark",
    "allowed_by",
    "reason",
    "allowed_at",
    "ends_at",
    "withdrawn_at",
    "begun_at",
    "root_before",
    "root_after",
)


@admin.register(Beginning, site=site)
class BeginningAdmin(RecordAdmin):
    """Its hotline sees it too: a door that it did not ask for must not stay hidden from it."""

    organisation_paths = ("publisher__organisation",)
    empty_state = "No publisher was ever let begin anew. An operator does so on the publisher's page."
    list_display = ("publisher", "state_mark", "allowed_by", "allowed_at", "ends_at", "begun_at")
    list_select_related = ("publisher",)
    fields = FIELDS

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Operators' reasons are for operators."""
        shown = FIELDS
        return shown if is_operator(request) else tuple(name for name in shown if name != "reason")

    @admin.display(description="state")
    def state_mark(self, row: Beginning) -> SafeString:
        if row.begun_at is not None:
            return mark("begun anew")
        if row.withdrawn_at is not None:
            return mark("withdrawn")
        return mark("allowed" if row.ends_at > timezone.now() else "expired")

    @admin.display(description="root before")
    def root_before(self, row: Beginning) -> str:
        return in_groups(row.before)

    @admin.display(description="root after")
    def root_after(self, row: Beginning) -> str:
        return in_groups(row.after) or "none yet"

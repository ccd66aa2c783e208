"""Keys that the hub keeps for hosted lists: which, since when, and what hands over what they sign."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import HostedKey


@admin.register(HostedKey, site=site)
class HostedKeyAdmin(RecordAdmin):
    organisation_paths = ("list__publisher__organisation",)
    empty_state = "A key appears here when a hotline asks for one: `hashshare publisher list create --hosted`."
    list_display = ("keyid", "list", "number", "state_mark", "accepted_at", "retired_at")
    list_select_related = ("list__publisher",)
    fields = ("keyid", "list", "number", "hand", "state_mark", "created_at", "accepted_at", "retired_at")

    @admin.display(description="state", ordering="retired_at")
    def state_mark(self, row: HostedKey) -> SafeString:
        if row.retired_at is not None:
            return mark("ended")
        return mark("active" if row.accepted_at is not None else "offered")

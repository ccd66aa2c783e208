"""Invitations that were given out. The codes themselves are kept nowhere."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.filters import UsedFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Invitation


@admin.register(Invitation, site=site)
class InvitationAdmin(RecordAdmin):
    empty_state = "Invitations are made from an organisation's page, or with `manage.py invite` and `invite-person`."
    list_display = ("__str__", "kind", "email", "role", "state_mark", "created_at", "expires_at", "used_at")
    list_filter = ("kind", ("used_at", UsedFilter))
    list_select_related = ("organisation",)
    fields = (
        "kind",
        "organisation",
        "role",
        "email",
        "key_name",
        "holder",
        "made_with",
        "state_mark",
        "created_at",
        "expires_at",
        "used_at",
        "used_by",
    )

    @admin.display(description="state", ordering="expires_at")
    def state_mark(self, row: Invitation) -> SafeString:
        if row.used_at is not None:
            return mark("used")
        return mark("expired" if row.expires_at <= timezone.now() else "open")

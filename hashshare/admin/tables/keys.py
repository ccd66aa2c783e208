"""Organisations' machine keys, and revoking one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.filters import RevokedFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import OrganisationKey
from hashshare.services.keys import revoke_key


def _revoke(row: OrganisationKey, data: dict[str, Any], actor: Any) -> Outcome:
    revoke_key(organisation=row.organisation, fingerprint=row.fingerprint, now=timezone.now())
    return Outcome(f"{row.fingerprint} is revoked.")


@admin.register(OrganisationKey, site=site)
class OrganisationKeyAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A key appears here when an organisation enrols with its invitation code."
    list_display = ("fingerprint", "name", "organisation", "state_mark", "last_seen_at", "clock_skew_seconds")
    list_filter = (("revoked_at", RevokedFilter),)
    list_select_related = ("organisation",)
    search_fields = ("fingerprint", "name")
    fields = (
        "fingerprint",
        "name",
        "organisation",
        "state_mark",
        "created_at",
        "not_after",
        "revoked_at",
        "last_seen_at",
        "clock_skew_seconds",
    )
    deeds = (
        Deed(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: (
                f"Requests signed with {row} are refused from now on, for good. {row.organisation} needs "
                "another key, or a new invitation, to go on."
            ),
            Reason,
            lambda row: row.revoked_at is None,
        ),
    )

    @admin.display(description="state", ordering="revoked_at")
    def state_mark(self, row: OrganisationKey) -> SafeString:
        if row.revoked_at is not None:
            return mark("revoked")
        return mark("expired" if row.not_after is not None and row.not_after <= timezone.now() else "active")

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


def _revoke_stolen(row: OrganisationKey, data: dict[str, Any], actor: Any) -> Outcome:
    ended = revoke_key(organisation=row.organisation, fingerprint=row.fingerprint, now=timezone.now(), introduced=True)
    noted = f"with it: {', '.join(key.fingerprint for key in ended)}" if ended else ""
    message = f"{row.fingerprint} is revoked, {len(ended)} keys that it had brought, and what all of them had made."
    return Outcome(message, noted=noted, ended=ended)


def _left(row: OrganisationKey) -> str:
    """What the organisation can go on with, and what the key had brought: after a theft nobody knows who did."""
    others = OrganisationKey.objects.in_force(timezone.now()).filter(organisation=row.organisation).exclude(pk=row.pk)
    brought = others.filter(introduced_by=row)
    words = f"{row.organisation} goes on with {len(others)} {'other key' if len(others) == 1 else 'other keys'}."
    if not others:
        words = f"It is the last one in force: {row.organisation} needs a new invitation to go on."
    if brought:
        words += f" It had introduced {', '.join(map(str, brought))}: if it was stolen, revoke it as stolen."
    return words


@admin.register(OrganisationKey, site=site)
class OrganisationKeyAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A key appears here when an organisation enrols with its invitation code."
    list_display = ("fingerprint", "name", "organisation", "holder", "state_mark", "not_after", "last_seen_at")
    list_filter = (("revoked_at", RevokedFilter),)
    list_select_related = ("organisation", "holder")
    search_fields = ("fingerprint", "name")
    fields = (
        "fingerprint",
        "name",
        "organisation",
        "holder",
        "introduced_by",
        "state_mark",
        "created_at",
        "not_before",
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
                f"Requests signed with {row} are refused from now on, for good, and one-time codes that it made are "
                f"void. {_left(row)}"
            ),
            Reason,
            lambda row: row.revoked_at is None,
        ),
        Deed(
            "revoke-stolen",
            "Revoke as stolen",
            _revoke_stolen,
            lambda row: (
                f"{row} and every key that it brought, or that those brought, are refused from now on, with the access "
                f"keys and one-time codes made with any of them: after a theft nobody knows who made them. {_left(row)}"
            ),
            Reason,
        ),
    )

    @admin.display(description="state", ordering="revoked_at")
    def state_mark(self, row: OrganisationKey) -> SafeString:
        return mark(row.state_at(timezone.now()))

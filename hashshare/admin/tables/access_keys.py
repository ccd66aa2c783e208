"""Read-only access keys: an organisation's engineers make and revoke them. They are kept as digests, not shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin import roles
from hashshare.admin.deeds import Deed, OneTime, Outcome, Reason, acting_for
from hashshare.admin.filters import RevokedFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import AccessKey
from hashshare.selectors.callers import caller_of_person
from hashshare.services.access_keys import MAX_DAYS, create_access_key, revoke_access_key


class NewAccessKey(OneTime):
    name = forms.CharField(max_length=200, help_text="What will use it, such as curl on sync-02.")
    days = forms.IntegerField(label="Days", min_value=1, max_value=MAX_DAYS, initial=90, help_text="Until it ends.")


def _make(row: None, data: dict[str, Any], actor: Any) -> Outcome:
    caller, now = caller_of_person(actor), timezone.now()
    made, text = create_access_key(caller=caller, name=data["name"], days=data["days"], form=data["form"], now=now)
    return Outcome(f"{made} reads what your organisation may read, until {made.expires_at:%Y-%m-%d}:", text, made)


def _may_revoke(request: HttpRequest, row: AccessKey) -> bool:
    return roles.is_operator(request) or roles.keeps_keys(request, row)


def _revoke(row: AccessKey, data: dict[str, Any], actor: Any) -> Outcome:
    caller = acting_for(row.organisation, actor)
    revoke_access_key(caller=caller, access_key_id=row.pk, now=timezone.now())
    return Outcome(f"{row} is revoked.")


@admin.register(AccessKey, site=site)
class AccessKeyAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = (
        "Engineers make access keys here for their organisation, or with a signed request to `/api/v1/access-keys`."
    )
    list_display = ("name", "prefix", "organisation", "state_mark", "expires_at", "last_seen_at")
    list_filter = (("revoked_at", RevokedFilter),)
    list_select_related = ("organisation",)
    search_fields = ("name", "prefix")
    fields = (
        "name",
        "prefix",
        "organisation",
        "made_by",
        "state_mark",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_seen_at",
    )
    table_deeds = (
        Deed(
            "make",
            "Make an access key",
            _make,
            lambda _: "Whoever has it reads your lists by it. It changes nothing, and ends when you leave.",
            NewAccessKey,
            may=roles.keeps_keys,
        ),
    )
    deeds = (
        Deed(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: f"Whatever {row.organisation} runs with {row} is refused from now on, for good.",
            Reason,
            lambda row: row.revoked_at is None,
            _may_revoke,
        ),
    )

    @admin.display(description="state", ordering="revoked_at")
    def state_mark(self, row: AccessKey) -> SafeString:
        if row.revoked_at is not None:
            return mark("revoked")
        return mark("expired" if row.expires_at <= timezone.now() else "active")

"""Read-only access keys, and revoking one. The keys themselves are kept only as digests, which are not shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome, Reason, acting_for
from hashshare.admin.filters import RevokedFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import AccessKey
from hashshare.services.access_keys import revoke_access_key


def _revoke(row: AccessKey, data: dict[str, Any], actor: Any) -> Outcome:
    caller = acting_for(row.organisation, actor)
    revoke_access_key(caller=caller, access_key_id=row.pk, now=timezone.now())
    return Outcome(f"{row} is revoked.")


@admin.register(AccessKey, site=site)
class AccessKeyAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "Organisations make access keys themselves, with a signed request to `/api/v1/access-keys`."
    list_display = ("name", "prefix", "organisation", "state_mark", "expires_at", "last_seen_at")
    list_filter = (("revoked_at", RevokedFilter),)
    list_select_related = ("organisation",)
    search_fields = ("name", "prefix")
    fields = ("name", "prefix", "organisation", "state_mark", "created_at", "expires_at", "revoked_at", "last_seen_at")
    deeds = (
        Deed(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: f"Whatever {row.organisation} runs with {row} is refused from now on, for good.",
            Reason,
            lambda row: row.revoked_at is None,
        ),
    )

    @admin.display(description="state", ordering="revoked_at")
    def state_mark(self, row: AccessKey) -> SafeString:
        if row.revoked_at is not None:
            return mark("revoked")
        return mark("expired" if row.expires_at <= timezone.now() else "active")

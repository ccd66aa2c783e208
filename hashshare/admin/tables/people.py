"""People with an account, and closing one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Person
from hashshare.services.people import deactivate_person
from hashshare.wire.errors import Conflict


def _close(row: Person, data: dict[str, Any], actor: Any) -> Outcome:
    if row.pk == actor.pk:
        raise Conflict("You cannot close your own account.", next_step="Another operator can.")
    deactivate_person(person=row)
    return Outcome(f"The account of {row} is closed.")


@admin.register(Person, site=site)
class PersonAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "People appear here when they set a password with the link they were sent."
    list_display = ("email", "name", "organisation", "role", "state_mark", "last_login")
    list_filter = ("role", "is_active")
    list_select_related = ("organisation",)
    search_fields = ("email", "name")
    fields = ("email", "name", "organisation", "role", "state_mark", "last_login", "created_at")
    deeds = (
        Deed(
            "close",
            "Close the account",
            _close,
            lambda row: f"{row} is signed out everywhere and cannot sign in again. The record stays.",
            Reason,
            lambda row: row.is_active,
        ),
    )

    @admin.display(description="account", ordering="is_active")
    def state_mark(self, row: Person) -> SafeString:
        return mark("active" if row.is_active else "closed")

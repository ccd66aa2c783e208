"""What people did on these pages or at the hub's machine, and why. Written with each deed, never changed."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Deed
from hashshare.selectors.deeds import standing


@admin.register(Deed, site=site)
class DeedAdmin(RecordAdmin):
    """People of an organisation see what its own people did, not what operators did to it."""

    organisation_paths = ("organisation",)
    empty_state = "Each deed of a person is noted here, with its reason, and hidden in the hub's public log."
    list_display = ("at", "who", "role", "organisation", "what", "about", "reason")
    list_filter = ("role", ("person", SeenFilter))
    list_select_related = ("person", "organisation")
    search_fields = ("what", "about")
    date_hierarchy = "at"
    fields = ("at", "who", "role", "organisation", "what", "about", "noted", "reason", "log_mark")

    @admin.display(description="who", ordering="person__email")
    def who(self, row: Deed) -> str:
        return row.person.email if row.person else "at the hub's machine"

    @admin.display(description="in the log", empty_value="unlogged")
    def log_mark(self, row: Deed) -> SafeString:
        return mark(standing(row))

"""Reminders: which member was told, when, that a withdrawal is overdue there."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Reminder


@admin.register(Reminder, site=site)
class ReminderAdmin(RecordAdmin):
    organisation_paths = ("organisation", "release__list__publisher__organisation")
    empty_state = "A member that has not applied a withdrawal by the list's deadline is reminded once, by mail."
    list_display = ("sent_at", "release", "organisation", "recipients_count")
    list_filter = (("organisation", SeenFilter),)
    list_select_related = ("release__list__publisher", "organisation")
    date_hierarchy = "sent_at"
    fields = ("sent_at", "release", "organisation", "recipients_count")

    @admin.display(description="mails", ordering="recipients")
    def recipients_count(self, row: Reminder) -> str:
        """0: nobody of that organisation has an account here."""
        return number(row.recipients)

"""What people did on these pages, and why. Written with each deed, never changed."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site


@admin.register(LogEntry, site=site)
class LogEntryAdmin(RecordAdmin):
    empty_state = "Each deed of a person on these pages is noted here, with its reason."
    list_display = ("action_time", "user", "content_type", "object_repr", "change_message")
    list_filter = (("user", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("user", "content_type")
    date_hierarchy = "action_time"
    fields = ("action_time", "user", "content_type", "object_repr", "change_message")

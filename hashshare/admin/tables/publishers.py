"""Publishers: hotlines' domain names and the fingerprints that members pin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from hashshare.admin.marks import in_groups, mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Publisher
from hashshare.selectors.hub import publisher_state, with_roots


@admin.register(Publisher, site=site)
class PublisherAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A publisher is made when a hotline is invited with its domain, or from the hotline's page."
    list_display = ("domain", "organisation", "state_mark", "fingerprint", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("domain",)
    fields = ("domain", "organisation", "state_mark", "fingerprint", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Publisher]:
        return with_roots(super().get_queryset(request))

    @admin.display(description="state")
    def state_mark(self, row: Publisher) -> SafeString:
        """Whether the hub may sign for it, and its root names the keys that the hub has."""
        return mark(publisher_state(row))

    @admin.display(description="root fingerprint")
    def fingerprint(self, row: Publisher) -> str:
        return in_groups(row.root_fingerprint) or "no root committed yet"

"""Publishers: hotlines' domain names and the fingerprints that members pin."""

from __future__ import annotations

from django.contrib import admin

from hashshare.admin.marks import in_groups
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Publisher


@admin.register(Publisher, site=site)
class PublisherAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A publisher is made when a hotline is invited with its domain, or from the hotline's page."
    list_display = ("domain", "organisation", "fingerprint", "created_at")
    list_select_related = ("organisation",)
    search_fields = ("domain",)
    fields = ("domain", "organisation", "fingerprint", "created_at")

    @admin.display(description="root fingerprint")
    def fingerprint(self, row: Publisher) -> str:
        return in_groups(row.root_fingerprint) or "no root committed yet"

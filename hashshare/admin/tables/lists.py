"""Hash lists as their publishers declared them. Entries are never rows, so none can be shown."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from hashshare.admin.marks import mark, yes_or_no
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import HashList


@admin.register(HashList, site=site)
class HashListAdmin(RecordAdmin):
    organisation_paths = ("publisher__organisation",)
    empty_state = "A hotline makes its lists itself: `hashshare publisher list create`."
    list_display = ("name", "title", "hashes", "visibility", "state_mark", "version")
    list_filter = ("state", "visibility")
    list_select_related = ("publisher",)
    search_fields = ("slug", "title", "publisher__domain", "tuf_id")
    fields = (
        "name",
        "tuf_id",
        "title",
        "description",
        "state_mark",
        "version",
        "role_version",
        "hashes",
        "scheme",
        "columns",
        "visibility",
        "hosted_word",
        "redistribution",
        "poll_seconds",
        "deadline_hours",
        "terms",
        "terms_digest",
    )

    @admin.display(description="hashes (the first is the key)")
    def hashes(self, row: HashList) -> str:
        return ", ".join(row.algorithms)

    @admin.display(description="hosted")
    def hosted_word(self, row: HashList) -> str:
        return yes_or_no(row.hosted)

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: HashList) -> SafeString:
        return mark(row.state)

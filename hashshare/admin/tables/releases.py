"""Releases: each content version that was committed, published or rejected with its reasons."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import DASH, mark, number, yes_or_no
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Release


@admin.register(Release, site=site)
class ReleaseAdmin(RecordAdmin):
    organisation_paths = ("list__publisher__organisation",)
    empty_state = "A release appears here when a hotline publishes: `hashshare publish`."
    list_display = (
        "list",
        "version",
        "state_mark",
        "entries_count",
        "upserts_count",
        "withdrawals_count",
        "published_at",
    )
    list_filter = ("state", ("list", SeenFilter))
    list_select_related = ("list__publisher",)
    ordering = ("-created_at",)
    sortable_by = ("published_at",)
    date_hierarchy = "created_at"
    fields = (
        "list",
        "version",
        "role_version",
        "state_mark",
        "entries_count",
        "upserts_count",
        "withdrawals_count",
        "reasons_given",
        "weakened",
        "major_word",
        "reasons",
        "manifest_digest",
        "commit",
        "created_at",
        "published_at",
        "received",
    )

    @admin.display(description="who has it")
    def received(self, row: Release) -> str:
        if row.state != Release.State.PUBLISHED:
            return DASH
        address = reverse("admin:release", args=[row.pk])
        return format_html('<a href="{}">Who signed it, and which members have pulled and applied it</a>', address)

    @admin.display(description="withdrawal reasons")
    def reasons_given(self, row: Release) -> str:
        return ", ".join(f"{word} {count:,}" for word, count in sorted(row.withdrawal_reasons.items())) or DASH

    @admin.display(description="major")
    def major_word(self, row: Release) -> str:
        return yes_or_no(row.major)

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Release) -> SafeString:
        return mark(row.state)

    @admin.display(description="entries", ordering="entries")
    def entries_count(self, row: Release) -> str:
        return number(row.entries)

    @admin.display(description="added or changed", ordering="upserts")
    def upserts_count(self, row: Release) -> str:
        return number(row.upserts)

    @admin.display(description="withdrawn", ordering="withdrawals")
    def withdrawals_count(self, row: Release) -> str:
        return number(row.withdrawals)

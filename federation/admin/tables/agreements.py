"""Agreements: what crosses to which peer, and from which. They are made on the peer's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from federation.admin.second_clicks import sent_again
from federation.models import Agreement
from federation.services.agreements import end_agreement
from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.filters import SeenFilter
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site


def _end(row: Agreement, data: dict[str, Any], actor: Any) -> Outcome:
    subject = {"direction": row.direction, "publisher": row.publisher, "slug": row.slug}
    end_agreement(peer=row.peer.name, **subject, seen=row.pk, now=timezone.now())
    return Outcome(_ended(row), ended=(row.peer,))


def _ended(row: Agreement) -> str:
    return f"Ended: {row}."


@admin.register(Agreement, site=site)
class AgreementAdmin(RecordAdmin):
    empty_state = "Nothing is agreed with any hub. Two operators agree on the page of the peer: Agree on what crosses."
    list_display = ("peer", "direction", "publisher", "list_name", "state_mark", "evidence", "until", "created_at")
    list_filter = ("direction", ("peer", SeenFilter))
    list_select_related = ("peer",)
    search_fields = ("publisher",)
    fields = (
        "peer",
        "direction",
        "publisher",
        "list_name",
        "state_mark",
        "evidence",
        "until",
        "created_at",
        "ended_at",
    )
    deeds = (
        Deed(
            "end",
            "End",
            _end,
            lambda row: (
                f"Nothing of {row.publisher} crosses by it from now on, withdrawals included; what crossed before "
                "stays where it is. Tell the operator of the other hub."
            ),
            Reason,
            lambda row: row.ended_at is None,
            repeated=sent_again("End", _ended),
        ),
    )

    @admin.display(description="list", ordering="slug")
    def list_name(self, row: Agreement) -> str:
        return row.slug or "all lists"

    @admin.display(description="state")
    def state_mark(self, row: Agreement) -> SafeString:
        if row.ended_at is not None:
            return mark("ended")
        return mark("active" if row.in_force(timezone.now()) else "expired")

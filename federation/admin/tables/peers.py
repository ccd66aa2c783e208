"""Peers: other hubs, and what an operator does about them, from the introduction to the end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from federation.admin import peer_deeds
from federation.models import MirroredList, Peer
from federation.selectors.agreements import agreements_with
from federation.selectors.descriptors import own_descriptor
from federation.selectors.mirrors import trouble_of
from federation.selectors.peers import PeerState, mirrored_lists, state_of, with_lag
from hashshare.admin.marks import DASH, duration, mark, number
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.wire.fingerprints import spoken_lines


@admin.register(Peer, site=site)
class PeerAdmin(RecordAdmin):
    empty_state = (
        "No other hub is known here. Introduce one by its address, with the button above or manage.py peer introduce; "
        "its operator does the same with this hub's."
    )
    change_list_template = "federation/peers.html"
    change_form_template = "federation/peer.html"
    list_display = (
        "name",
        "title",
        "country",
        "state_mark",
        "reached_at",
        "list_count",
        "behind_count",
        "lag",
        "trouble_text",
    )
    list_filter = ("state", "country")
    search_fields = ("name", "title")
    fields = (
        "state_mark",
        "trouble_text",
        "title",
        "country",
        "address",
        "introduced_at",
        "accepted_at",
        "reached_at",
        "polled_at",
        "lag",
        "storage_hosts",
        "organisation_page",
    )
    table_deeds = (peer_deeds.INTRODUCE,)
    deeds = peer_deeds.OF_A_PEER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Peer]:
        return with_lag(super().get_queryset(request))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        own = own_descriptor(now=timezone.now())
        told = {"own": own, "own_lines": spoken_lines(own.fingerprint)}
        return super().changelist_view(request, {**(extra_context or {}), **told})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        told = _told(row) if row else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def _state(self, row: Peer) -> PeerState:
        return state_of(row, now=timezone.now())

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Peer) -> SafeString:
        return mark(self._state(row).state)

    @admin.display(description="lists")
    def list_count(self, row: Peer) -> str:
        return number(self._state(row).lists)

    @admin.display(description="behind")
    def behind_count(self, row: Peer) -> str:
        return number(self._state(row).behind)

    @admin.display(description="lag")
    def lag(self, row: Peer) -> str:
        return duration(self._state(row).lag(timezone.now()))

    @admin.display(description="trouble")
    def trouble_text(self, row: Peer) -> str:
        return self._state(row).trouble or DASH

    @admin.display(description="address")
    def address(self, row: Peer) -> str:
        return row.url

    @admin.display(description="storage")
    def storage_hosts(self, row: Peer) -> str:
        return ", ".join(row.storage) or "its own address alone"

    @admin.display(description="acts here as")
    def organisation_page(self, row: Peer) -> str:
        return f"{row.organisation} (organisation of kind hub)" if row.organisation else "nobody yet"


def _told(row: Peer) -> dict[str, Any]:
    """What the page shows below the facts."""
    now = timezone.now()
    return {
        "lines": spoken_lines(row.fingerprint),
        "differs": spoken_lines(row.differs["fingerprint"]) if row.differs else (),
        "to_compare": row.state == Peer.State.INTRODUCED,
        "agreements": [
            {
                "it": each,
                "in_force": each.in_force(now),
                "end": reverse("admin:federation_agreement_end", args=[each.pk]),
                "address": reverse("admin:federation_agreement_change", args=[each.pk]),
            }
            for each in agreements_with(peer=row)[:MOST]
        ],
        "mirrored": [_copied(each, now) for each in mirrored_lists(peer=row)[:MOST]],
    }


MOST = 200
"""Rows of each table on a peer's page; the tables of the navigation have them all."""


def _copied(each: MirroredList, now: datetime) -> tuple[MirroredList, float | None, str]:
    """A list, for how many seconds it is behind, and why."""
    behind = (now - each.behind_since).total_seconds() if each.behind_since else None
    return each, behind, str((trouble_of(each) or {}).get("detail", ""))

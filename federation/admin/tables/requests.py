"""Requests from other hubs: what their members ask for of lists that are at home here. The hotline's analysts decide,
or an operator in their place; the other hub learns it when it next asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from federation.admin.second_clicks import sent_again
from federation.models import MemberRequest
from federation.services.onward import decide_member_request, request_standing
from hashshare.admin import roles
from hashshare.admin.deeds import Deed, Outcome, acting_for
from hashshare.admin.filters import SeenFilter
from hashshare.admin.granting import Decision, Grant
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site


def _decide(row: MemberRequest, decision: str, data: dict[str, Any], actor: Any) -> Outcome:
    publisher = row.list.publisher
    decided = decide_member_request(
        caller=acting_for(publisher.organisation, actor),
        domain=publisher.domain,
        slug=row.list.slug,
        hub=row.hub.peer.name,
        organisation=row.slug,
        decision=decision,
        until=data.get("until"),
        reason=data["reason"],
        seen=data["seen"],
        now=timezone.now(),
    )
    return Outcome(_told(decided))


def _told(row: MemberRequest) -> str:
    return f"{row}: {row.state}. {row.hub} learns it within a minute or two."


def _done(label: str) -> Callable[[MemberRequest, Mapping[str, Any], Any], str]:
    """For the second of two clicks. A grant until another day is none."""
    again = sent_again(label, _told)

    def told(row: MemberRequest, posted: Mapping[str, Any], actor: Any) -> str:
        until = row.ends_at.date().isoformat() if row.ends_at else ""
        return again(row, posted, actor) if label != "Grant" or posted.get("until") == until else ""

    return told


def _grant(row: MemberRequest, data: dict[str, Any], actor: Any) -> Outcome:
    return _decide(row, "grant", data, actor)


def _deny(row: MemberRequest, data: dict[str, Any], actor: Any) -> Outcome:
    return _decide(row, "deny", data, actor)


def _revoke(row: MemberRequest, data: dict[str, Any], actor: Any) -> Outcome:
    return _decide(row, "revoke", data, actor)


def _as_it_stands(row: MemberRequest) -> dict[str, Any]:
    return {"seen": request_standing(row)}


def _instead_of(row: MemberRequest) -> str:
    return f"This is the decision of {row.list.publisher.organisation}; an operator takes it in its place."


@admin.register(MemberRequest, site=site)
class MemberRequestAdmin(RecordAdmin):
    organisation_paths = ("list__publisher__organisation",)
    empty_state = (
        "What a member of another hub asks for of your lists appears here, once that hub receives the list and you "
        "decide on each of its members (page Other hubs)."
    )
    list_display = ("list", "name", "hub", "country", "kind", "state_mark", "requested_at", "ends_at")
    list_filter = ("state", ("hub", SeenFilter), ("list", SeenFilter))
    list_select_related = ("list__publisher__organisation", "hub__peer")
    ordering = ("-requested_at",)
    fields = (
        "list",
        "hub",
        "name",
        "slug",
        "country",
        "sector",
        "kind",
        "state_mark",
        "suspended",
        "requested_at",
        "received_at",
        "terms_digest",
        "decided_at",
        "ends_at",
        "reason",
    )
    deeds = (
        Deed(
            "grant",
            "Grant",
            _grant,
            lambda row: f"{row.name} may fetch {row.list} at {row.hub} until the day you name.",
            Grant,
            lambda row: row.state in {"requested", "active"},
            roles.decides_on_subscription,
            _instead_of,
            _as_it_stands,
            repeated=_done("Grant"),
        ),
        Deed(
            "deny",
            "Deny",
            _deny,
            lambda row: f"{row.name} does not get {row.list} at {row.hub}; it may ask again.",
            Decision,
            lambda row: row.state == "requested",
            roles.decides_on_subscription,
            _instead_of,
            _as_it_stands,
            repeated=_done("Deny"),
        ),
        Deed(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: f"{row.name} can fetch nothing more of {row.list} at {row.hub}, withdrawals included.",
            Decision,
            lambda row: row.state == "active",
            roles.decides_on_subscription,
            _instead_of,
            _as_it_stands,
            repeated=_done("Revoke"),
        ),
    )

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: MemberRequest) -> SafeString:
        return mark(row.state)

"""Subscriptions: who may receive which list, since when and until when. The hotline's analysts decide, or an operator
in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin import roles
from hashshare.admin.deeds import Deed, Outcome, acting_for
from hashshare.admin.filters import SeenFilter
from hashshare.admin.granting import Decision, Grant
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Subscription
from hashshare.selectors.deeds import decided_by
from hashshare.selectors.redistribution import decided_at, decided_by_this_hub
from hashshare.services.subscriptions import decide_subscription, standing_of, stands_as


def _decide(row: Subscription, decision: str, data: dict[str, Any], actor: Any) -> Outcome:
    publisher = row.list.publisher
    decided = decide_subscription(
        caller=acting_for(publisher.organisation, actor),
        domain=publisher.domain,
        slug=row.list.slug,
        organisation=row.organisation.slug,
        decision=decision,
        until=data.get("until"),
        reason=data["reason"],
        seen=data["seen"],
        now=timezone.now(),
    )
    return Outcome(_told(decided))


def _told(row: Subscription) -> str:
    return f"{row}: {row.state}."


def _done(decision: str) -> Callable[[Subscription, Mapping[str, Any], Any], str]:
    """For the second of two clicks: what the first did, where the same form came from the same person."""

    def told(row: Subscription, posted: Mapping[str, Any], actor: Any) -> str:
        form = (Grant if decision == "grant" else Decision)(posted)
        if not form.is_valid() or form.cleaned_data["seen"] == standing_of(row):
            return ""
        said = form.cleaned_data
        same = stands_as(row, decision=decision, until=said.get("until"), reason=said["reason"])
        return _told(row) if same and decided_by(row) == str(actor) else ""

    return told


def _grant(row: Subscription, data: dict[str, Any], actor: Any) -> Outcome:
    return _decide(row, "grant", data, actor)


def _deny(row: Subscription, data: dict[str, Any], actor: Any) -> Outcome:
    return _decide(row, "deny", data, actor)


def _revoke(row: Subscription, data: dict[str, Any], actor: Any) -> Outcome:
    return _decide(row, "revoke", data, actor)


def _as_it_stands(row: Subscription) -> dict[str, Any]:
    return {"seen": standing_of(row)}


def _instead_of(row: Subscription) -> str:
    if decided_by_this_hub(row.list):
        return ""
    return f"This is the decision of {row.list.publisher.organisation}; an operator takes it in its place."


def _is_ours(row: Subscription) -> bool:
    """Not of a list whose publisher decides at another hub."""
    return not decided_at(row.list)


@admin.register(Subscription, site=site)
class SubscriptionAdmin(RecordAdmin):
    organisation_paths = ("organisation", "list__publisher__organisation")
    empty_state = "A subscription appears here when a member asks for a list: `hashshare subscribe`."
    list_display = ("list", "organisation", "state_mark", "requested_at", "decided_at", "ends_at")
    list_filter = ("state", ("list", SeenFilter))
    list_select_related = ("list__publisher__organisation", "organisation")
    ordering = ("-requested_at",)
    fields = (
        "list",
        "organisation",
        "state_mark",
        "requested_at",
        "terms_digest",
        "terms_accepted_at",
        "decided_at",
        "ends_at",
        "closed_at",
        "reason",
    )
    deeds = (
        Deed(
            "grant",
            "Grant",
            _grant,
            lambda row: f"{row.organisation} may fetch {row.list} until the day you name.",
            Grant,
            lambda row: row.state in {"requested", "active"} and _is_ours(row),
            roles.decides_on_subscription,
            _instead_of,
            _as_it_stands,
            repeated=_done("grant"),
        ),
        Deed(
            "deny",
            "Deny",
            _deny,
            lambda row: f"{row.organisation} does not get {row.list}; it may ask again.",
            Decision,
            lambda row: row.state == "requested" and _is_ours(row),
            roles.decides_on_subscription,
            _instead_of,
            _as_it_stands,
            repeated=_done("deny"),
        ),
        Deed(
            "revoke",
            "Revoke",
            _revoke,
            lambda row: f"{row.organisation} can fetch nothing more of {row.list}, withdrawals included, from now on.",
            Decision,
            lambda row: row.state == "active" and _is_ours(row),
            roles.decides_on_subscription,
            _instead_of,
            _as_it_stands,
            repeated=_done("revoke"),
        ),
    )

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Subscription) -> SafeString:
        return mark(row.state)

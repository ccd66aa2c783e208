"""The page *Withdrawal propagation*: where withdrawals have arrived. Counts and names of members, never a hash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.spreadsheets import csv_response
from hashshare.selectors.elsewhere import RemoteState
from hashshare.selectors.propagation import (
    HubState,
    MemberState,
    Withdrawal,
    over_hubs,
    release_seen,
    withdrawal,
    withdrawals,
    withdrawals_seen,
)

PERIODS: Final = {7: "7 days", 30: "30 days", 90: "90 days"}
DEFAULT_PERIOD: Final = 30
MOST: Final = 25
"""Releases on the page."""

ORDER: Final = ("overdue", "waiting", "left", "applied", "purged")
"""Who needs a call comes first."""
WORDS: Final = {"left": "access ended"}


def withdrawal_propagation(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`: all recent withdrawals, or one with its members (`?list=&version=`)."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_propagation(request):
            raise PermissionDenied
        version = request.GET.get("version", "")
        if version:
            return _one(site, request, version)
        context = {**site.each_context(request), **_overview(request)}
        return TemplateResponse(request, "hashshare/propagation.html", context)

    return view


def _overview(request: HttpRequest) -> dict[str, Any]:
    now, days, name = timezone.now(), _days(request), request.GET.get("list", "")
    of, since = roles.own_organisation(request), now - timedelta(days=days)
    every = withdrawals_seen(of=of, since=since)
    found = withdrawals_seen(of=of, since=since, name=name)
    shown = over_hubs(found=withdrawals(releases=found[:MOST], now=now), now=now, members=False)
    return {
        "title": "Withdrawal propagation",
        "withdrawals": shown,
        "elsewhere": any(it.hubs for it in shown),
        "total": found.count(),
        "lists": sorted({f"{domain}/{slug}" for domain, slug in _names(every)}),
        "name": name,
        "days": days,
        "periods": PERIODS,
        "as_of": now,
    }


def _names(releases: Any) -> Any:
    return releases.order_by().values_list("list__publisher__domain", "list__slug").distinct()


def _one(site: AdminSite, request: HttpRequest, version: str) -> HttpResponse:
    name, now = request.GET.get("list", ""), timezone.now()
    number = int(version) if version.isdecimal() and len(version) < 19 else 0
    release = release_seen(of=roles.own_organisation(request), name=name, version=number)
    if release is None:
        raise Http404
    theirs = roles.own_organisation(request) is not None  # an operator has no part in what other hubs' members signed
    (found,) = over_hubs(found=[withdrawal(release=release, now=now)], now=now, members=theirs)
    members = sorted(found.members, key=lambda member: ORDER.index(member.state))
    if request.GET.get("format") == "csv":
        return _csv(found, members)
    context = {
        "title": f"{release.list.name} version {release.version}",
        "withdrawal": found,
        "members": [_row(found, member) for member in members],
        "hubs": [_hub(found, hub) for hub in found.hubs],
        "late": now > found.deadline,
        "as_of": now,
    }
    return TemplateResponse(request, "hashshare/withdrawal.html", {**site.each_context(request), **context})


def _row(found: Withdrawal, member: MemberState | RemoteState) -> dict[str, Any]:
    return {
        "member": member,
        "state": WORDS.get(member.state, member.state),
        "after": _after(found, member.applied_at),
    }


def _after(found: Withdrawal, moment: datetime | None) -> float | None:
    """Another hub's clock may be behind."""
    return max(0.0, (moment - found.published_at).total_seconds()) if moment else None


def _hub(found: Withdrawal, hub: HubState) -> dict[str, Any]:
    """`members` are shown to the hotline alone, and there are none to show of a hub that tells numbers."""
    members = sorted(hub.standing.members, key=lambda member: ORDER.index(member.state))
    return {
        "hub": hub,
        "copied": hub.mirror and _after(found, hub.mirror.applied_at),
        "members": [_row(found, member) for member in members],
    }


def _csv(found: Withdrawal, members: list[MemberState]) -> HttpResponse:
    rows = []
    for it in members:
        moments = (moment.isoformat() if moment else "" for moment in (it.applied_at, it.purged_at, it.reminded_at))
        who = (it.organisation.name, it.organisation.country)
        rows.append((found.release.list.name, found.version, "", *who, WORDS.get(it.state, it.state), *moments))
    for hub in found.hubs:
        for their in hub.standing.members:
            moments = (moment.isoformat() if moment else "" for moment in (their.applied_at, their.purged_at))
            state, member = WORDS.get(their.state, their.state), their.name or their.organisation
            place = (found.release.list.name, found.version, hub.standing.hub)
            rows.append((*place, member, their.country, state, *moments, ""))
    head = ("list", "version", "hub", "organisation", "country", "state", "applied_at", "purged_at", "reminded_at")
    return csv_response(f"propagation-{found.release.list.slug}-{found.version}.csv", head, rows)


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return int(asked) if asked.isdecimal() and int(asked) in PERIODS else DEFAULT_PERIOD

"""What may cross from hub to hub, and on to whom: pure rules over the publisher's signed policy and the agreements.

Every hub on a list's path holds them itself, the one that gives and the one that takes. Two words are needed for a
crossing, the publisher's and the operators', and neither stands in for the other:

- The policy `none` lets no hub have the list. `named` lets those have it that it names, each hub on the way included.
  `federation` lets every peer have it; names beside it narrow it to these.
- `not_in` closes countries, to hubs and to their members. A hub or member whose country is not known is in every one.
- A field of the policy that this version does not know may forbid what it cannot read, and so may a place that is no
  country of ISO 3166-1: with either, nothing crosses.
- An agreement of the two hubs covers the list, and has not ended.
- No list comes to a hub that it has been at, and the way has at most `MOST_HUBS` hubs.

For example, a list of `{"policy": "named", "peers": ["south.example"], "not_in": ["US"]}` that is at home at
north.example comes to south.example, unless that is in the United States or says not where it is; from there it goes
on to no hub, and to no member in the United States.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hashshare.wire.countries import COUNTRIES
from hashshare.wire.manifest import Redistribution

MOST_HUBS: Final = 6
"""On a list's way, its home and the hub that takes it included."""

HOLDERS: Final = frozenset({"member", "hotline"})
"""Kinds of organisations that may be granted a mirrored list; a hub takes it on by `may_cross` alone."""


@dataclass(frozen=True, slots=True)
class Success:
    """It may."""


@dataclass(frozen=True, slots=True)
class Failure:
    """It may not; `reason` is a sentence for whoever meets it."""

    reason: str


Verdict = Success | Failure


@dataclass(frozen=True, slots=True)
class Hub:
    """`country` is "" where the hub does not say."""

    name: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """An agreement with the other hub, in the direction that is judged, as far as it counts here."""

    publisher: str
    slug: str = ""
    until: datetime | None = None
    ended_at: datetime | None = None

    def covers(self, publisher: str, slug: str) -> bool:
        return self.publisher == publisher and self.slug in ("", slug)

    def in_force(self, now: datetime) -> bool:
        return self.ended_at is None and (self.until is None or self.until > now)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A list about to go to another hub. `name` is `publisher/slug`; `path` are the hubs that it has come by, its home
    first and the giver last.
    """

    name: str
    policy: Redistribution
    path: tuple[str, ...]
    to: Hub


def may_cross(crossing: Crossing, *, agreements: Iterable[Agreed], now: datetime) -> Verdict:
    """`agreements` are those of the side that judges: out to the taker at the giver, in from the giver at the taker."""
    reason = (
        _unreadable(crossing.policy)
        or _off_the_path(crossing)
        or _unnamed(crossing)
        or _closed(crossing.policy, crossing.to.country, f"The hub {crossing.to.name}")
        or _not_agreed(crossing, agreements, now)
    )
    return Failure(reason) if reason else Success()


def may_hold(policy: Redistribution, *, country: str, kind: str) -> Verdict:
    """Whether a hub that holds the list as a copy may grant it to an organisation of its own."""
    if kind not in HOLDERS:
        return Failure(f"A {kind} receives no lists of another hub.")
    if policy.policy == "none":
        return Failure("The publisher lets no other hub pass the list on.")
    reason = _unreadable(policy) or _closed(policy, country, "The organisation")
    return Failure(reason) if reason else Success()


def widens(offered: Redistribution, signed: Redistribution) -> str:
    """What a peer says of a list's policy lets through that the signed one does not, as a sentence; "" if nothing.

    Only the signed policy counts, so a difference does no harm; but a peer that says more than was signed is no
    peer to be taken at its word.
    """
    if signed.extra and not offered.extra:
        return "leaves out a restriction that this version does not know"
    if reopened := [place for place in signed.not_in if place not in offered.not_in]:
        return f"opens {_several(tuple(reopened))}, which the publisher closes"
    if offered.policy == "none":
        return ""
    if signed.policy not in ("named", "federation"):
        return "passes on what the publisher lets no other hub have"
    if signed.policy == "federation" and not signed.peers:
        return ""
    if offered.policy == "federation" and not offered.peers:
        return "lets every peer have what the publisher lets some have"
    added = tuple(hub for hub in offered.peers if hub not in signed.peers)
    return f"names {_several(added)}, whom the publisher does not" if added else ""


def _unreadable(policy: Redistribution) -> str:
    if policy.extra:
        return "The publisher's policy says something that this version does not know, so it counts as a no."
    places = [place for place in policy.not_in if place not in COUNTRIES]
    if places:
        return (
            f"The publisher's policy closes “{places[0]}”, which is no country's code, so nobody can say who is in it."
        )
    return ""


def _off_the_path(crossing: Crossing) -> str:
    path, to = crossing.path, crossing.to.name
    if not path or len(set(path)) != len(path):
        return "It is not known by which hubs the list has come."
    if to in path:
        return f"The list has been at {to}: a list does not come back to a hub on its way."
    if len(path) >= MOST_HUBS:
        return f"The list has come by {len(path)} hubs; a way has at most {MOST_HUBS}, the last one included."
    return ""


def _unnamed(crossing: Crossing) -> str:
    policy = crossing.policy
    if policy.policy not in ("named", "federation"):
        return "The publisher lets no other hub have the list."
    if policy.policy == "federation" and not policy.peers:
        return ""
    unnamed = [hub for hub in (*crossing.path[1:], crossing.to.name) if hub not in policy.peers]
    return f"The publisher's policy does not name {unnamed[0]}." if unnamed else ""


def _closed(policy: Redistribution, country: str, who: str) -> str:
    if not policy.not_in:
        return ""
    if country not in COUNTRIES:
        return (
            f"{who} does not say in which country it is, and the publisher's policy closes {_several(policy.not_in)}."
        )
    if country in policy.not_in:
        return f"{who} is in {country}, which the publisher's policy closes."
    return ""


def _not_agreed(crossing: Crossing, agreements: Iterable[Agreed], now: datetime) -> str:
    publisher, _, slug = crossing.name.partition("/")
    covering = [agreed for agreed in agreements if agreed.covers(publisher, slug)]
    if any(agreed.in_force(now) for agreed in covering):
        return ""
    if covering:
        return "The hubs' agreement about the list has ended."
    return "The hubs have no agreement about the list."


def _several(places: tuple[str, ...]) -> str:
    shown = ", ".join(places[:5])
    return shown if len(places) <= 5 else f"{shown} and {len(places) - 5} more"

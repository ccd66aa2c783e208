"""What of other hubs waits for an operator of this one: counted and named in one question to the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat

from federation.models import (
    Agreement,
    Finding,
    MemberRequest,
    MirroredList,
    MirroredPublisher,
    Peer,
    ReportCursor,
    TakenReport,
)

MOST_NAMED: Final = 3
AHEAD: Final = timedelta(days=30)
"""So long before an agreement ends its operators are reminded."""
POLLS: Final = 2
"""A copy may lag, or be closed, for so many intervals between two polls before anybody is told."""
TRIES: Final = 2
"""Attempts in a row that failed: a single one may be a matter of the network."""


def attention(*, now: datetime) -> Mapping[str, list[str]]:
    """By kind, the first of each by name, one more than MOST_NAMED where there are more: `findings` (kind, peer, id and
    subject), `requests` of members of other hubs, copies that are `closed`, `behind` or `refused`, reports `untaken` by
    a peer or `refused_from` one, agreements `ending`.
    """
    kinds = [_named(kind, *found) for kind, found in _waiting(now).items()]
    found = dict[str, list[str]]()
    for kind, name in kinds[0].union(*kinds[1:], all=True):
        found.setdefault(kind, []).append(name)
    return {kind: sorted(names) for kind, names in found.items()}


def _waiting(now: datetime) -> dict[str, tuple[QuerySet[Any], tuple[Any, ...]]]:
    """Kind -> the rows, and what their names consist of. Of peers that were ended or suspended nothing is expected."""
    late = now - POLLS * timedelta(seconds=settings.HASHSHARE_MIRROR_SECONDS)
    following = Q(mirror__state=MirroredPublisher.State.FOLLOWING, mirror__peer__state=Peer.State.ACTIVE)
    copies = MirroredList.objects.filter(following)
    of_list = (F("list__publisher__domain"), Value("/"), F("list__slug"))
    active = Q(peer__state=Peer.State.ACTIVE)
    asked = MemberRequest.objects.filter(state=MemberRequest.State.REQUESTED, suspended=False)
    failing = MirroredPublisher.objects.filter(active, state=MirroredPublisher.State.FOLLOWING, failures__gte=TRIES)
    agreements = Agreement.objects.filter(active, ended_at=None, until__gt=now, until__lte=now + AHEAD)
    return {
        "findings": (
            Finding.objects.filter(settled_at=None),
            (F("kind"), Value(" "), F("peer__name"), Value(" "), Cast("pk", CharField()), Value(" "), F("subject")),
        ),
        "requests": (asked, (F("slug"), Value("@"), F("hub__name"), Value(" ("), *of_list, Value(")"))),
        "closed": (copies.filter(list__closed_at__lt=late), of_list),
        "behind": (copies.filter(allowed=True, list__closed_at=None, behind_since__lt=late), of_list),
        "refused": (failing, (F("publisher__domain"), Value(" from "), F("peer__name"), *_why("trouble"))),
        "untaken": (
            ReportCursor.objects.filter(active, trouble__isnull=False),
            (*of_list, Value(" to "), F("peer__name"), *_why("trouble")),
        ),
        "refused_from": (
            TakenReport.objects.filter(active, refused__isnull=False),
            (*of_list, Value(" from "), F("peer__name"), *_why("refused")),
        ),
        "ending": (
            agreements,
            (F("publisher"), *_slug(), Value(" "), F("direction"), Value(" "), F("peer__name")),
        ),
    }


def _why(problem: str) -> tuple[Any, ...]:
    """In the words of a problem document that was kept."""
    return Value(" ("), KeyTextTransform("title", problem), Value(")")


def _slug() -> tuple[Any, ...]:
    """None where all lists are agreed on."""
    return (Case(When(slug="", then=Value("")), default=Concat(Value("/"), F("slug"))),)


def _named(kind: str, rows: QuerySet[Any], parts: tuple[Any, ...]) -> QuerySet[Any, Any]:
    kinds = Cast(Value(kind), CharField())
    named = rows.annotate(waits_as=kinds, says=Concat(*parts, output_field=CharField()))
    first: QuerySet[Any, Any] = named.order_by("says").values_list("waits_as", "says")[: MOST_NAMED + 1]
    return first

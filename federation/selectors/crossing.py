"""Which lists may cross, asked of the tables: the rules of `federation.policy` over rows, and as a condition.

The condition must let through exactly what the rules do; tests hold them against one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q

from federation import policy as rules
from federation.models import Agreement, MirroredPublisher, Peer
from hashshare.models import HashList, Organisation
from hashshare.peering_keys import hub_name
from hashshare.wire.countries import COUNTRIES
from hashshare.wire.documents import Fields
from hashshare.wire.errors import MalformedManifest
from hashshare.wire.manifest import Redistribution

CODES: Final = sorted(COUNTRIES)
NOTHING: Final = Q(pk__in=[])


# --- One by one --------------------------------------------------------------------------------------------------


def policy_of(found: HashList) -> Redistribution:
    """What the list's signed manifest says, as its row keeps it; what cannot be read is `none`."""
    try:
        return Redistribution.read(Fields(found.redistribution, where="redistribution", error=MalformedManifest))
    except MalformedManifest:
        return Redistribution()


def here() -> rules.Hub:
    return rules.Hub(hub_name(), settings.HASHSHARE_COUNTRY)


def way_to(found: HashList) -> tuple[str, ...]:
    """The hubs by which the list has come, this one not included; none where it is at home, or where it is a copy of
    which that is not known.
    """
    # One that was taken over keeps the record of where it came from, and is at home here all the same.
    copied = MirroredPublisher.objects.filter(publisher=found.publisher, publisher__mirrored_from__isnull=False)
    mirror = copied.first()
    return tuple(map(str, mirror.path)) if mirror is not None else ()


def way_from(found: HashList) -> tuple[str, ...]:
    """The same and this hub; empty for a copy of which the way is not known."""
    way = way_to(found)
    return () if found.publisher.mirrored_from_id is not None and not way else (*way, hub_name())


def agreed(peer: Peer, direction: str) -> list[rules.Agreed]:
    rows = Agreement.objects.filter(peer=peer, direction=direction)
    return [rules.Agreed(*row) for row in rows.values_list("publisher", "slug", "until", "ended_at")]


def judge_giving(found: HashList, peer: Peer, *, now: datetime) -> rules.Verdict:
    """Whether this hub may give the list to the peer."""
    if peer.state != Peer.State.ACTIVE:
        return rules.Failure(f"{peer.name} is not an active peer.")
    if found.closed_at is not None:
        return rules.Failure("This hub may itself no longer pass the list on.")
    crossing = rules.Crossing(found.name, policy_of(found), way_from(found), rules.Hub(peer.name, peer.country))
    return rules.may_cross(crossing, agreements=agreed(peer, Agreement.Direction.OUT), now=now)


def judge_taking(name: str, policy: Redistribution, *, path: Iterable[str], peer: Peer, now: datetime) -> rules.Verdict:
    """Whether this hub may have a list of the peer's whose signed manifest says `policy`; `path` ends with the peer."""
    crossing = rules.Crossing(name, policy, tuple(path), here())
    return rules.may_cross(crossing, agreements=agreed(peer, Agreement.Direction.IN), now=now)


# --- As a condition ----------------------------------------------------------------------------------------------


def crossing_to(organisation: Organisation, now: datetime) -> Q:
    """The condition on lists that `judge_giving` is on one: what the hub that acts as `organisation` may be served."""
    peer = Peer.objects.filter(organisation=organisation.pk, state=Peer.State.ACTIVE).first()
    if peer is None:
        return NOTHING
    policy = Q(_knows_all_of_it()) & (_open_to_all() | _names(peer.name)) & _open_in(peer.country)
    return Q(closed_at=None) & policy & _on_its_way_to(peer.name) & Q(_is_agreed(peer, now))


def _knows_all_of_it() -> Func:
    """No field but those of this version."""
    return Func(
        F("redistribution"),
        template="(%(expressions)s - ARRAY['policy', 'peers', 'not_in']) = '{}'::jsonb",
        output_field=BooleanField(),
    )


def _nothing_in(field: str) -> Q:
    return Q(**{f"redistribution__{field}__isnull": True}) | Q(**{f"redistribution__{field}": []})


def _open_to_all() -> Q:
    return Q(redistribution__policy="federation") & _nothing_in("peers")


def _names(hub: str) -> Q:
    """It names the hub, and if the list came here by others, this one and those after its home."""
    named = Q(redistribution__policy__in=["named", "federation"], redistribution__peers__contains=[hub])
    way_named = Func(
        F("publisher__mirror__path"),
        F("redistribution"),
        arg_joiner=" - 0) <@ (",
        template="((%(expressions)s -> 'peers'))",  # ((path - 0) <@ (redistribution -> 'peers'))
        output_field=BooleanField(),
    )
    by_others = Q(redistribution__peers__contains=[hub_name()]) & Q(way_named)
    return named & (Q(publisher__mirrored_from=None) | by_others)


def _open_in(country: str) -> Q:
    if country not in COUNTRIES:
        return _nothing_in("not_in")
    countries = Q(redistribution__not_in__contained_by=CODES)
    return _nothing_in("not_in") | (countries & ~Q(redistribution__not_in__contains=[country]))


def _on_its_way_to(hub: str) -> Q:
    """No circle, not too long; of a copy the way must be known."""
    here = hub_name()
    at_home = Q(publisher__mirrored_from=None) if hub != here else NOTHING
    known = Func(
        F("publisher__mirror__path"),
        template=(
            "(SELECT count(*) BETWEEN 1 AND %(most)s AND count(*) = count(DISTINCT hub)"
            " FROM jsonb_array_elements_text(%(expressions)s) AS hub)"
        ),
        most=rules.MOST_HUBS - 2,
        output_field=BooleanField(),
    )
    met = Q(publisher__mirror__path__contains=[hub]) | Q(publisher__mirror__path__contains=[here])
    return at_home | (Q(publisher__mirrored_from__isnull=False) & Q(known) & ~met if hub != here else NOTHING)


def _is_agreed(peer: Peer, now: datetime) -> Exists:
    lasting = Q(until=None) | Q(until__gt=now)
    this = Q(slug="") | Q(slug=OuterRef("slug"))
    rows = Agreement.objects.filter(lasting, this, peer=peer, direction=Agreement.Direction.OUT, ended_at=None)
    return Exists(rows.filter(publisher=OuterRef("publisher__domain")))

"""Agreements: what the operators of two hubs let cross between them. The publisher's signed policy binds on top."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from federation.models import Agreement, Peer
from federation.selectors.agreements import agreements_with, standing_agreement
from federation.selectors.peers import is_active, peer_by_name
from hashshare.models import HashList, Publisher
from hashshare.services.publishers import DOMAIN
from hashshare.wire import errors

SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MOST: Final = 1_000
"""In force with one peer."""
LONGEST: Final = timedelta(days=3653)


@transaction.atomic
def agree(
    *,
    peer: str,
    direction: str,
    publisher: str,
    now: datetime,
    slug: str = "",
    until: datetime | None = None,
    evidence: str = Agreement.Evidence.DOCUMENTS,
    seen: str = "",
) -> Agreement:
    """That a publisher's lists, or the one called `slug`, cross: `out` to the peer or `in` from it.

    One about the same takes the place of the one in force; saying the same again changes nothing. `out` is about what
    this hub serves, its own or mirrored; `in` may come before anything was mirrored. `evidence`: what the receiving hub
    tells of its members; `seen`: what `agreed_so_far` said when a person read it. Raises NotFound, UsageError, NotAPeer
    unless the peer is active, Conflict.
    """
    row = Peer.objects.select_for_update().get(pk=peer_by_name(name=peer).pk)
    if not is_active(row):
        raise errors.NotAPeer(f"{row.name} is not active: accept or resume it first.")
    if seen and seen != agreed_so_far(row):
        raise errors.Conflict(
            f"What is agreed with {row.name} was changed meanwhile. Nothing was changed by this form.",
            next_step="Open it again to see what stands now.",
        )
    _check_words(direction, publisher, slug, evidence)
    _check_end(until, now)
    if direction == Agreement.Direction.OUT:
        _check_served(publisher, slug, row)
    else:
        _check_taken(publisher, row)
    standing = standing_agreement(peer=row, direction=direction, publisher=publisher, slug=slug)
    if standing is not None:
        if (standing.until, standing.evidence) == (until, evidence):
            return standing
        _end(standing, now)
    if direction == Agreement.Direction.IN:
        _ask_for_offers(row)
    if Agreement.objects.filter(peer=row, ended_at=None).count() >= MOST:
        raise errors.Conflict(f"There are {MOST} agreements with {row.name}.", next_step="End some, or agree on all.")
    return Agreement.objects.create(
        peer=row,
        direction=direction,
        publisher=publisher,
        slug=slug,
        until=until,
        evidence=evidence,
        created_at=now,
    )


def agreed_so_far(peer: Peer) -> str:
    """Changes with every agreement that is made or ended."""
    stands = ",".join(sorted(str(pk) for pk in agreements_with(peer=peer).values_list("pk", flat=True)))
    return hashlib.sha256(stands.encode()).hexdigest()


@transaction.atomic
def end_agreement(
    *, peer: str, direction: str, publisher: str, now: datetime, slug: str = "", seen: uuid.UUID | None = None
) -> Agreement:
    """Nothing crosses by it from now on; what did stays where it is. `seen`: the one that a person read. Raises
    NotFound, Conflict when that one was ended since.
    """
    row = Peer.objects.select_for_update().get(pk=peer_by_name(name=peer).pk)
    standing = standing_agreement(peer=row, direction=direction, publisher=publisher, slug=slug)
    if seen is not None and (standing is None or standing.pk != seen):
        raise errors.Conflict("It was ended meanwhile. Nothing was changed by this form.")
    if standing is None:
        name = f"{publisher}/{slug}" if slug else publisher
        raise errors.NotFound(f"Nothing is agreed with {row.name} about {name} ({direction}).")
    _end(standing, now)
    return standing


def _ask_for_offers(peer: Peer) -> None:
    """At the next poll: the peer offers the same as before, so its heads would not tell that more of it may come."""
    peer.offers_at = peer.heads_at = None
    peer.save(update_fields=["offers_at", "heads_at"])


def _end(standing: Agreement, now: datetime) -> None:
    standing.ended_at = now
    standing.save(update_fields=["ended_at"])


def _check_words(direction: str, publisher: str, slug: str, evidence: str) -> None:
    if direction not in Agreement.Direction.values:
        raise errors.UsageError("An agreement is about what goes out to the peer, or comes in from it: out or in.")
    if evidence not in Agreement.Evidence.values:
        raise errors.UsageError(f"Evidence is one of {', '.join(Agreement.Evidence.values)}.")
    if not DOMAIN.match(publisher):
        raise errors.UsageError(f"{publisher[:80]!r} is not a publisher's domain such as aurora.example.")
    if slug and not SLUG.fullmatch(slug):
        raise errors.UsageError(f"{slug[:80]!r} is not the name of a list.")


def _check_end(until: datetime | None, now: datetime) -> None:
    if until is not None and not now < until <= now + LONGEST:
        raise errors.UsageError("An agreement ends in the future, within ten years, or has no end of its own.")


def _check_served(publisher: str, slug: str, peer: Peer) -> None:
    """Raises NotFound for what this hub does not serve, Conflict for what it has from that very peer."""
    found = Publisher.objects.filter(domain=publisher, sandbox=False).exclude(root_fingerprint="").first()
    if found is None:
        raise errors.NotFound(f"{publisher} is not a publisher that this hub serves.")
    if found.mirrored_from_id is not None and found.mirrored_from_id == peer.organisation_id:
        raise errors.Conflict(f"{publisher} is here from {peer.name}, which has it already.")
    if slug and not HashList.objects.filter(publisher=found, slug=slug).exists():
        raise errors.NotFound(f"{publisher} has no list {slug} here.")


def _check_taken(publisher: str, peer: Peer) -> None:
    """Raises Conflict for a publisher that is at home at this hub."""
    if Publisher.objects.filter(domain=publisher, mirrored_from=None).exists():
        raise errors.Conflict(f"{publisher} publishes at this hub: nothing of it comes from {peer.name}.")

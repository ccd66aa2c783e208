"""Other hubs become peers of this one: introduced, compared by two people, accepted; suspended and resumed at once.

Nothing that the other hub sends decides anything here. What makes it a peer is a fingerprint that one operator read
out and the other typed. Every change that it is accepted as, or no longer, is a leaf of the public log.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from federation.documents import HubDescriptor
from federation.models import Agreement, Peer
from federation.selectors.descriptors import own_descriptor
from federation.selectors.peers import peer_by_name
from federation.services.descriptors import checked_address, fetch_descriptor
from hashshare.models import Organisation, OrganisationKey
from hashshare.services.keys import add_key, revoke_key
from hashshare.services.logs import add_peer_change
from hashshare.services.organisations import agree_to_be_named, create_organisation
from hashshare.wire import errors, keys
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.log.peer_changes import PeerChange

MOST_INTRODUCED: Final = 100
"""Introductions that nobody has compared yet."""
MOST_STORAGE: Final = 16
COUNTRY: Final = re.compile(r"[A-Z]{2}")
STORAGE: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,250}(:[0-9]{1,5})?")


def introduce_peer(*, url: str, now: datetime, fetch: Callable[[str], HubDescriptor] = fetch_descriptor) -> Peer:
    """Ask the hub at `url` what it is, and keep that, to be compared. Until it is accepted, this may be done again.

    Raises what `fetch_descriptor` raises; UsageError for this hub itself; Conflict when a hub of that name is accepted
    already, or when it shows a key that is somebody else's here.
    """
    said = fetch(checked_address(url))
    own = own_descriptor(now=now)
    if said.hub == own.hub or said.peer_key == own.peer_key:
        raise errors.UsageError(f"{said.hub} is this hub itself.")
    with transaction.atomic():
        peer = Peer.objects.select_for_update().filter(name=said.hub).first()
        if peer is not None and peer.state in (Peer.State.ACTIVE, Peer.State.SUSPENDED):
            raise errors.Conflict(
                f"{peer.name} is {peer.get_state_display().lower()} here already.",
                next_step="If its keys have changed: manage.py peer check, compare, and accept it again.",
            )
        _refuse_foreign_key(said, peer)
        if peer is None:
            _refuse_too_many()
            peer = Peer(name=said.hub)
        _take_over(peer, said)
        peer.state, peer.introduced_at, peer.reached_at = Peer.State.INTRODUCED, now, now
        peer.trouble = peer.accepted_at = None
        peer.save()
    return peer


@transaction.atomic
def accept_peer(*, name: str, fingerprint: str, now: datetime, country: str = "") -> Peer:
    """The hub is who its operator says: `fingerprint` is what that person read out, with checks and spaces or not.

    1. It must be that of what was introduced or, where the address showed another hub since, of that one or of the one
    that was accepted: a person decides which is right. 2. The hub becomes an organisation of kind hub, named, with its
    peer key, which has no end of its own: agreements have. A key that it had before is refused from now on, with all
    that it brought. 3. The public log says so. `country` is for a hub that does not say where it is.

    Raises NotFound, UsageError, PeerDiffers for another fingerprint, Conflict when there is nothing to accept.
    """
    peer = _locked(name)
    typed = parse_fingerprint(fingerprint)
    if peer.state == Peer.State.ENDED or (peer.state != Peer.State.INTRODUCED and peer.differs is None):
        raise errors.Conflict(
            f"{peer.name} is {peer.get_state_display().lower()}: there is nothing to accept.",
            next_step="If it has ended, introduce it again. If its keys have changed: manage.py peer check.",
        )
    if peer.differs is not None and typed == peer.differs["fingerprint"]:
        said = HubDescriptor.of(peer.differs["descriptor"])
        _refuse_foreign_key(said, peer)
        _take_over(peer, said)
    elif typed != peer.fingerprint:
        raise errors.PeerDiffers(
            f"That is not the fingerprint of {peer.name} as it is kept here. Nothing was accepted.",
            next_step="Compare it line by line with its operator. If a line differs, do not accept: somebody may stand "
            "between your hubs.",
        )
    _admit(peer, country=country, now=now)
    if peer.state == Peer.State.INTRODUCED:
        peer.state = Peer.State.ACTIVE
    peer.accepted_at, peer.differs, peer.differs_at, peer.trouble = now, None, None, None
    peer.save()
    _log(peer, "accepted", now)
    return peer


@transaction.atomic
def suspend_peer(*, name: str, now: datetime) -> Peer:
    """From now on its keys and tokens are refused, and nothing is asked of it. Members keep what they hold.

    Raises NotFound, Conflict unless it is active.
    """
    peer = _locked(name)
    if peer.state != Peer.State.ACTIVE:
        raise errors.Conflict(f"{peer.name} is not active, so there is nothing to suspend.")
    _set_state(peer, Peer.State.SUSPENDED, Organisation.State.SUSPENDED)
    _log(peer, "suspended", now)
    return peer


@transaction.atomic
def resume_peer(*, name: str, now: datetime) -> Peer:
    """Undo a suspension at once. Raises NotFound, Conflict unless it, or its organisation, is suspended."""
    peer = _locked(name)
    organisation = peer.organisation
    kept_out = organisation is not None and organisation.state == Organisation.State.SUSPENDED
    if peer.state not in (Peer.State.ACTIVE, Peer.State.SUSPENDED) or not kept_out:
        raise errors.Conflict(f"{peer.name} is not suspended.")
    _set_state(peer, Peer.State.ACTIVE, Organisation.State.ACTIVE)
    _log(peer, "resumed", now)
    return peer


@transaction.atomic
def end_peer(*, name: str, now: datetime) -> Peer:
    """For good, with its agreements; an introduction that nobody compared is dropped. What was copied from it stays.

    It may be introduced again, and is compared anew then. Raises NotFound, Conflict when it has ended already.
    """
    peer = _locked(name)
    if peer.state == Peer.State.ENDED:
        raise errors.Conflict(f"{peer.name} has ended already.")
    was_accepted = peer.state != Peer.State.INTRODUCED
    _set_state(peer, Peer.State.ENDED, Organisation.State.SUSPENDED)
    Agreement.objects.filter(peer=peer, ended_at=None).update(ended_at=now)
    if was_accepted:
        _log(peer, "ended", now)
    return peer


@transaction.atomic
def name_storage(*, name: str, host: str) -> Peer:
    """Let the peer send this hub to `host` (with its port, if it has one) for objects. Naming it again changes nothing.

    Raises NotFound, UsageError.
    """
    peer = _locked(name)
    host = host.strip().lower()
    if not STORAGE.fullmatch(host):
        raise errors.UsageError("A storage is a host, with its port if it has one, such as bucket.s3.example.")
    if host not in peer.storage:
        if len(peer.storage) >= MOST_STORAGE:
            raise errors.UsageError(f"A peer has at most {MOST_STORAGE} hosts of storage.")
        peer.storage = sorted([*peer.storage, host])
        peer.save(update_fields=["storage"])
    return peer


@transaction.atomic
def forget_storage(*, name: str, host: str) -> Peer:
    """Raises NotFound, also for a host that is not named."""
    peer = _locked(name)
    if host.strip().lower() not in peer.storage:
        raise errors.NotFound(f"{host} is no storage of {peer.name}.")
    peer.storage = [each for each in peer.storage if each != host.strip().lower()]
    peer.save(update_fields=["storage"])
    return peer


def _locked(name: str) -> Peer:
    """Raises NotFound."""
    return Peer.objects.select_for_update().get(pk=peer_by_name(name=name).pk)


def _refuse_foreign_key(said: HubDescriptor, peer: Peer | None) -> None:
    """A key is one organisation's: who shows another's can sign nothing with it, or is that other."""
    others = Peer.objects.exclude(pk=peer.pk) if peer else Peer.objects.all()
    key = OrganisationKey.objects.filter(fingerprint=keys.fingerprint(said.peer_key)).select_related("organisation")
    owner = key.exclude(organisation=peer.organisation if peer else None).first()
    if (other := others.filter(peer_key=said.peer_key).first()) is not None:
        raise errors.Conflict(
            f"{said.hub} shows the key of {other.name}.", next_step="Ask its operator. Trust neither."
        )
    if owner is not None:
        raise errors.Conflict(f"{said.hub} shows a key of {owner.organisation}.", next_step="Ask its operator.")
    if any(map(keys.is_small_order, (said.peer_key, said.witness_key, said.log_key))):
        raise errors.MalformedDescriptor(f"A key of {said.hub} is one under which a signature fits many messages.")


def _refuse_too_many() -> None:
    if Peer.objects.filter(state=Peer.State.INTRODUCED).count() >= MOST_INTRODUCED:
        raise errors.Conflict(
            f"{MOST_INTRODUCED} hubs are introduced and not compared.", next_step="End those that nobody knows first."
        )


def _take_over(peer: Peer, said: HubDescriptor) -> None:
    """What it says of itself becomes what is kept of it."""
    peer.url, peer.title, peer.country = said.url, said.title, said.country
    peer.descriptor, peer.fingerprint = said.to_document(), said.fingerprint
    peer.peer_key, peer.witness_key, peer.log_key = said.peer_key, said.witness_key, said.log_key


def _admit(peer: Peer, *, country: str, now: datetime) -> None:
    """It acts here as an organisation of kind hub, with its peer key and no other."""
    code = country.strip().upper() or peer.country
    if not COUNTRY.fullmatch(code):
        raise errors.UsageError(
            f"{peer.name} does not say which country it is in, so you have to.",
            next_step="Ask its operator, and name it: --country SE. Lists that are closed to a country depend on it.",
        )
    peer.country = code
    organisation = peer.organisation
    if organisation is None:
        organisation = create_organisation(
            kind=Organisation.Kind.HUB, name=peer.name, country=code, slug=re.sub(r"[^a-z0-9]+", "-", peer.name)[:63]
        )
        peer.organisation = organisation
    if peer.state == Peer.State.INTRODUCED:
        organisation.state = Organisation.State.ACTIVE
    organisation.country = code
    organisation.save(update_fields=["state", "country"])
    agree_to_be_named(organisation=organisation, now=now)
    _give_key(organisation, bytes(peer.peer_key), now)


def _give_key(organisation: Organisation, public_key: bytes, now: datetime) -> None:
    fingerprint = keys.fingerprint(public_key)
    for old in OrganisationKey.objects.filter(organisation=organisation, revoked_at=None).exclude(
        fingerprint=fingerprint
    ):
        revoke_key(organisation=organisation, fingerprint=old.fingerprint, now=now)
    standing = OrganisationKey.objects.filter(organisation=organisation, fingerprint=fingerprint).first()
    if standing is None:
        add_key(organisation=organisation, public_key=public_key, name="Peer key", now=now)
    elif standing.revoked_at is not None:
        raise errors.Conflict(
            f"The key that {organisation} shows was revoked here.",
            next_step="Its operator makes another: docs/federation.md, A peer's new key.",
        )


def _set_state(peer: Peer, state: str, of_organisation: str) -> None:
    peer.state = state
    peer.save(update_fields=["state"])
    if peer.organisation is not None:
        peer.organisation.state = of_organisation
        peer.organisation.save(update_fields=["state"])


def _log(peer: Peer, change: str, now: datetime) -> None:
    moment = now.replace(microsecond=0)
    add_peer_change(PeerChange(peer.name, change, peer.fingerprint, moment), now=now)

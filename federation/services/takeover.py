"""A publisher's home moves: the hub that copied it takes over, or the hub where it was at home hands it over.

Only the publisher's root decides which hub members believe. What is decided here is which hub signs, so that it is one.
Publisher's metadata and objects stay as they were signed; only snapshot and timestamp are signed anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Root

from federation.models import Agreement, MirroredList, MirroredPublisher, Peer, Relayed, TakenTerms
from federation.selectors.peers import is_active
from federation.services.agreements import agree
from federation.services.connections import session_with
from hashshare.hub_keys import hub_keys
from hashshare.models import Commit, HashList, Metadata, Organisation, Publisher
from hashshare.peering_keys import hub_name
from hashshare.selectors.metadata import newest
from hashshare.selectors.recovery import refuse_restored
from hashshare.services.deeds import note_deed
from hashshare.services.logs import add_takeover
from hashshare.services.recovery import safe_jump
from hashshare.services.timestamps import sign_snapshot_and_timestamp, version_of
from hashshare.wire import errors
from hashshare.wire.documents import MAX_INTEGER
from hashshare.wire.log import TakenOver
from hashshare.wire.repository import read_role, standby_hub
from hashshare.wire.repository.metadata import ROOT, SNAPSHOT, TIMESTAMP, TIMESTAMP_LIFE, read_typed

SIGNS_EVERY: Final = timedelta(hours=3)
"""A hub signs its timestamps every hour: one that serves none younger than this has stopped."""
MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """The hub where the publisher was at home, as it answers now. `signed_at`: of the timestamp that it serves, None
    where nothing comes that its keys have signed. `handed_over`: it says itself that it copies the publisher from here.
    `asked`: not where it is suspended or ended here, or another answers at its address: nobody knows then if it lives.
    """

    name: str
    signed_at: datetime | None = None
    handed_over: bool = False
    asked: bool = True

    def signs(self, now: datetime) -> bool:
        """Whether it goes on signing."""
        return not self.handed_over and self.signed_at is not None and now - self.signed_at < SIGNS_EVERY

    def may_sign(self, now: datetime) -> bool:
        """Silence that is this hub's own doing is no sign of death."""
        return self.signs(now) or not self.asked


@dataclass(frozen=True, slots=True)
class Taken:
    """`floor`: snapshot and timestamp have higher versions. `invited`: the hotline needs a code for its machine.
    `absent`: ids of lists of the publisher that did not cross, and are only named here as they were.
    """

    publisher: Publisher
    before: str
    floor: int
    invited: bool
    absent: tuple[str, ...]


# --- the hub before ----------------------------------------------------------------------------------------------


def origin_of(domain: str) -> Origin:
    """Ask the hub that the publisher is copied from. Raises UsageError for a publisher that is no copy."""
    mirror = _mirror(domain)
    try:
        session = session_with(mirror.peer)
        record = session.get_json(f"publishers/{domain}")
        handed_over = isinstance(record, dict) and record.get("mirrored_from") == hub_name()
        body = bytes(session.get(f"tuf/{domain}/metadata/timestamp.json").content)
        return Origin(mirror.peer.name, _signed_at(mirror.publisher, body), handed_over)
    except (errors.NotAPeer, errors.PeerDiffers):
        return Origin(mirror.peer.name, asked=False)
    except errors.HashshareError:
        # Out of reach, or answering nonsense: nothing that a member could use.
        return Origin(mirror.peer.name)


def _signed_at(publisher: Publisher, body: bytes) -> datetime | None:
    """When the publisher's keys for it have signed that timestamp; None for anything else."""
    file, root = read_role(TIMESTAMP, body), _root(publisher)
    try:
        root.verify_delegate(TIMESTAMP, file.metadata.signed_bytes, file.metadata.signatures)
    except tuf_errors.RepositoryError:
        return None
    return file.expires - TIMESTAMP_LIFE


# --- taking over -------------------------------------------------------------------------------------------------


@transaction.atomic
def take_over(
    *,
    domain: str,
    reason: str,
    origin: Origin,
    now: datetime,
    though_alive: bool = False,
    await_publisher: bool = False,
) -> Taken:
    """Make this hub the home of a publisher that is copied here, and whose root names this hub's key in use.

    1. Lock the publisher: a copy that is on its way is then refused, since it is followed no longer.
    2. Raise its version floor above any snapshot and timestamp that its hub can have signed since it was copied.
    3. End the mirror; its lists are open here as at home.
    4. Sign snapshot and timestamp over just what is here; with `await_publisher` not before its hotline has sent what
       is lacking and said that it is all.
    5. The hotline, which had no keys and people here, is to be invited.
    6. The public log says it, and the operators' history why.

    Raises UsageError, NotStandbyHub, StillServed unless `though_alive`, HubRestored.
    """
    refuse_restored()
    reason = _reason(reason)
    mirror = _mirror(domain)
    publisher = Publisher.objects.select_for_update().select_related("organisation").get(pk=mirror.publisher_id)
    mirror = MirroredPublisher.objects.select_for_update().select_related("peer").get(pk=mirror.pk)
    if publisher.mirrored_from_id is None:
        raise errors.UsageError(f"{domain} is at home here already. Nothing was changed.")
    _check_named(publisher)
    if origin.may_sign(now) and not though_alive:
        found = f"is alive and signs for {domain}" if origin.asked else "was not asked, and may be alive"
        raise errors.StillServed(f"{origin.name} {found}. Nothing was changed.")
    publisher.version_floor = _floor(publisher, now)
    publisher.mirrored_from = None
    publisher.awaited_since = now if await_publisher else None
    publisher.save(update_fields=["version_floor", "mirrored_from", "awaited_since"])
    absent = _absent(publisher)
    _end(mirror)
    HashList.objects.filter(publisher=publisher).update(closed_at=None)
    sign_snapshot_and_timestamp(publisher=publisher, now=now)
    invited = _to_be_invited(publisher.organisation)
    add_takeover(TakenOver(domain, mirror.peer.name, hub_name(), now.replace(microsecond=0)), now=now)
    alive = f"; {origin.name} {'was alive' if origin.asked else 'was not asked'}" if origin.may_sign(now) else ""
    noted = f"from {mirror.peer.name}, version floor {publisher.version_floor}{alive}"
    note_deed(person=None, what="Take a publisher over", about=publisher, reason=reason, noted=noted, now=now)
    return Taken(publisher, mirror.peer.name, publisher.version_floor, invited, absent)


@transaction.atomic
def await_publisher(*, domain: str, reason: str, now: datetime) -> Publisher:
    """Of a publisher that was taken over: let its hotline send what this hub lacks. Until then no timestamp is served.

    Raises UsageError for one that was not taken over.
    """
    reason = _reason(reason)
    publisher = Publisher.objects.select_for_update().filter(domain=domain, mirrored_from=None).first()
    ended = MirroredPublisher.objects.filter(publisher=publisher, state=MirroredPublisher.State.ENDED)
    if publisher is None or not ended.exists():
        raise errors.UsageError(f"{domain} was not taken over by this hub. Nothing was changed.")
    if publisher.awaited_since is None:
        publisher.awaited_since = now
        publisher.save(update_fields=["awaited_since"])
        note_deed(person=None, what="Await what is lacking", about=publisher, reason=reason, now=now)
    return publisher


def _mirror(domain: str) -> MirroredPublisher:
    rows = MirroredPublisher.objects.select_related("publisher", "peer__organisation")
    found = rows.filter(publisher__domain=domain).first()
    if found is None:
        raise errors.UsageError(f"{domain} is not copied from another hub. Nothing was changed.")
    return found


def _reason(text: str) -> str:
    if not text.strip() or len(text) > MAX_REASON:
        raise errors.UsageError(f"Say why, in at most {MAX_REASON} characters: other operators read it.")
    return text.strip()


def _root(publisher: Publisher) -> Root:
    """Raises UsageError before anything was copied."""
    row = newest(publisher=publisher, role=ROOT)
    if row is None:
        raise errors.UsageError(f"Nothing of {publisher.domain} was copied yet.")
    return read_typed(ROOT, row.content, Root).signed


def _check_named(publisher: Publisher) -> None:
    """Raises NotStandbyHub unless members will believe what is signed here."""
    root, own = _root(publisher), hub_keys().online.public_key.keyid
    if any(own not in root.roles[role].keyids for role in (SNAPSHOT, TIMESTAMP)):
        raise errors.NotStandbyHub(
            f"The root of {publisher.domain} that was copied last, version {root.version}, does not name this hub's "
            "key. Nothing was changed."
        )
    if newest(publisher=publisher, role="targets") is None or newest(publisher=publisher, role=SNAPSHOT) is None:
        raise errors.UsageError(f"Nothing of {publisher.domain} was copied yet.")


def _floor(publisher: Publisher, now: datetime) -> int:
    """Above what the hub before can have signed: counted from the moment that it signed the copy which is here."""
    stamp = newest(publisher=publisher, role=TIMESTAMP)
    signed_at = min(stamp.expires_at - TIMESTAMP_LIFE, stamp.accepted_at) if stamp else publisher.created_at
    standing = max(version_of(publisher, SNAPSHOT), version_of(publisher, TIMESTAMP), publisher.version_floor)
    return min(standing + safe_jump(made_at=signed_at, now=now), MAX_INTEGER // 2)


def _absent(publisher: Publisher) -> tuple[str, ...]:
    """Lists that the snapshot names and that are not here."""
    here = set(HashList.objects.filter(publisher=publisher, role_version__gt=0).values_list("tuf_id", flat=True))
    row = newest(publisher=publisher, role=SNAPSHOT)
    snapshot: Any = read_role(SNAPSHOT, row.content).signed if row else None
    named = {name.removesuffix(".json") for name in snapshot.meta} if snapshot else set()
    return tuple(sorted(named - here - {"targets", "major"}))


def _end(mirror: MirroredPublisher) -> None:
    """It follows nobody; what its peer offers of it is refused from now on, since it is at home here."""
    mirror.state, mirror.trouble, mirror.path = MirroredPublisher.State.ENDED, None, []
    mirror.save(update_fields=["state", "trouble", "path"])
    MirroredList.objects.filter(mirror=mirror).delete()
    # Its publisher decides here from now on, also over those who wait for the hub before to answer.
    TakenTerms.objects.filter(list__publisher=mirror.publisher_id).delete()
    Relayed.objects.filter(subscription__list__publisher=mirror.publisher_id).delete()


def _to_be_invited(hotline: Organisation) -> bool:
    rows = Organisation.objects.filter(pk=hotline.pk, state=Organisation.State.MIRRORED)
    return bool(rows.update(state=Organisation.State.INVITED))


# --- handing over ------------------------------------------------------------------------------------------------


@transaction.atomic
def hand_over(
    *, domain: str, peer: str, reason: str, now: datetime, evidence: str = Agreement.Evidence.DOCUMENTS
) -> MirroredPublisher:
    """Sign nothing more for a publisher that is at home here, and follow its standby hub instead.

    For a move that was planned, and for a hub that comes back after another has taken over. What is served here stays
    until the copy comes; that the publisher's lists come in from there is agreed by it, and by
    `evidence` what that hub is told of the members here.

    Raises UsageError, NotAPeer, NotStandbyHub, Conflict while a commit is being verified.
    """
    refuse_restored()
    reason = _reason(reason)
    publisher = Publisher.objects.select_for_update().filter(domain=domain).first()
    if publisher is None or not publisher.root_fingerprint:
        raise errors.UsageError(f"{domain} is not a publisher of this hub, or has no root yet.")
    if publisher.mirrored_from_id is not None:
        raise errors.UsageError(f"{domain} is copied from another hub already. Nothing was changed.")
    to = _peer(peer)
    root = Metadata.objects.filter(publisher=publisher, role=ROOT).order_by("-version")[0].content
    named = standby_hub(root)
    if named is None or named.hub != to.name:
        raise errors.NotStandbyHub(f"The root of {domain} does not name {to.name} as its standby hub.")
    if Commit.objects.filter(publisher=publisher, state=Commit.State.PENDING).exists():
        raise errors.Conflict("A commit is being verified.", next_step="Wait for its job to end, then run it again.")
    publisher.mirrored_from, publisher.awaited_since = to.organisation, None
    publisher.save(update_fields=["mirrored_from", "awaited_since"])
    facts = {"peer": to, "root": publisher.root_fingerprint, "path": [to.name], "trouble": None, "failures": 0}
    following = {"state": MirroredPublisher.State.FOLLOWING, "copied_at": None, "tried_at": None, "created_at": now}
    mirror, _ = MirroredPublisher.objects.update_or_create(publisher=publisher, defaults={**facts, **following})
    # What goes out to others by agreement goes on as it is; this one could not be made while the publisher was here.
    agree(peer=to.name, direction=Agreement.Direction.IN, publisher=domain, evidence=evidence, now=now)
    add_takeover(TakenOver(domain, hub_name(), to.name, now.replace(microsecond=0)), now=now)
    note_deed(person=None, what="Hand a publisher over", about=publisher, reason=reason, noted=f"to {to.name}", now=now)
    return mirror


def _peer(name: str) -> Peer:
    found = Peer.objects.select_related("organisation").filter(name=name).first()
    if found is None or not is_active(found):
        raise errors.NotAPeer(f"{name} is no peer in force of this hub.")
    return found

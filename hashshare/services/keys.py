"""Adding, ending and watching organisation keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from hashshare.models import AccessKey, Invitation, Organisation, OrganisationKey, Person
from hashshare.selectors.callers import Caller
from hashshare.wire import errors
from hashshare.wire.keys import fingerprint as fingerprint_of
from hashshare.wire.plain_text import check_name

SEEN_EVERY: Final = timedelta(minutes=10)
MAX_KEY_DAYS: Final = 731
"""The longest life of a key, and the one that enrolment gives: nobody remembers a key after two years."""
MAX_OVERLAP: Final = timedelta(days=30)
"""How long a key that was told to end may still be used."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a key, of what it had introduced, and what of that goes on. `access_keys` ended with it;
    `access_keys_left` were made with it and still open doors.
    """

    key: OrganisationKey
    ended: tuple[OrganisationKey, ...]
    left: tuple[OrganisationKey, ...]
    access_keys: tuple[AccessKey, ...] = ()
    access_keys_left: tuple[AccessKey, ...] = ()


def add_key(
    *,
    organisation: Organisation,
    public_key: bytes,
    name: str,
    now: datetime,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
    holder: Person | None = None,
    introduced_by: OrganisationKey | None = None,
) -> OrganisationKey:
    """Register a raw 32-byte Ed25519 public key. Raises Conflict if any organisation already has it."""
    if len(public_key) != 32:
        raise errors.UsageError("An Ed25519 public key has 32 bytes.")
    check_name(name, what="The key's name")
    try:
        with transaction.atomic():
            return OrganisationKey.objects.create(
                organisation=organisation,
                fingerprint=fingerprint_of(public_key),
                public_key=public_key,
                name=name[:200],
                holder=holder,
                introduced_by=introduced_by,
                created_at=now,
                not_before=not_before,
                not_after=not_after,
            )
    except IntegrityError as error:
        raise errors.Conflict("That key is already registered.", next_step="Make a new key pair.") from error


@transaction.atomic
def revoke_key(
    *,
    organisation: Organisation,
    fingerprint: str,
    now: datetime,
    introduced: bool = False,
    keep_access_keys: bool = False,
) -> Ending:
    """Idempotent; requests and tokens of the key are refused from now on. Raises NotEntitled for another's key.

    For operators, who may leave an organisation without a key; organisations themselves call `end_key`. `introduced`
    and `keep_access_keys`: as there.
    """
    check_kept(introduced=introduced, keep_access_keys=keep_access_keys)
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    key = OrganisationKey.objects.filter(organisation=organisation, fingerprint=fingerprint).first()
    if key is None:
        raise errors.NotEntitled
    brought = _introduced_by(key)
    ending = [row for row in brought if introduced and row.state_at(now) in ("active", "waiting")]
    _revoke([key, *ending], now)
    makers = [key, *brought] if introduced else [key]
    ended = () if keep_access_keys else _end_what_they_made(makers, now)
    left = [row for row in brought if row not in ending and row.state_at(now) in ("active", "waiting")]
    return Ending(key, tuple(ending), tuple(left), ended, access_keys_of(key, now=now))


@transaction.atomic
def end_key(
    *,
    caller: Caller,
    fingerprint: str,
    now: datetime,
    after: timedelta = timedelta(0),
    introduced: bool = False,
    keep_access_keys: bool = False,
    last: bool = False,
) -> Ending:
    """Revoke a key of the caller's own at once, or let it end `after` a while. Ending it again changes nothing.

    1. The organisation's keys take turns, so that two cannot end each other at the same moment.
    2. Without `last`, a key that opens a door must be left when all that is asked has ended. Raises LastKey.
    3. What a revoked key has made ends with it: one-time codes that nobody used, and its access keys unless
       `keep_access_keys` says that these are known to be in good hands. A key that ends `after` a while leaves them:
       they have ends of their own. `introduced`: the keys that it brought, and those that these brought, end as well,
       and all that any of them made: after a theft nobody knows who made it.

    Raises NotEntitled for another's key, UsageError for an overlap above 30 days, and for `introduced` together with
    `keep_access_keys`.
    """
    caller.require_write()
    check_kept(introduced=introduced, keep_access_keys=keep_access_keys)
    if not timedelta(0) <= after <= MAX_OVERLAP:
        raise errors.UsageError(f"A key may go on for at most {MAX_OVERLAP.days} days after it was told to end.")
    Organisation.objects.select_for_update(no_key=True).get(pk=caller.organisation.pk)
    mine = OrganisationKey.objects.filter(organisation=caller.organisation)
    key = mine.filter(fingerprint=fingerprint).first()
    if key is None:
        raise errors.NotEntitled
    brought = _introduced_by(key)
    ending = [row for row in brought if introduced and row.state_at(now) in ("active", "waiting")]
    if not last and (ending or key.state_at(now) != "revoked"):
        gone = [key.pk, *(row.pk for row in ending)]
        if not mine.in_force(now).not_over(now + after).exclude(pk__in=gone).exists():
            raise errors.LastKey
    _end(key, now=now, after=after)
    _revoke(mine.filter(pk__in=[row.pk for row in ending]), now)
    key.refresh_from_db()
    makers = [*([key] if introduced or key.revoked_at else []), *(brought if introduced else [])]
    access_keys = () if keep_access_keys else _end_what_they_made(makers, now)
    left = [row for row in brought if row not in ending and row.state_at(now) in ("active", "waiting")]
    ended = mine.filter(pk__in=[row.pk for row in ending]).select_related("holder", "introduced_by")
    return Ending(key, tuple(ended), tuple(left), access_keys, access_keys_of(key, now=now))


def check_kept(*, introduced: bool, keep_access_keys: bool) -> None:
    """Raises UsageError."""
    if introduced and keep_access_keys:
        raise errors.UsageError("After a theft nobody knows who made an access key, so none that the key made is kept.")


def access_keys_of(key: OrganisationKey, *, now: datetime) -> tuple[AccessKey, ...]:
    """Those that it made and that open doors."""
    return tuple(AccessKey.objects.filter(made_with=key, revoked_at=None, expires_at__gt=now))


def _end(key: OrganisationKey, *, now: datetime, after: timedelta) -> None:
    """At once, or by shortening its window; what has ended is left as it is."""
    begun = key.not_before is None or key.not_before < now + after
    if after and begun:
        OrganisationKey.objects.not_over(now + after).filter(pk=key.pk).update(not_after=now + after)
    else:
        _revoke([key], now)


def _revoke(keys: Iterable[OrganisationKey], now: datetime) -> None:
    """Compare-and-set on the keys; the codes that they made and nobody used are void with them."""
    revoked = list(keys)
    OrganisationKey.objects.filter(pk__in=[key.pk for key in revoked], revoked_at=None).update(revoked_at=now)
    _void_codes(revoked, now)


def _end_what_they_made(keys: Sequence[OrganisationKey], now: datetime) -> tuple[AccessKey, ...]:
    """Access keys and codes, also of keys that have run out meanwhile; the access keys that opened doors until now."""
    made = AccessKey.objects.filter(made_with__in=keys, revoked_at=None)
    open_ones = [row.pk for row in made.filter(expires_at__gt=now)]
    made.update(revoked_at=now)
    _void_codes(keys, now)
    return tuple(AccessKey.objects.filter(pk__in=open_ones))


def _void_codes(keys: Sequence[OrganisationKey], now: datetime) -> None:
    Invitation.objects.filter(made_with__in=keys, used_at=None, expires_at__gt=now).update(expires_at=now)


def _introduced_by(key: OrganisationKey) -> list[OrganisationKey]:
    """The keys that it brought, by its signature or by a code, and those that they brought."""
    found: list[OrganisationKey] = []
    newest = [key]
    while newest:
        newest = list(OrganisationKey.objects.filter(introduced_by__in=newest))
        found += newest
    return found


def record_key_seen(*, caller: Caller, clock_skew_seconds: int, now: datetime) -> None:
    """Note when a key last signed and how far its clock was off; at most a write in ten minutes per key."""
    stale = OrganisationKey.objects.filter(fingerprint=caller.key_id)
    stale.filter(last_seen_at=None).update(last_seen_at=now, clock_skew_seconds=clock_skew_seconds)
    stale.filter(last_seen_at__lt=now - SEEN_EVERY).update(last_seen_at=now, clock_skew_seconds=clock_skew_seconds)

"""From a key's fingerprint, a bearer token or an access key to the caller. Signatures are checked outside."""

from __future__ import annotations

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS

from hashshare.models import AccessKey, Organisation, OrganisationKey
from hashshare.selectors.callers import Caller
from hashshare.selectors.compiled import CompiledQuery
from hashshare.services.access_keys import secret_matches, split_access_key
from hashshare.services.tokens import read_token
from hashshare.wire import errors


def usable_key(*, fingerprint: str, now: datetime) -> OrganisationKey:
    """The key if it and its organisation are in force. Raises NotAuthenticated, the same for every reason."""
    key = key_of(fingerprint)
    if key is None or key.state_at(now) != "active":
        raise errors.NotAuthenticated
    if key.organisation.state != Organisation.State.ACTIVE:
        raise errors.NotAuthenticated
    return key


KEY_FIELDS = [field.attname for field in OrganisationKey._meta.concrete_fields]
ORGANISATION_FIELDS = [field.attname for field in Organisation._meta.concrete_fields]
KEYS = CompiledQuery(
    lambda marks: OrganisationKey.objects.filter(fingerprint=marks["fingerprint"]).values_list(
        *KEY_FIELDS, *(f"organisation__{name}" for name in ORGANISATION_FIELDS)
    ),
    fingerprint="\ue000",
)


def key_of(fingerprint: str) -> OrganisationKey | None:
    """The key's row with its organisation, by a query that every request makes and none should have to build."""
    for row in KEYS.rows(fingerprint=fingerprint):
        key = OrganisationKey.from_db(None, KEY_FIELDS, row[: len(KEY_FIELDS)])
        key.organisation = Organisation.from_db(None, ORGANISATION_FIELDS, row[len(KEY_FIELDS) :])
        return key
    return None


def caller_by_key(*, fingerprint: str, now: datetime) -> tuple[Caller, bytes]:
    """The caller and the raw 32-byte public key that its signature must verify with. Raises NotAuthenticated."""
    key = usable_key(fingerprint=fingerprint, now=now)
    return Caller(key.organisation, "signature", key.fingerprint), bytes(key.public_key)


def caller_by_token(*, token: str, now: datetime) -> Caller:
    """Whom a bearer token names, without asking the database. Whether its key is still in force is `confirm_key`'s.

    Of the organisation, only id and kind are there; anything else is fetched when it is asked for. Raises
    NotAuthenticated.
    """
    bearer = read_token(text=token, now=now)
    organisation = Organisation.from_db(DEFAULT_DB_ALIAS, ["id", "kind"], [bearer.organisation, bearer.kind])
    return Caller(organisation, "token", bearer.fingerprint)


def confirm_key(*, caller: Caller, now: datetime) -> Caller:
    """The caller of a token again, in full, if its key and organisation are in force. Raises NotAuthenticated."""
    key = usable_key(fingerprint=caller.key_id, now=now)
    return Caller(key.organisation, caller.via, key.fingerprint)


def caller_by_access_key(*, text: str, now: datetime) -> Caller:
    """The caller of `hsk_<prefix>_<secret>`. Raises NotAuthenticated."""
    prefix, secret = split_access_key(text)
    row = AccessKey.objects.select_related("organisation").filter(prefix=prefix).first()
    if row is None or not secret_matches(row, secret) or row.revoked_at is not None or row.expires_at <= now:
        raise errors.NotAuthenticated
    if row.organisation.state != Organisation.State.ACTIVE:
        raise errors.NotAuthenticated
    return Caller(row.organisation, "access_key", row.prefix)

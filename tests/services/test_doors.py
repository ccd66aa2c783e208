"""Keys, tokens, access keys and nonces: who gets in, and who no longer does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hashshare.models import AccessKey, UsedNonce
from hashshare.services.access_keys import create_access_key, revoke_access_key
from hashshare.services.authentication import caller_by_access_key, caller_by_key, caller_by_token, confirm_key
from hashshare.services.keys import record_key_seen, revoke_key
from hashshare.services.nonces import accept_nonce, prune_nonces
from hashshare.services.organisations import reinstate_organisation, suspend_organisation
from hashshare.services.tokens import issue_token
from hashshare.wire import errors, keys
from tests.builders import member, now

pytestmark = pytest.mark.django_db


def test_it_knows_a_key() -> None:
    cobalt = member()
    caller, raw = caller_by_key(fingerprint=cobalt.caller.key_id, now=now())
    assert (caller.organisation, caller.via) == (cobalt.organisation, "signature")
    assert raw == keys.public_bytes(cobalt.key)


def test_it_rejects_a_revoked_key_and_its_tokens() -> None:
    cobalt = member()
    token = issue_token(caller=cobalt.caller, now=now()).text
    caller = caller_by_token(token=token, now=now())
    assert confirm_key(caller=caller, now=now()) == caller
    assert caller.via == "token"
    revoke_key(organisation=cobalt.organisation, fingerprint=cobalt.caller.key_id, now=now())
    for door in (
        lambda: caller_by_key(fingerprint=cobalt.caller.key_id, now=now()),
        lambda: confirm_key(caller=caller_by_token(token=token, now=now()), now=now()),
    ):
        with pytest.raises(errors.NotAuthenticated):
            door()


def test_it_rejects_everything_of_a_suspended_organisation_until_it_is_reinstated() -> None:
    cobalt = member()
    _, text = create_access_key(caller=cobalt.caller, name="cron", days=1, now=now())
    suspend_organisation(organisation=cobalt.organisation)
    with pytest.raises(errors.NotAuthenticated):
        caller_by_access_key(text=text, now=now())
    with pytest.raises(errors.NotAuthenticated):
        caller_by_key(fingerprint=cobalt.caller.key_id, now=now())
    reinstate_organisation(organisation=cobalt.organisation)
    assert caller_by_access_key(text=text, now=now()).organisation == cobalt.organisation


def test_it_rejects_a_token_after_ten_minutes() -> None:
    cobalt = member()
    token = issue_token(caller=cobalt.caller, now=now())
    assert token.expires_in == 600
    with pytest.raises(errors.NotAuthenticated):
        caller_by_token(token=token.text, now=now() + timedelta(seconds=601))


def test_it_rejects_a_changed_token() -> None:
    text = issue_token(caller=member().caller, now=now()).text
    for changed in (text[:-1], text + "A", "hst." + text, "", "hst.", "hst.e30.x", text.replace(".", "!", 1)):
        with pytest.raises(errors.NotAuthenticated):
            caller_by_token(token=changed, now=now())


def test_it_rejects_a_token_for_a_token() -> None:
    cobalt = member()
    reader = caller_by_token(token=issue_token(caller=cobalt.caller, now=now()).text, now=now())
    with pytest.raises(errors.NotAllowed):
        issue_token(caller=reader, now=now())


def test_it_keeps_only_a_hash_of_an_access_key() -> None:
    row, text = create_access_key(caller=member().caller, name="cron", days=30, now=now())
    secret = text.split("_", 2)[2]
    assert secret not in " ".join(str(value) for value in AccessKey.objects.filter(pk=row.pk).values_list().get())


def test_it_rejects_wrong_expired_and_revoked_access_keys() -> None:
    cobalt = member()
    row, text = create_access_key(caller=cobalt.caller, name="cron", days=1, now=now())
    for wrong in (text + "x", text[:-1], "hsk_", "hsk_00000000_" + "a" * 43, "x" * 1000, ""):
        with pytest.raises(errors.NotAuthenticated):
            caller_by_access_key(text=wrong, now=now())
    with pytest.raises(errors.NotAuthenticated):
        caller_by_access_key(text=text, now=now() + timedelta(days=1, seconds=1))
    revoke_access_key(caller=cobalt.caller, access_key_id=row.pk, now=now())
    with pytest.raises(errors.NotAuthenticated):
        caller_by_access_key(text=text, now=now())


def test_it_lets_an_access_key_only_read() -> None:
    cobalt = member()
    _, text = create_access_key(caller=cobalt.caller, name="cron", days=1, now=now())
    reader = caller_by_access_key(text=text, now=now())
    with pytest.raises(errors.NotAllowed):
        create_access_key(caller=reader, name="more", days=1, now=now())


def test_it_rejects_revoking_anothers_access_key() -> None:
    row, _ = create_access_key(caller=member().caller, name="cron", days=1, now=now())
    with pytest.raises(errors.NotEntitled):
        revoke_access_key(caller=member("Cerise").caller, access_key_id=row.pk, now=now())


def test_it_accepts_a_nonce_once_per_key() -> None:
    cobalt, other = member(), member("Cerise")
    later = now() + timedelta(seconds=600)
    accept_nonce(caller=cobalt.caller, nonce="n" * 16, expires_at=later)
    accept_nonce(caller=other.caller, nonce="n" * 16, expires_at=later)
    with pytest.raises(errors.ReplayedRequest):
        accept_nonce(caller=cobalt.caller, nonce="n" * 16, expires_at=later)


def test_it_forgets_nonces_that_are_out_of_date() -> None:
    accept_nonce(caller=member().caller, nonce="n" * 16, expires_at=now())
    assert prune_nonces(now=now() - timedelta(seconds=1)) == 0
    assert prune_nonces(now=now() + timedelta(seconds=1)) == 1
    assert not UsedNonce.objects.exists()


def test_it_notes_the_clock_of_a_key_at_most_every_ten_minutes() -> None:
    cobalt = member()
    key = cobalt.organisation.keys.get()
    record_key_seen(caller=cobalt.caller, clock_skew_seconds=7, now=now())
    record_key_seen(caller=cobalt.caller, clock_skew_seconds=9, now=now())
    key.refresh_from_db()
    assert key.clock_skew_seconds == 7
    record_key_seen(caller=cobalt.caller, clock_skew_seconds=9, now=now() + timedelta(minutes=11))
    key.refresh_from_db()
    assert key.clock_skew_seconds == 9

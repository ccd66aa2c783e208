"""A peer's own requests, really signed: let in while it is a peer, refused from the very moment that it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches

from federation.selectors.peers import peer_of
from federation.services.peers import accept_peer, end_peer, introduce_peer, resume_peer, suspend_peer
from hashshare.models import Organisation
from hashshare.services.access_keys import create_access_key
from hashshare.services.organisations import reinstate_organisation, suspend_organisation
from hashshare.wire import errors, keys
from tests.api.parties import Party, replay, with_authorization
from tests.builders import member, now
from tests.federation.builders import Hub, hub, introduced, north, south

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    caches["limits"].clear()
    yield


def caller(made: Hub) -> Party:
    return Party(made.organisation, made.key)


def status(made: Hub) -> tuple[int, str]:
    """Of a signed request, with the name of the refusal."""
    return _told(caller(made).signed("GET", "status"))


def by_token(party: Party, token: str) -> tuple[int, str]:
    return _told(with_authorization(party.client, "GET", "heads", f"Bearer {token}"))


def _told(answer: Any) -> tuple[int, str]:
    refused = answer.status_code >= 400
    return answer.status_code, answer.json()["type"].rsplit("/", 1)[-1] if refused else ""


REFUSED = (401, "not-authenticated")
UNKNOWN = (401, "bad-request-signature")
"""What a stranger's signature is told, whatever the reason."""


def test_it_lets_an_accepted_hub_in_as_an_organisation_of_kind_hub() -> None:
    made = north()

    answer = caller(made).signed("GET", "status")

    assert answer.status_code == 200
    assert answer.json()["organisation"]["kind"] == "hub"
    assert caller(made).get("heads").status_code == 200


def test_it_lets_nobody_in_who_was_only_introduced() -> None:
    made = introduced(hub())

    assert _told(Party(Organisation(), made.key).signed("GET", "status")) == UNKNOWN


def test_it_refuses_keys_and_tokens_of_a_suspended_peer_at_once() -> None:
    made = north()
    party = caller(made)
    token = party.token()
    assert by_token(party, token)[0] == 200

    suspend_peer(name=made.name, now=now())

    assert status(made) == UNKNOWN
    assert by_token(party, token) == REFUSED
    resume_peer(name=made.name, now=now())
    assert status(made)[0] == 200
    assert by_token(party, token)[0] == 200


def test_it_refuses_access_keys_of_a_suspended_peer_at_once() -> None:
    made = north()
    _, text = create_access_key(caller=made.caller, name="curl", days=9, now=now())
    assert by_token(caller(made), text)[0] == 200

    suspend_peer(name=made.name, now=now())

    assert by_token(caller(made), text) == REFUSED


def test_it_refuses_a_peer_that_has_ended_and_keeps_calling() -> None:
    made = north()
    party = caller(made)
    token = party.token()

    end_peer(name=made.name, now=now())

    for _ in range(3):
        assert status(made) == UNKNOWN
        assert by_token(party, token) == REFUSED


def test_it_refuses_the_old_key_once_another_is_accepted() -> None:
    made = north()
    old = caller(made)
    end_peer(name=made.name, now=now())
    made.key = keys.generate()
    introduce_peer(url=made.url, now=now(), fetch=lambda _: made.descriptor)
    accept_peer(name=made.name, fingerprint=made.descriptor.fingerprint, now=now())

    assert _told(old.signed("GET", "status")) == UNKNOWN
    assert status(made)[0] == 200


def test_it_knows_a_peer_by_its_key_and_by_nothing_that_it_says() -> None:
    """South signs a request for which it names North's key."""
    one, other = north(), south()
    prepared = caller(other).prepare("GET", "status")
    theirs, mine = keys.fingerprint_of(one.key), keys.fingerprint_of(other.key)
    prepared.headers["Signature-Input"] = str(prepared.headers["Signature-Input"]).replace(mine, theirs)

    assert _told(replay(caller(other).client, prepared)) == UNKNOWN
    assert peer_of(organisation=caller(other).organisation) == other.peer


def test_it_names_no_peer_to_who_is_none_or_none_any_more() -> None:
    made = north()
    assert peer_of(organisation=made.organisation) == made.peer

    suspend_organisation(organisation=made.organisation)
    with pytest.raises(errors.NotAPeer):
        peer_of(organisation=made.organisation)

    with pytest.raises(errors.NotAPeer):
        peer_of(organisation=member().organisation)


def test_it_lets_no_suspended_peer_in_again_from_the_page_of_its_organisation() -> None:
    made = north()
    suspend_peer(name=made.name, now=now())

    with pytest.raises(errors.Conflict, match="peer resume"):
        reinstate_organisation(organisation=made.organisation)

    assert status(made) == UNKNOWN


def test_it_resumes_a_peer_whose_organisation_was_suspended_on_its_own_page() -> None:
    made = north()
    suspend_organisation(organisation=made.organisation)
    assert status(made) == UNKNOWN

    resume_peer(name=made.name, now=now())

    assert status(made)[0] == 200

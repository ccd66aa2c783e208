from __future__ import annotations

import pytest

from hashshare.wire import keys
from tests.federation.builders import agreed, north, south

pytestmark = pytest.mark.django_db


def test_it_makes_accepted_peers_with_keys_of_their_own() -> None:
    one, other = north(), south()

    assert one.peer.state == other.peer.state == "active"
    assert one.organisation.kind == "hub"
    key = one.organisation.keys.get()
    assert (key.fingerprint, bytes(key.public_key)) == (one.caller.key_id, keys.public_bytes(one.key))
    assert one.peer.fingerprint == one.descriptor.fingerprint != other.peer.fingerprint


def test_it_makes_agreements_in_force() -> None:
    one = north()

    made = agreed(one, "out", slug="images")

    assert made.in_force(one.peer.introduced_at)
    assert list(one.peer.agreements.all()) == [made]

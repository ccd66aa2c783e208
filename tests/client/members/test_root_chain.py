"""A publisher's root changes through TUF's own chain of signatures, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client import trust
from hashshare.wire import keys, repository
from hashshare.wire.repository.officers import next_root
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.test_sync import held_keys

NEW, STRANGER = keys.generate(), keys.generate()


@pytest.fixture
def held(cobalt: Cobalt, aurora: Aurora) -> set[bytes]:
    """Version 2 is held under root version 1, which was confirmed; version 3 is on offer."""
    aurora.release(items(5))
    assert cobalt.call("sync").status == 0
    assert cobalt.call("pin", aurora.domain, aurora.fingerprint).status == 0
    before = set(aurora.live)
    aurora.release(items(2))
    return before


def following(
    root: bytes, *signers: Ed25519PrivateKey, officer: Ed25519PrivateKey | None = None, **more: object
) -> bytes:
    """The root after `root`; with `officer`, that key in the place of the root role's."""
    named = {"root_keys": [keys.tuf_key(keys.public_bytes(officer))]} if officer else {}
    signs = [keys.tuf_signer(key) for key in signers]
    return next_root(root, signers=signs, now=datetime.now(UTC), **named, **more)  # type: ignore[arg-type]


def with_hub_key(aurora: Aurora, root: bytes, *signers: Ed25519PrivateKey, officer: Ed25519PrivateKey) -> bytes:
    """A root that also names another hub key; snapshot and timestamp are signed with that from now on."""
    aurora.online = keys.generate()
    hub = [keys.tuf_key(keys.public_bytes(aurora.online)), keys.tuf_key(keys.public_bytes(aurora.standby))]
    made = following(root, *signers, officer=officer, hub_keys=hub)
    aurora.refresh()
    return made


def test_a_root_that_the_one_before_signed_is_followed(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    """Every key that it names is new: officer and hub; what it signs is believed, and the pin holds."""
    second = with_hub_key(aurora, aurora.root, aurora.officer, NEW, officer=NEW)
    third = following(second, NEW)
    aurora.metadata.update({"2.root.json": second, "3.root.json": third})
    assert cobalt.call("sync").status == 0
    assert held_keys(cobalt, aurora) == set(aurora.live)
    known = trust.publisher(cobalt.home, aurora.domain)
    assert known is not None
    assert (known.state, known.fingerprint) == ("confirmed", repository.root_fingerprint(aurora.root))
    assert cobalt.call("verify").status == 0


def only_the_new_key(aurora: Aurora) -> dict[str, bytes]:
    return {"2.root.json": with_hub_key(aurora, aurora.root, NEW, officer=NEW)}


def only_the_old_key(aurora: Aurora) -> dict[str, bytes]:
    """Nobody shows that the new key is held by anybody."""
    return {"2.root.json": with_hub_key(aurora, aurora.root, aurora.officer, officer=NEW)}


def by_strangers(aurora: Aurora) -> dict[str, bytes]:
    return {"2.root.json": with_hub_key(aurora, aurora.root, STRANGER, officer=STRANGER)}


def broken_at_the_third(aurora: Aurora) -> dict[str, bytes]:
    second = following(aurora.root, aurora.officer, NEW, officer=NEW)
    return {
        "2.root.json": second,
        "3.root.json": with_hub_key(aurora, second, aurora.officer, STRANGER, officer=STRANGER),
    }


def with_a_gap(aurora: Aurora) -> dict[str, bytes]:
    """The third follows from the second, which is not shown."""
    second = following(aurora.root, aurora.officer, NEW, officer=NEW)
    return {"3.root.json": with_hub_key(aurora, second, NEW, officer=NEW)}


def with_a_skipped_number(aurora: Aurora) -> dict[str, bytes]:
    second = following(aurora.root, aurora.officer, NEW, officer=NEW)
    return {"2.root.json": with_hub_key(aurora, second, aurora.officer, NEW, officer=NEW)}


def another_first_root(aurora: Aurora) -> dict[str, bytes]:
    """Of somebody else, with everything under it."""
    other = Aurora(aurora.folder / "other")
    return dict(other.metadata)


def the_old_one_again(aurora: Aurora) -> dict[str, bytes]:
    """Root version 1 under the name of the second, and a hub key that none names."""
    aurora.online = keys.generate()
    aurora.refresh()
    return {"2.root.json": aurora.root}


LIES = [
    only_the_new_key,
    only_the_old_key,
    by_strangers,
    broken_at_the_third,
    with_a_gap,
    with_a_skipped_number,
    another_first_root,
    the_old_one_again,
]


@pytest.mark.parametrize("lie", LIES)
def test_any_other_is_refused_and_the_list_stays(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes], lie: Callable[[Aurora], dict[str, bytes]]
) -> None:
    right = dict(aurora.metadata), aurora.online, aurora.root
    aurora.metadata.update(lie(aurora))
    ran = cobalt.call("sync")
    assert ran.status == 4, ran
    assert "version 2 stays in use" in ran.err
    assert held_keys(cobalt, aurora) == held
    known = trust.publisher(cobalt.home, aurora.domain)
    assert known is not None
    assert (known.state, known.fingerprint) == ("confirmed", repository.root_fingerprint(right[2]))
    aurora.metadata, aurora.online = right[0], right[1]
    if lie is not broken_at_the_third:
        # Nothing of the lie was kept: with what is right, it goes on.
        aurora.refresh()
        assert cobalt.call("sync").status == 0
        assert held_keys(cobalt, aurora) == set(aurora.live)

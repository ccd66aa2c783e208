"""A root that names another hub's keys says whose they are; that hub then seals what members follow, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Root

from hashshare.wire import repository
from hashshare.wire.errors import MalformedMetadata, MalformedRequest
from hashshare.wire.repository.changes import describe, key_name
from hashshare.wire.repository.metadata import ROOT, read_typed
from hashshare.wire.repository.request_files import check_request
from hashshare.wire.repository.requests import SigningRequest
from hashshare.wire.repository.standby_hub import StandbyHub, hub_key_ids
from tests.wire.aurora import Aurora, Hand, edited, hands, keys_of, manifest_of, two
from tests.wire.test_ngclient import fetch_manifest, updater
from tests.wire.test_rotation import take

MANIFEST = manifest_of().to_bytes()


@pytest.fixture
def aurora() -> Aurora:
    made = Aurora()
    made.publish(MANIFEST, version=1)
    return made


@pytest.fixture
def south() -> list[Hand]:
    return hands(2)


def standby(south: list[Hand], hub: str = "south.example") -> StandbyHub:
    return StandbyHub(hub, tuple(keys_of(south)))


def following(aurora: Aurora, **changes: Any) -> bytes:
    return repository.next_root(aurora.root, signers=two(aurora), now=aurora.now, **changes)


def key_ids(root: bytes) -> set[str]:
    return hub_key_ids(read_typed(ROOT, root, Root).signed)


def test_a_root_names_a_standby_hub_and_its_keys(aurora: Aurora, south: list[Hand]) -> None:
    take(aurora, root=following(aurora, standby_hub=standby(south)))
    assert repository.standby_hub(aurora.root) == standby(south)
    assert key_ids(aurora.root) == {key.keyid for key in [*aurora.hub_keys, *keys_of(south)]}


def test_what_the_standby_hub_seals_is_followed_and_what_it_signs_of_lists_is_not(
    aurora: Aurora, south: list[Hand], tmp_path: Path
) -> None:
    updater(tmp_path, aurora).refresh()
    take(aurora, root=following(aurora, standby_hub=standby(south)))
    aurora.seal(by=south[0])
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1
    forged = repository.sign_release(
        list_id=manifest_of().list_id, manifest=MANIFEST, version=2, signers=[south[0].signer], now=aurora.now
    )
    aurora.serve_metadata(manifest_of().list_id, forged)
    aurora.feeds = {manifest_of().list_id: forged}
    aurora.seal(by=south[0])
    with pytest.raises(UnsignedMetadataError):
        fetch_manifest(updater(tmp_path, aurora))


def test_a_renewal_and_new_keys_of_the_hub_leave_the_standby_hub_in_place(aurora: Aurora, south: list[Hand]) -> None:
    take(aurora, root=following(aurora, standby_hub=standby(south)))
    take(aurora, root=following(aurora))
    assert repository.standby_hub(aurora.root) == standby(south)
    aurora.north = [aurora.north[1], Hand()]
    take(aurora, root=following(aurora, hub_keys=aurora.hub_keys))
    assert repository.standby_hub(aurora.root) == standby(south)
    assert key_ids(aurora.root) == {key.keyid for key in [*aurora.hub_keys, *keys_of(south)]}


def test_it_is_removed_with_its_keys(aurora: Aurora, south: list[Hand]) -> None:
    take(aurora, root=following(aurora, standby_hub=standby(south)))
    take(aurora, root=following(aurora, standby_hub=StandbyHub("", ())))
    assert repository.standby_hub(aurora.root) is None
    assert key_ids(aurora.root) == {key.keyid for key in aurora.hub_keys}


def test_the_standby_hub_that_is_the_hub_now_is_named_as_that_and_the_former_is_out(
    aurora: Aurora, south: list[Hand]
) -> None:
    take(aurora, root=following(aurora, standby_hub=standby(south)))
    aurora.north = south
    take(aurora, root=following(aurora, hub_keys=aurora.hub_keys))
    assert repository.standby_hub(aurora.root) is None
    assert key_ids(aurora.root) == {key.keyid for key in keys_of(south)}


def test_officers_can_change_their_keys_at_the_standby_hub_before_the_root_follows(
    aurora: Aurora, south: list[Hand]
) -> None:
    take(aurora, root=following(aurora, standby_hub=standby(south)))
    aurora.north = south
    take(aurora, root=following(aurora))


def test_no_key_comes_in_unseen(aurora: Aurora, south: list[Hand]) -> None:
    with pytest.raises(MalformedMetadata, match="neither this hub's nor a named standby hub's"):
        aurora.commit(root=following(aurora, hub_keys=[*aurora.hub_keys, south[0].key]))


def test_a_standby_hub_does_not_become_nameless(aurora: Aurora, south: list[Hand]) -> None:
    """The declaration gone and the keys still there: nobody would see whose they are."""
    take(aurora, root=following(aurora, standby_hub=standby(south)))

    def hide(signed: dict[str, Any]) -> None:
        raised(signed)
        del signed["standby_hub"]

    hidden = edited(aurora.root, hide, two(aurora))
    with pytest.raises(MalformedMetadata, match="neither this hub's"):
        aurora.commit(root=hidden)


def raised(signed: dict[str, Any]) -> None:
    signed["version"] += 1


FAULTS: dict[str, Any] = {
    "no object": lambda named: [],
    "more than is known": lambda named: {**named, "since": 1},
    "no name": lambda named: {**named, "hub": "South Hub\n"},
    "no keys": lambda named: {**named, "keyids": []},
    "a key twice": lambda named: {**named, "keyids": named["keyids"][:1] * 2},
    "three keys": lambda named: {**named, "keyids": [*named["keyids"], "0" * 64]},
    "a key that signs nothing": lambda named: {**named, "keyids": [named["keyids"][0], "0" * 64]},
    "numbers": lambda named: {**named, "keyids": [1]},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_rejects_a_standby_hub_that_is_named_wrongly(aurora: Aurora, south: list[Hand], fault: str) -> None:
    root = following(aurora, standby_hub=standby(south))

    def edit(signed: dict[str, Any]) -> None:
        signed["standby_hub"] = FAULTS[fault](signed["standby_hub"])

    with pytest.raises(MalformedMetadata) as refusal:
        aurora.commit(root=edited(root, edit, two(aurora)))
    assert refusal.value.facts == {"role": "root"}


def test_the_hubs_own_keys_are_not_all_the_standby_hubs(aurora: Aurora) -> None:
    def edit(signed: dict[str, Any]) -> None:
        raised(signed)
        signed["standby_hub"] = {"hub": "south.example", "keyids": signed["roles"]["timestamp"]["keyids"]}

    with pytest.raises(MalformedMetadata, match="beside the hub's own"):
        aurora.commit(root=edited(aurora.root, edit, two(aurora)))


def test_officers_are_told_which_hub_comes_and_what_it_could_do(aurora: Aurora, south: list[Hand]) -> None:
    root = repository.next_root(aurora.root, standby_hub=standby(south), signers=[], now=aurora.now)
    request = SigningRequest("aurora.example", (aurora.root,), aurora.targets, {"root": root})
    check_request(request)
    text = "\n".join(describe(request)[0].lines)
    assert "Standby hub: south.example may take over" in text and "it can forge nothing" in text
    assert all(key_name(key.keyid) in text for key in keys_of(south))
    gone = repository.next_root(
        following(aurora, standby_hub=standby(south)), standby_hub=StandbyHub("", ()), signers=[], now=aurora.now
    )
    removal = SigningRequest(
        "aurora.example", (aurora.root, following(aurora, standby_hub=standby(south))), aurora.targets, {"root": gone}
    )
    assert "south.example is no longer the standby hub." in "\n".join(describe(removal)[0].lines)


def test_officers_sign_nothing_else_that_a_root_might_say(aurora: Aurora) -> None:
    document = json.loads(repository.next_root(aurora.root, signers=[], now=aurora.now))
    document["signed"]["other_hub"] = {}
    request = SigningRequest("aurora.example", (aurora.root,), aurora.targets, {"root": json.dumps(document).encode()})
    with pytest.raises(MalformedRequest, match="does not know"):
        check_request(request)


def test_the_fingerprint_is_of_name_and_both_keys(south: list[Hand]) -> None:
    one = standby(south)
    others = [standby(south, "s0uth.example"), standby(south[::-1]), standby([south[0], Hand()])]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 4

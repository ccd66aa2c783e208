"""Metadata of another shape than this format allows is refused, however well it is signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tuf.api.metadata import Key

from hashshare.wire import repository
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.objects import manifest_path
from tests.wire.aurora import (
    LIST_ID,
    NOTHING,
    NOW,
    OTHER_LIST_ID,
    Aurora,
    Hand,
    edited,
    hands,
    keys_of,
    manifest_of,
    next_version,
    two,
)

MANIFEST = manifest_of().to_bytes()


@pytest.fixture
def aurora() -> Aurora:
    return Aurora()


def set_in(*path: str | int, value: object) -> Callable[[dict[str, Any]], object]:
    def edit(signed: dict[str, Any]) -> None:
        at: Any = signed
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value

    return edit


TARGET = {"length": 5, "hashes": {"sha256": "00" * 32}}

FEED_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "second hash": set_in("targets", manifest_path(LIST_ID), "hashes", "sha512", value="00" * 64),
    "other hash": set_in("targets", manifest_path(LIST_ID), "hashes", value={"md5": "00" * 16}),
    "upper-case hash": set_in("targets", manifest_path(LIST_ID), "hashes", value={"sha256": "AA" * 32}),
    "second target": set_in("targets", f"{LIST_ID}/more.json", value=TARGET),
    "foreign path": set_in("targets", value={manifest_path(OTHER_LIST_ID): TARGET}),
    "path above": set_in("targets", value={f"{LIST_ID}/../manifest.json": TARGET}),
    "no target": set_in("targets", value={}),
    "huge manifest": set_in("targets", manifest_path(LIST_ID), "length", value=2**40),
    "delegations": set_in("delegations", value={"keys": {}, "roles": []}),
}


@pytest.mark.parametrize("fault", FEED_FAULTS)
def test_it_rejects_a_feed_of_another_shape(aurora: Aurora, fault: str) -> None:
    feed = edited(aurora.sign(MANIFEST, version=1), FEED_FAULTS[fault], [aurora.feed.signer])
    with pytest.raises(MalformedMetadata) as refusal:
        aurora.commit(feed=feed)
    assert refusal.value.facts == {"role": LIST_ID}


def role_in_targets(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return set_in("delegations", "roles", 0, name, value=value)


TARGETS_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "own target": set_in("targets", "x", value=TARGET),
    "no delegations": lambda signed: signed.pop("delegations"),
    "not terminating": role_in_targets("terminating", value=False),
    "threshold": role_in_targets("threshold", value=2),
    "foreign paths": role_in_targets("paths", value=[f"{OTHER_LIST_ID}/*"]),
    "more paths": role_in_targets("paths", value=[f"{LIST_ID}/*", "*/*"]),
    "a name for people": role_in_targets("name", value="images"),
    "unlisted key": role_in_targets("keyids", value=["00" * 32]),
    "delegation removed": set_in("delegations", value={"keys": {}, "roles": []}),
    "hash bins": set_in(
        "delegations",
        value={"keys": {}, "succinct_roles": {"keyids": [], "threshold": 1, "bit_length": 1, "name_prefix": "b"}},
    ),
}


@pytest.mark.parametrize("fault", TARGETS_FAULTS)
def test_it_rejects_targets_of_another_shape(aurora: Aurora, fault: str) -> None:
    def edit(signed: dict[str, Any]) -> None:
        next_version(signed)
        TARGETS_FAULTS[fault](signed)

    with pytest.raises(MalformedMetadata) as refusal:
        aurora.commit(targets=edited(aurora.targets, edit, two(aurora)))
    assert refusal.value.facts == {"role": "targets"}


def test_it_rejects_a_list_delegated_to_the_hub(aurora: Aurora) -> None:
    targets = repository.delegate_list(
        aurora.targets, list_id=OTHER_LIST_ID, keys=[aurora.north[0].key], signers=two(aurora), now=NOW
    )
    with pytest.raises(MalformedMetadata):
        aurora.commit(targets=targets)


def small_order(signed: dict[str, Any]) -> None:
    spare: Key = Hand().key
    signed["keys"]["cd" * 32] = {**spare.to_dict(), "keyval": {"public": "01" + "00" * 31}}
    signed["roles"]["root"]["keyids"].append("cd" * 32)


ROOT_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no consistent snapshots": set_in("consistent_snapshot", value=False),
    "timestamp of two": set_in("roles", "timestamp", "threshold", value=2),
    "threshold above the keys": set_in("roles", "targets", "threshold", value=4),
    "hub key missing": lambda signed: signed["roles"]["timestamp"]["keyids"].pop(),
    "hub key for root": lambda signed: signed["roles"]["root"]["keyids"].append(
        signed["roles"]["timestamp"]["keyids"][0]
    ),
    "key of another kind": lambda signed: next(iter(signed["keys"].values())).update(
        keytype="ecdsa", scheme="ecdsa-sha2-nistp384"
    ),
    "key of small order": small_order,
}


@pytest.mark.parametrize("fault", ROOT_FAULTS)
def test_it_rejects_a_root_of_another_shape(aurora: Aurora, fault: str) -> None:
    def edit(signed: dict[str, Any]) -> None:
        next_version(signed)
        ROOT_FAULTS[fault](signed)

    with pytest.raises(MalformedMetadata) as refusal:
        aurora.commit(root=edited(aurora.root, edit, two(aurora)))
    assert refusal.value.facts == {"role": "root"}


def test_it_rejects_a_root_that_names_another_hub(aurora: Aurora) -> None:
    south = hands(2)
    with pytest.raises(MalformedMetadata):
        repository.verify_commit(
            NOTHING, roles={"root": aurora.root, "targets": aurora.targets}, hub_keys=keys_of(south), now=NOW
        )


def test_a_root_may_name_a_second_hub_beside_the_first(aurora: Aurora) -> None:
    south = repository.StandbyHub("south.example", tuple(keys_of(hands(2))))
    aurora.commit(root=repository.next_root(aurora.root, standby_hub=south, signers=two(aurora), now=NOW))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"signed": 1}',
        b"\xff",
        b'{"signatures": [], "signed": {"_type": "targets", "version": true}}',
        b'{"signatures": [], "signed": {"_type": "targets", "version": 1.0}}',
        b'{"signatures": [], "signed": {"version": 1, "version": 2}}',
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'{"signed": {"version": NaN}}',
        b" " * 600_000,
    ],
    ids=range(12),
)
def test_it_rejects_what_is_no_metadata(aurora: Aurora, body: bytes) -> None:
    for roles in ({"root": body}, {"targets": body}, {LIST_ID: body}):
        with pytest.raises(MalformedMetadata):
            aurora.commit_roles(roles)


def test_it_rejects_one_role_dressed_as_another(aurora: Aurora) -> None:
    with pytest.raises(MalformedMetadata):
        aurora.commit(root=repository.renew_targets(aurora.targets, signers=two(aurora), now=NOW))
    with pytest.raises(MalformedMetadata):
        aurora.commit(targets=repository.next_root(aurora.root, signers=two(aurora), now=NOW))


@pytest.mark.parametrize("role", ["snapshot", "timestamp", "", "../root", OTHER_LIST_ID])
def test_it_rejects_roles_that_no_publisher_commits(aurora: Aurora, role: str) -> None:
    with pytest.raises(MalformedMetadata):
        repository.verify_commit(
            aurora.trusted, roles={role: aurora.sign(MANIFEST, version=1)}, hub_keys=aurora.hub_keys, now=NOW
        )


def test_it_rejects_an_empty_commit_and_a_first_commit_without_targets(aurora: Aurora) -> None:
    with pytest.raises(MalformedMetadata):
        aurora.commit()
    with pytest.raises(MalformedMetadata):
        repository.verify_commit(NOTHING, roles={"root": aurora.root}, hub_keys=aurora.hub_keys, now=NOW)
    with pytest.raises(MalformedMetadata):
        repository.verify_commit(
            NOTHING, roles={LIST_ID: aurora.sign(MANIFEST, version=1)}, hub_keys=aurora.hub_keys, now=NOW
        )

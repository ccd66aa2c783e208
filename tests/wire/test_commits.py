"""What a hub accepts of a publisher's metadata, and every way in which it refuses."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import SSlibKey

from hashshare.wire import repository
from hashshare.wire.errors import BadSignature, ExpiredMetadata, HashshareError, MalformedMetadata, VersionConflict
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
    signers_of,
    two,
)

MANIFEST = manifest_of().to_bytes()


@pytest.fixture
def aurora() -> Aurora:
    return Aurora()


def first(aurora: Aurora, **roles: bytes) -> repository.Commit:
    return repository.verify_commit(NOTHING, roles=roles, hub_keys=aurora.hub_keys, now=aurora.now)


# --- accepted -----------------------------------------------------------------------------------------------------


def test_it_accepts_a_publishers_first_commit(aurora: Aurora) -> None:
    targets = repository.create_targets(signers=two(aurora), now=NOW)

    commit = first(aurora, root=aurora.root, targets=targets)

    assert commit.root is not None and commit.root.body == aurora.root
    assert commit.targets is not None and commit.targets.version == 1
    assert not commit.feeds


def test_it_accepts_release_after_release(aurora: Aurora) -> None:
    aurora.publish(MANIFEST, version=1)
    aurora.publish(MANIFEST, version=2)

    commit = aurora.commit(feed=aurora.sign(MANIFEST, version=3))

    assert commit.feeds[LIST_ID].version == 3
    assert commit.feeds[LIST_ID].name == f"3.{LIST_ID}.json"
    named = repository.feed_manifest(commit.feeds[LIST_ID].body, list_id=LIST_ID)
    assert (named.path, named.length) == (manifest_path(LIST_ID), len(MANIFEST))


def test_it_accepts_an_officer_signing_later_from_elsewhere(aurora: Aurora) -> None:
    alone = repository.renew_targets(aurora.targets, signers=signers_of(aurora.officers[:1]), now=NOW)
    with pytest.raises(BadSignature) as refusal:
        aurora.commit(targets=alone)
    assert refusal.value.facts == {"role": "targets", "have": 1, "need": 2}

    aurora.commit(targets=repository.add_signature("targets", alone, signer=aurora.officers[2].signer))


def test_it_accepts_a_second_list_beside_the_first(aurora: Aurora) -> None:
    aurora.publish(MANIFEST, version=1)
    both = repository.delegate_list(
        aurora.targets, list_id=OTHER_LIST_ID, keys=[Hand().key], signers=two(aurora), now=NOW
    )
    aurora.commit(targets=both)
    assert repository.list_ids(both) == (LIST_ID, OTHER_LIST_ID)


def test_it_accepts_a_lost_officers_key_replaced_by_the_others(aurora: Aurora) -> None:
    newcomer = Hand()
    remaining = aurora.officers[:2]
    root = repository.next_root(
        aurora.root, root_keys=[*keys_of(remaining), newcomer.key], signers=signers_of(remaining), now=NOW
    )
    commit = aurora.commit(root=root)
    assert commit.root is not None and newcomer.key.keyid in commit.root.signed.roles["root"].keyids


def test_it_accepts_a_renewed_root_after_the_old_one_expired(aurora: Aurora) -> None:
    later = NOW + timedelta(days=366)
    aurora.commit(root=repository.next_root(aurora.root, signers=two(aurora), now=later), now=later)


# --- versions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 4, 2**40])
def test_it_rejects_rollback_repetition_and_fast_forward_of_a_feed(aurora: Aurora, version: int) -> None:
    aurora.publish(MANIFEST, version=1)
    aurora.publish(MANIFEST, version=2)

    with pytest.raises(VersionConflict) as refusal:
        aurora.commit(feed=aurora.sign(MANIFEST, version=version))
    assert refusal.value.facts == {"role": LIST_ID, "current": 2, "offered": version}


def test_it_rejects_versions_of_root_and_targets_that_are_not_next(aurora: Aurora) -> None:
    with pytest.raises(VersionConflict):
        aurora.commit(root=aurora.root)
    with pytest.raises(VersionConflict):
        aurora.commit(targets=aurora.targets)
    with pytest.raises(VersionConflict):
        first(aurora, root=aurora.root, targets=aurora.targets)


# --- thresholds and stolen roles ----------------------------------------------------------------------------------


def test_it_rejects_a_root_without_the_old_threshold(aurora: Aurora) -> None:
    """Two thieves make themselves officers; one real officer helps."""
    thieves = hands(2)
    signers = signers_of([*thieves, aurora.officers[0]])
    root = repository.next_root(aurora.root, root_keys=keys_of(thieves), signers=signers, now=NOW)
    with pytest.raises(BadSignature) as refusal:
        aurora.commit(root=root)
    assert refusal.value.facts == {"role": "root", "have": 1, "need": 2}


def test_it_rejects_a_root_that_its_own_keys_did_not_sign(aurora: Aurora) -> None:
    root = repository.next_root(aurora.root, root_keys=keys_of(hands(2)), signers=two(aurora), now=NOW)
    with pytest.raises(BadSignature) as refusal:
        aurora.commit(root=root)
    assert refusal.value.facts == {"role": "root", "have": 0, "need": 2}


@pytest.mark.parametrize("thief", ["stranger", "hub", "officer", "other list"])
def test_it_rejects_a_feed_signed_by_somebody_else(aurora: Aurora, thief: str) -> None:
    other = Hand()
    aurora.targets = repository.delegate_list(
        aurora.targets, list_id=OTHER_LIST_ID, keys=[other.key], signers=two(aurora), now=NOW
    )
    by = {"stranger": Hand(), "hub": aurora.north[0], "officer": aurora.officers[0], "other list": other}[thief]
    with pytest.raises(BadSignature):
        aurora.commit(feed=aurora.sign(MANIFEST, version=1, by=by))


def test_it_rejects_the_stolen_feed_key_after_rotation(aurora: Aurora) -> None:
    aurora.publish(MANIFEST, version=1)
    new_feed = Hand()
    targets = repository.delegate_list(
        aurora.targets, list_id=LIST_ID, keys=[new_feed.key], signers=two(aurora), now=NOW
    )
    with pytest.raises(BadSignature):
        aurora.commit(targets=targets, feed=aurora.sign(MANIFEST, version=2))
    aurora.commit(targets=targets, feed=aurora.sign(MANIFEST, version=2, by=new_feed))


def test_it_rejects_leaving_a_feed_behind_that_no_key_covers(aurora: Aurora) -> None:
    aurora.publish(MANIFEST, version=1)
    targets = repository.delegate_list(aurora.targets, list_id=LIST_ID, keys=[Hand().key], signers=two(aurora), now=NOW)
    with pytest.raises(BadSignature):
        aurora.commit(targets=targets)


def test_it_rejects_leaving_targets_behind_that_no_key_covers(aurora: Aurora) -> None:
    root = repository.next_root(aurora.root, targets_keys=keys_of(hands(2)), signers=two(aurora), now=NOW)
    with pytest.raises(BadSignature):
        aurora.commit(root=root)


def test_it_rejects_one_signature_counted_twice(aurora: Aurora) -> None:
    alone = repository.renew_targets(aurora.targets, signers=signers_of(aurora.officers[:1]), now=NOW)
    document = json.loads(alone)
    document["signatures"] *= 2
    with pytest.raises(HashshareError) as refusal:
        aurora.commit(targets=json.dumps(document).encode())
    assert isinstance(refusal.value, BadSignature | MalformedMetadata)


def test_it_rejects_one_key_under_two_key_ids(aurora: Aurora) -> None:
    def double(signed: dict[str, Any]) -> None:
        next_version(signed)
        keyid = signed["roles"]["targets"]["keyids"][0]
        signed["keys"]["ab" * 32] = signed["keys"][keyid]
        signed["roles"]["targets"]["keyids"].append("ab" * 32)

    with pytest.raises(MalformedMetadata, match="two key ids"):
        aurora.commit(root=edited(aurora.root, double, two(aurora)))


@pytest.mark.parametrize("wrapped", [True, False])
def test_it_rejects_one_ecdsa_key_written_in_two_ways(aurora: Aurora, wrapped: bool) -> None:
    """PEM says the same however its lines are broken, and with a compressed point."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    first = SSlibKey.from_crypto(point)
    text = str(first.keyval["public"])
    if wrapped:
        head, *lines, foot = text.strip().split("\n")
        other = "\n".join([head, "".join(lines), foot])
    else:
        # RFC 5480 section 2.2: the same key, its point given by one coordinate and a sign.
        start = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
        packed = start + point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        other = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(packed).decode()}\n-----END PUBLIC KEY-----\n"

    def double(signed: dict[str, Any]) -> None:
        next_version(signed)
        for keyid, public in (("ab" * 32, text), ("cd" * 32, other)):
            signed["keys"][keyid] = {**first.to_dict(), "keyval": {"public": public}}
            signed["roles"]["targets"]["keyids"].append(keyid)

    with pytest.raises(MalformedMetadata, match="two key ids"):
        aurora.commit(root=edited(aurora.root, double, two(aurora)))


def test_it_rejects_a_signature_that_is_not_one(aurora: Aurora) -> None:
    feed = json.loads(aurora.sign(MANIFEST, version=1))
    for text in ("", "zz", "00" * 64, "00" * 100_000):
        feed["signatures"][0]["sig"] = text
        with pytest.raises(BadSignature):
            aurora.commit(feed=json.dumps(feed).encode())


# --- expiry -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "role"), [(15, LIST_ID), (91, "targets"), (366, "root")])
def test_it_rejects_what_has_expired(aurora: Aurora, days: int, role: str) -> None:
    feed = aurora.sign(MANIFEST, version=1)
    with pytest.raises(ExpiredMetadata) as refusal:
        aurora.commit(feed=feed, now=NOW + timedelta(days=days))
    assert refusal.value.facts == {"role": role}


def test_it_rejects_a_feed_that_would_hardly_ever_expire(aurora: Aurora) -> None:
    with pytest.raises(MalformedMetadata):
        aurora.commit(feed=aurora.sign(MANIFEST, version=1, life=timedelta(days=400)))

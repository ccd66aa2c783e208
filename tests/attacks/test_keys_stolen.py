"""What a thief of each key can do, and what not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hashshare.wire import keys
from hashshare.wire.repository import (
    add_signature,
    create_root,
    create_targets,
    delegate_list,
    next_root,
    read_role,
    renew_targets,
    sign_release,
    sign_timestamp,
)
from tests.attacks.scene import Scene, Victim
from tests.system.machines import enrolled


@pytest.mark.parametrize("key", ["feed", "targets"])
def test_of_the_hotline_a_lower_key_makes_no_root(scene: Scene, cobalt: Victim, key: str) -> None:
    thief = scene.officer_key(key)
    root = next_root(
        scene.newest("root"),
        root_keys=[keys.tuf_key(keys.public_bytes(thief))],
        signers=[keys.tuf_signer(thief)],
        now=datetime.now(UTC),
    )
    assert scene.commit({"root": root}, follows=1) == (422, "signature-threshold")
    scene.between.serve(r"/metadata/2\.root\.json$", body=root)
    cobalt.refused("signature-threshold")
    scene.between.honest()
    cobalt.recovers()


@pytest.mark.parametrize("thief", ["feed", "online"])
def test_a_feed_or_hub_key_delegates_nothing(scene: Scene, cobalt: Victim, thief: str) -> None:
    key = scene.online_key if thief == "online" else scene.officer_key(thief)
    standing = scene.newest("targets")
    targets = delegate_list(
        standing,
        list_id=scene.list_id,
        keys=[keys.tuf_key(keys.public_bytes(keys.generate()))],
        signers=[keys.tuf_signer(key)],
        now=datetime.now(UTC),
    )
    version = read_role("targets", standing).version
    assert scene.commit({"targets": targets}, follows=version) == (422, "signature-threshold")
    scene.lie_with(targets=targets)
    cobalt.refused("signature-threshold")


def test_the_hubs_key_signs_no_release(scene: Scene, cobalt: Victim) -> None:
    forged = sign_release(
        list_id=scene.list_id,
        manifest=scene.manifest(scene.list_id),
        version=read_role(scene.list_id, scene.newest(scene.list_id)).version + 1,
        signers=[keys.tuf_signer(scene.online_key)],
        now=datetime.now(UTC),
    )
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: forged})
    cobalt.refused("signature-threshold")


def test_a_feed_key_reaches_one_list_only(scene: Scene) -> None:
    """Here both lists' feeds happen to have one key; the role, not the key, decides what a signature is about."""
    first, other = scene.newest(scene.list_id), scene.newest(scene.other_id)
    version = read_role(scene.other_id, other).version
    signer = keys.tuf_signer(scene.officer_key("feed"))
    crossed = sign_release(
        list_id=scene.list_id,
        manifest=scene.manifest(scene.list_id),
        version=version + 1,
        signers=[signer],
        now=datetime.now(UTC),
    )
    status, kind = scene.commit({scene.other_id: crossed}, follows=version)
    assert (status, kind) == (422, "malformed-metadata")
    assert (scene.newest(scene.list_id), scene.newest(scene.other_id)) == (first, other)


@pytest.mark.parametrize("role", ["root", "targets"])
def test_an_older_signature_cannot_be_handed_in_again(scene: Scene, role: str) -> None:
    body = scene.newest(role)
    version = read_role(role, body).version
    status, kind = scene.commit({role: body}, follows=version)
    assert (status, kind) == (409, "version-conflict")


def test_a_timestamp_key_of_nobody(scene: Scene, cobalt: Victim) -> None:
    """Whoever sits between and has no key at all."""
    above = read_role("timestamp", scene.newest("timestamp")).version + 1
    forged = sign_timestamp(
        snapshot=scene.newest("snapshot"),
        version=above,
        signer=keys.tuf_signer(keys.generate()),
        now=datetime.now(UTC),
    )
    scene.between.serve(r"/metadata/timestamp\.json$", body=forged)
    cobalt.refused("signature-threshold")
    scene.between.honest()
    cobalt.recovers()


def test_targets_signed_by_the_root_key_alone(scene: Scene) -> None:
    """Each role has keys of its own; a higher one does not stand in for a lower."""
    standing = scene.newest("targets")
    signer = keys.tuf_signer(scene.officer_key("root"))
    version = read_role("targets", standing).version
    forged = renew_targets(standing, signers=[signer], now=datetime.now(UTC))
    assert scene.commit({"targets": forged}, follows=version) == (422, "signature-threshold")


def test_one_of_three_officers_alone(scene: Scene, tmp_path: Path) -> None:
    """Where two of three must sign, a thief with one root and one targets key changes nothing."""
    domain = "borealis.example"
    borealis = enrolled(scene.hub, tmp_path, kind="hotline", name="Borealis", domain=domain, url=scene.url)
    officers, now = [keys.generate() for _ in range(3)], datetime.now(UTC)
    public = [keys.tuf_key(keys.public_bytes(officer)) for officer in officers]
    first, *others = [keys.tuf_signer(officer) for officer in officers]
    root = create_root(
        root_keys=public, targets_keys=public, hub_keys=scene.hub_keys, threshold=2, signers=others, now=now
    )
    targets = create_targets(signers=others, now=now)

    def commit(roles: dict[str, bytes], follows: int) -> tuple[int, str]:
        return scene.commit(roles, follows=follows, domain=domain, machine=borealis)

    assert commit({"root": root, "targets": targets}, 0) == (202, "")
    thief = keys.generate()
    taken = next_root(root, root_keys=[keys.tuf_key(keys.public_bytes(thief))], threshold=1, signers=[first], now=now)
    assert commit({"root": add_signature("root", taken, signer=keys.tuf_signer(thief))}, 1) == (
        422,
        "signature-threshold",
    )
    assert commit({"targets": renew_targets(targets, signers=[first], now=now)}, 1) == (422, "signature-threshold")
    twice = add_signature("targets", renew_targets(targets, signers=[first], now=now), signer=first)
    assert commit({"targets": twice}, 1)[0] == 422

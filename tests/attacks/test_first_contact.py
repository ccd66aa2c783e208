"""A hub that lies from the first word on, and one that begins to lie later."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire import keys
from hashshare.wire.repository import create_root, next_root, root_fingerprint
from tests.attacks.forged import heads
from tests.attacks.scene import DOMAIN, LIST, Scene, Victim
from tests.system.machines import Machine


def impostor(scene: Scene) -> bytes:
    """A root version 1 of the same domain under Mallory's keys, with the hub's own keys for its part."""
    officer = keys.generate()
    own = [keys.tuf_key(keys.public_bytes(officer))]
    return create_root(
        root_keys=own,
        targets_keys=own,
        hub_keys=scene.hub_keys,
        signers=[keys.tuf_signer(officer)],
        now=datetime.now(UTC),
    )


def invited(scene: Scene, folder: Path) -> tuple[Machine, str]:
    words = ("invite", "--kind", "member", "--name", f"Newcomer {folder.name}", "--country", "NL")
    return Machine(folder / "newcomer"), scene.hub.manage(*words).stdout.strip()


def show(scene: Scene, root: bytes) -> None:
    """Give that root in the place of Aurora's, at enrolment and later."""

    def swapped(body: bytes) -> bytes:
        answer = json.loads(body)
        for row in answer["publishers"]:
            row["root"] = base64.b64encode(root).decode()
            row["fingerprint"] = root_fingerprint(root)
        return json.dumps(answer).encode()

    scene.between.serve(r"/(enrolments|publishers)$", change=swapped)
    scene.between.serve(r"/metadata/1\.root\.json$", body=root)


def test_at_first_contact_it_is_unconfirmed_and_said_so(scene: Scene, tmp_path: Path) -> None:
    """Whatever the hub says, `status` names every root that no other channel confirmed."""
    newcomer, code = invited(scene, tmp_path)
    newcomer.run("enroll", scene.url, code)
    newcomer.run("subscribe", LIST, "--accept-terms")
    status = newcomer.run("status")
    [publisher] = [row for row in status["publishers"] if row["publisher"] == DOMAIN]
    assert publisher["trust"] == "unconfirmed"


def test_at_first_contact_a_root_pinned_beforehand_is_not_replaced(scene: Scene, tmp_path: Path) -> None:
    """Mallory's root is refused for what the publisher's letterhead says."""
    newcomer, code = invited(scene, tmp_path)
    newcomer.run("pin", DOMAIN, root_fingerprint(scene.newest("root")))
    show(scene, impostor(scene))
    victim = Victim(newcomer, scene.list_id)
    enrolled = victim.attempt("enroll", scene.url, code)
    [refused] = enrolled.document["refused"]
    assert "is not the one that was pinned here" in refused["detail"]
    assert not list((newcomer.home / "publishers" / DOMAIN).glob("root.json"))


def test_later_another_first_root_is_refused(scene: Scene, cobalt: Victim) -> None:
    """A root once held is never replaced on a hub's word."""
    show(scene, impostor(scene))
    held = (cobalt.machine.home / "publishers" / DOMAIN / "root.json").read_bytes()
    cobalt.sync()
    assert (cobalt.machine.home / "publishers" / DOMAIN / "root.json").read_bytes() == held
    pinned = json.loads((cobalt.machine.home / "publishers" / DOMAIN / "trust.json").read_text())
    assert pinned["expected"] == root_fingerprint(scene.newest("root"))


def test_later_a_root_outside_the_chain_is_refused(scene: Scene, cobalt: Victim) -> None:
    """Version 2 signed by its own new keys, and not by those of version 1."""
    thief = keys.generate()
    own = [keys.tuf_key(keys.public_bytes(thief))]
    root = next_root(
        scene.newest("root"), root_keys=own, targets_keys=own, signers=[keys.tuf_signer(thief)], now=datetime.now(UTC)
    )
    scene.between.serve(r"/metadata/2\.root\.json$", body=root)
    cobalt.refused("signature-threshold")
    scene.between.honest()
    cobalt.recovers()


def test_later_a_gap_in_the_chain_is_not_jumped(scene: Scene, cobalt: Victim) -> None:
    """Version 3 served as version 2, signed by the right officer."""
    signer = keys.tuf_signer(scene.officer_key("root"))
    second = next_root(scene.newest("root"), signers=[signer], now=datetime.now(UTC))
    third = next_root(second, signers=[signer], now=datetime.now(UTC))
    scene.between.serve(r"/metadata/2\.root\.json$", body=third)
    cobalt.refused(("verification-failed", "malformed-metadata"))


def officers_root(scene: Scene) -> tuple[bytes, list[Ed25519PrivateKey]]:
    """Version 2, as Aurora might make it: three officers, of whom two must sign; and their keys."""
    officers = [keys.generate() for _ in range(3)]
    own = [keys.tuf_key(keys.public_bytes(officer)) for officer in officers]
    signers = [keys.tuf_signer(key) for key in (scene.officer_key("root"), *officers[:2])]
    root = next_root(
        scene.newest("root"), root_keys=own, targets_keys=own, threshold=2, signers=signers, now=datetime.now(UTC)
    )
    return root, officers


def test_later_a_new_root_that_its_own_keys_did_not_sign_is_refused(scene: Scene, cobalt: Victim) -> None:
    """The old officer signs for keys that nobody shows to hold."""
    own = [keys.tuf_key(keys.public_bytes(keys.generate()))]
    signers = [keys.tuf_signer(scene.officer_key("root"))]
    root = next_root(scene.newest("root"), root_keys=own, targets_keys=own, signers=signers, now=datetime.now(UTC))
    scene.between.serve(r"/metadata/2\.root\.json$", body=root)
    cobalt.refused("signature-threshold")
    scene.between.honest()
    cobalt.recovers()


@pytest.mark.parametrize("threshold", [2, 1], ids=["as before", "lowered to one"])
def test_later_one_officer_of_three_continues_no_chain(scene: Scene, cobalt: Victim, threshold: int) -> None:
    """Version 2 is right and asks for two; version 3 has one signature, whatever threshold it gives itself."""
    second, officers = officers_root(scene)
    signer = keys.tuf_signer(officers[2])
    own = [signer.public_key] if threshold == 1 else None
    third = next_root(second, root_keys=own, threshold=threshold, signers=[signer], now=datetime.now(UTC))
    scene.between.serve(r"/metadata/2\.root\.json$", body=second)
    scene.between.serve(r"/metadata/3\.root\.json$", body=third)
    cobalt.refused("signature-threshold")


def test_later_a_publisher_that_begins_anew_is_believed_by_its_fingerprint_alone(scene: Scene, cobalt: Victim) -> None:
    """Whoever was told of another first root takes that one, and not whatever else the hub shows in its place."""
    words = ("pin", DOMAIN, "ab" * 32)
    held = (cobalt.machine.home / "publishers" / DOMAIN / "root.json").read_bytes()
    assert cobalt.attempt(*words).code == 4
    assert cobalt.attempt(*words, "--replace").code == 0
    show(scene, impostor(scene))
    scene.between.serve(r"/heads$", body=heads(scene))
    done = cobalt.sync()
    assert done.code == 4, done
    assert (cobalt.machine.home / "publishers" / DOMAIN / "root.json").read_bytes() == held
    assert cobalt.finds(scene.keys_before[0])

"""Old versions, huge versions and hubs that stand still: members move forward only, and notice when nothing moves."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from hashshare.wire import keys
from hashshare.wire.repository import read_role, sign_release, sign_timestamp
from tests.attacks.forged import heads
from tests.attacks.scene import Scene, Victim


def test_rollback_of_everything(scene: Scene, cobalt: Victim) -> None:
    """The whole old state, each file of which was once right."""
    cobalt.recovers()
    old = sorted((scene.cobalt_home / "publishers" / "aurora.example" / "metadata").glob("*.json"))
    assert "timestamp" in [path.stem for path in old]
    for path in old:
        body, role = path.read_bytes(), path.stem
        served = "timestamp" if role == "timestamp" else rf"{read_role(role, body).version}\.{role}"
        scene.between.serve(rf"/metadata/{served}\.json$", body=body)
    scene.between.serve(r"/heads$", body=heads(scene, role_version=99, version=99))
    cobalt.refused("verification-failed")


def test_rollback_under_a_new_signature_of_the_hub(scene: Scene, cobalt: Victim) -> None:
    """A hostile hub may sign a newer snapshot; that it names an older feed, or lacks one, is noticed."""
    cobalt.recovers()
    newest = scene.newest(scene.list_id)
    older = scene.fetch(f"metadata/{read_role(scene.list_id, newest).version - 1}.{scene.list_id}.json")
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: older})
    scene.between.serve(r"/heads$", body=heads(scene, role_version=99, version=99))
    cobalt.refused(("verification-failed", "malformed-metadata"))


def test_fast_forward_by_a_stolen_feed_key(scene: Scene, cobalt: Victim) -> None:
    """A number near the end of all numbers would lock the hotline out; the hub takes only the next."""
    feed = scene.newest(scene.list_id)
    version = read_role(scene.list_id, feed).version
    ahead = sign_release(
        list_id=scene.list_id,
        manifest=scene.manifest(scene.list_id),
        version=version + 1_000_000,
        signers=[keys.tuf_signer(scene.officer_key("feed"))],
        now=datetime.now(UTC),
    )
    assert scene.commit({scene.list_id: ahead}, follows=version) == (409, "version-conflict")
    assert scene.newest(scene.list_id) == feed
    cobalt.recovers()


def test_a_frozen_hub_shows_when_its_timestamp_ends(scene: Scene, cobalt: Victim) -> None:
    """The hub serves what was right yesterday and says that nothing is new; the list stays in use and alarms."""
    scene.lie_with(life=timedelta(seconds=4))
    cobalt.recovers()
    held = cobalt.held()
    time.sleep(4)
    cobalt.refused("expired-metadata")
    assert cobalt.held() == held
    assert cobalt.finds(scene.keys_before[0])


def test_a_hub_that_keeps_signing_cannot_freeze_a_list_for_ever(scene: Scene, cobalt: Victim) -> None:
    """Its own signatures are fresh; the feed's is not, and the hub cannot renew that."""
    feed = scene.newest(scene.list_id)
    last = sign_release(
        list_id=scene.list_id,
        manifest=scene.manifest(scene.list_id),
        version=read_role(scene.list_id, feed).version + 1,
        signers=[keys.tuf_signer(scene.officer_key("feed"))],
        now=datetime.now(UTC),
        life=timedelta(seconds=4),
    )
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: last})
    cobalt.recovers()
    time.sleep(4)
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: last}, raise_by=2)
    scene.between.serve(r"/heads$", body=heads(scene, role_version=99, version=99))
    cobalt.refused("expired-metadata")


def test_fast_forward_by_a_hostile_hub_ends_with_its_key(scene: Scene, cobalt: Victim) -> None:
    """A timestamp of an enormous number keeps members from newer ones: it is said, and a signature under another key
    than the root names is never taken for the way out."""
    scene.lie_with(raise_by=1_000_000)
    cobalt.recovers()
    scene.between.honest()
    scene.between.serve(r"/heads$", body=heads(scene, role_version=99, version=99))
    cobalt.refused("verification-failed")
    stranger = keys.tuf_signer(keys.generate())
    above = read_role("timestamp", scene.newest("timestamp")).version + 2_000_000
    forged = sign_timestamp(snapshot=scene.newest("snapshot"), version=above, signer=stranger, now=datetime.now(UTC))
    scene.between.serve(r"/metadata/timestamp\.json$", body=forged)
    scene.between.serve(r"/heads$", body=heads(scene, role_version=99, version=99))
    cobalt.refused("signature-threshold")

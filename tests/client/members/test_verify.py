"""Checking what is held again, offline: what a failing disk or a curious hand changed is found and named."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from hashshare.client.proof import read_proof, write_proof
from hashshare.client.sealed import write_sealed
from hashshare.client.verify import verify_list
from hashshare.wire.errors import BadSignature, MalformedManifest, VerificationFailed, WrongDigest
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_sync import sync


@pytest.fixture
def synced(cobalt: Cobalt, aurora: Aurora) -> Cobalt:
    first = items(50)
    aurora.release(first)
    aurora.rotate_root()
    aurora.release(items(2), first[:3])
    sync(cobalt, aurora)
    return cobalt


def test_it_verifies_without_the_network(synced: Cobalt, aurora: Aurora, north: North) -> None:
    north.requests.clear()
    done = synced.run("verify", "--json")
    assert done.status == 0, done.err
    row = done.json["lists"][0]
    assert (row["ok"], row["entries"], row["trust"]) == (True, 49, "unconfirmed")
    assert row["fingerprint"] == aurora.fingerprint
    assert north.requests == []


def test_it_finds_a_changed_manifest(synced: Cobalt, aurora: Aurora) -> None:
    held = synced.store(aurora).held()
    assert held is not None
    path = synced.store(aurora).manifest_path(held.manifest_sha256)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(WrongDigest):
        verify_list(synced.store(aurora))


def test_it_finds_a_forged_feed(synced: Cobalt, aurora: Aurora) -> None:
    held = synced.store(aurora).held()
    assert held is not None
    path = synced.store(aurora).proof_path(held.manifest_sha256)
    proof = read_proof(path)
    feed = json.loads(proof.feed)
    feed["signed"]["version"] += 1
    write_proof(path, replace(proof, feed=json.dumps(feed).encode()))
    with pytest.raises(BadSignature):
        verify_list(synced.store(aurora))


def test_it_finds_a_changed_root(synced: Cobalt, aurora: Aurora) -> None:
    root = synced.home.publisher_dir(aurora.domain) / "root.json"
    root.write_bytes(root.read_bytes() + b"\n")
    with pytest.raises(VerificationFailed):
        verify_list(synced.store(aurora))


def test_it_finds_a_left_out_delta(synced: Cobalt, aurora: Aurora) -> None:
    """By somebody who wrote the checksum anew; the sync that `verify` advises mends it."""
    store = synced.store(aurora)
    held = store.usable()
    write_sealed(store.folder / "current.json", replace(held, deltas=held.deltas[:-1]).to_json())
    with pytest.raises(MalformedManifest, match="does not name") as found:
        verify_list(store)
    assert found.value.next_step.endswith("--force")
    assert synced.run("sync", "--force").status == 0
    assert verify_list(store).entries == 49


def test_a_failed_sync_leaves_a_state_that_verifies(synced: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(5))
    path = aurora.object_path("delta-3-4")
    aurora.objects[path] = os.urandom(len(aurora.objects[path]))
    with pytest.raises(WrongDigest):
        sync(synced, aurora)
    assert verify_list(synced.store(aurora)).version == 3

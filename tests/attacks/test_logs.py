"""Logs that were rewritten, cut off, or passed for those of a restored hub: refused, and kept as evidence."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime

import pytest

from hashshare.client.logs import Seen
from hashshare.wire import keys
from hashshare.wire.log import Checkpoint, sign_checkpoint
from hashshare.wire.log.successions import Succession, sign_succession
from tests.attacks.scene import DOMAIN, LIST, Scene, Victim
from tests.wire.log.naive import mth

SEAL = "from hashshare.tasks import seal_logs; seal_logs()"


@pytest.fixture
def seen(scene: Scene, cobalt: Victim) -> Seen:
    """What Cobalt remembers of Aurora's log."""
    scene.hub.manage("shell", "-c", SEAL)
    assert cobalt.attempt("receipts", LIST).code == 0
    path = cobalt.machine.home / "logs" / f"{DOMAIN}.json"
    return Seen.from_json(json.loads(path.read_text()), path=path)


def pass_off(scene: Scene, checkpoint: Checkpoint, *statements: str, signed: bool = True) -> None:
    """The hub goes on with that log, and proves nothing, since it cannot."""
    key = keys.load(scene.hub.data / "keys" / "log.pem") if signed else keys.generate()
    note = sign_checkpoint(checkpoint, key=key)

    def swapped(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), "checkpoint": note, "receipts": []}).encode()

    scene.between.serve(r"/receipts$", change=swapped)
    scene.between.serve(r"/log/[^/]+/checkpoint$", body=note.encode())
    scene.between.serve(r"/log/[^/]+/consistency$", body=b'{"consistency":[]}')
    scene.between.serve(r"/log/[^/]+/successions$", body=json.dumps({"successions": statements}).encode())


def log_refused(cobalt: Victim, seen: Seen, *kinds: str) -> None:
    done = cobalt.attempt("receipts", LIST)
    assert (done.code, done.error["type"] in kinds) == (4, True), done
    path = cobalt.machine.home / "logs" / f"{DOMAIN}.json"
    remembered = Seen.from_json(json.loads(path.read_text()), path=path)
    assert (remembered.origin, remembered.size, remembered.root) == (seen.origin, seen.size, seen.root)
    assert remembered.checkpoint == seen.checkpoint


def test_a_log_that_was_rewritten(scene: Scene, cobalt: Victim, seen: Seen) -> None:
    """Of the same size, longer or cut off: under its own name it is a fork, and the hub's word is kept as proof."""
    pass_off(scene, Checkpoint(seen.origin, seen.size, secrets.token_bytes(32)))
    log_refused(cobalt, seen, "log-forked")
    pass_off(scene, Checkpoint(seen.origin, seen.size + 5, secrets.token_bytes(32)))
    log_refused(cobalt, seen, "log-forked", "wrong-proof")
    pass_off(scene, Checkpoint(seen.origin, 1, mth([b"begun anew"])))
    log_refused(cobalt, seen, "log-forked", "wrong-proof")
    assert list((cobalt.machine.home / "logs" / "refused").glob("*.txt"))


def test_a_log_passed_for_a_restored_hub_s(scene: Scene, cobalt: Victim, seen: Seen) -> None:
    """Another name alone excuses nothing: without the hub's signed word on what is left, or with a stranger's."""
    successor = Checkpoint(f"{seen.origin}/2", 1, mth([b"begun anew"]))
    pass_off(scene, successor)
    log_refused(cobalt, seen, "wrong-proof")
    nothing = Succession(seen.origin, 0, mth([]), successor.origin, datetime.now(UTC))
    pass_off(scene, successor, sign_succession(nothing, key=keys.generate()))
    log_refused(cobalt, seen, "signature-threshold", "bad-signature", "malformed-log")
    pass_off(scene, successor, signed=False)
    log_refused(cobalt, seen, "log-key-changed")


def test_a_log_that_is_superseded_openly(scene: Scene, cobalt: Victim, seen: Seen) -> None:
    """With that word it is followed, and what is lost is said, with the old checkpoint kept against the hub."""
    nothing = Succession(seen.origin, 0, mth([]), f"{seen.origin}/2", datetime.now(UTC))
    signed = sign_succession(nothing, key=keys.load(scene.hub.data / "keys" / "log.pem"))
    pass_off(scene, Checkpoint(nothing.successor, 1, mth([b"begun anew"])), signed)
    process = cobalt.machine.start("receipts", LIST)
    output, errors = process.communicate(timeout=60)
    assert f"{seen.size}" in output + errors
    [row] = json.loads((cobalt.machine.home / "logs" / "superseded" / f"{DOMAIN}.json").read_text())["logs"]
    assert (row["lost"], row["checkpoint"], row["statements"]) == (seen.size, seen.checkpoint, [signed])

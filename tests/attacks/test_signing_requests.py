"""Signing requests that were forged on their way: the officer's own program refuses them, or shows what they do."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hashshare.wire import keys
from hashshare.wire.repository import create_root, delegate_list, next_root, renew_targets
from hashshare.wire.repository.requests import SigningRequest
from tests.attacks.scene import DOMAIN, Scene
from tests.attacks.test_first_contact import impostor
from tests.system.machines import Machine


def renewal(scene: Scene) -> SigningRequest:
    """Root and targets again, for an officer to sign."""
    root, targets, now = scene.newest("root"), scene.newest("targets"), datetime.now(UTC)
    roles = {"root": next_root(root, signers=[], now=now), "targets": renew_targets(targets, signers=[], now=now)}
    return SigningRequest(DOMAIN, (root,), targets, roles)


def another_chain(scene: Scene) -> bytes:
    """The request follows from Mallory's root, and asks Aurora's officers for their hand under it."""
    return replace(renewal(scene), chain=(impostor(scene),)).to_bytes()


def a_feed_more(scene: Scene) -> bytes:
    """Said to be a renewal; the metadata has one list more, and skips a version."""
    now, own = datetime.now(UTC), [keys.tuf_key(keys.public_bytes(keys.generate()))]
    targets = delegate_list(scene.newest("targets"), list_id=secrets.token_hex(8), keys=own, signers=[], now=now)
    twice = renew_targets(targets, signers=[], now=now)
    return replace(renewal(scene), roles={"targets": twice}).to_bytes()


def with_unknown_words(scene: Scene) -> bytes:
    """Something that the officer's program would not know how to show."""
    request = renewal(scene)
    root = json.loads(request.roles["root"])
    root["signed"]["x-also"] = "whatever"
    return replace(request, roles={"root": json.dumps(root).encode()}).to_bytes()


def a_root_for_targets(scene: Scene) -> bytes:
    request = renewal(scene)
    return replace(request, roles={"targets": request.roles["root"]}).to_bytes()


def a_first_root_again(scene: Scene) -> bytes:
    """A chain that is there, and new metadata that begins anew."""
    own = [keys.tuf_key(keys.public_bytes(keys.generate()))]
    root = create_root(root_keys=own, targets_keys=own, hub_keys=scene.hub_keys, signers=[], now=datetime.now(UTC))
    return replace(renewal(scene), roles={"root": root}).to_bytes()


def a_changed_byte(scene: Scene) -> bytes:
    """In the root that the request follows."""
    document = json.loads(renewal(scene).to_bytes())
    root = base64.b64decode(document["chain"][0]).replace(b'"threshold"', b'"thresholD"', 1)
    document["chain"][0] = base64.b64encode(root).decode()
    return json.dumps(document).encode()


REQUESTS = [another_chain, a_feed_more, with_unknown_words, a_root_for_targets, a_first_root_again, a_changed_byte]


def sign(scene: Scene, path: Path, home: Path) -> tuple[int, Any, str]:
    """An officer's own program, on a machine of its own, with the right keys at hand."""
    folder = scene.aurora.home / "publisher" / DOMAIN / "keys"
    officer = Machine(home)
    process = officer.start(
        "publisher", "sign", path, "--keys", folder, "-o", home.parent / "signed", "--yes", "--json"
    )
    output, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    return process.returncode, json.loads(output), errors


@pytest.mark.parametrize("forge", REQUESTS)
def test_a_forged_signing_request(scene: Scene, tmp_path: Path, forge: Callable[[Scene], bytes]) -> None:
    """`publisher sign` refuses it by name, and no signature leaves the machine."""
    path = tmp_path / "request.json"
    path.write_bytes(forge(scene))
    code, document, _ = sign(scene, path, tmp_path / "officer")
    assert (code, document["error"]["type"]) in {
        (4, "malformed-signing-request"),
        (4, "malformed-metadata"),
        (4, "signature-threshold"),
    }, document
    assert not (tmp_path / "signed").exists()


def test_what_is_signed_is_what_is_shown(scene: Scene, tmp_path: Path) -> None:
    """A right request is signed; one that hands a list to a stranger's key says so before it is."""
    path = tmp_path / "request.json"
    path.write_bytes(renewal(scene).to_bytes())
    code, document, _ = sign(scene, path, tmp_path / "officer")
    assert (code, document["missing"]) == (0, []), document
    stranger = keys.tuf_key(keys.public_bytes(keys.generate()))
    targets = delegate_list(
        scene.newest("targets"), list_id=scene.list_id, keys=[stranger], signers=[], now=datetime.now(UTC)
    )
    path.write_bytes(replace(renewal(scene), roles={"targets": targets}).to_bytes())
    folder = scene.aurora.home / "publisher" / DOMAIN / "keys"
    process = Machine(tmp_path / "other").start("publisher", "sign", path, "--keys", folder)
    output, errors = process.communicate(timeout=60)
    assert stranger.keyid[:8] in output.replace(" ", ""), output + errors
    assert (process.returncode != 0, "Nothing was signed" in output + errors) == (True, True), output + errors

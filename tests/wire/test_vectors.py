"""The golden vectors still say what this implementation does, and can be checked without it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import Metadata, Root, Targets

from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.chain import catch_up
from hashshare.wire.errors import HashshareError
from hashshare.wire.log import Receipt, Verifier, verify_acknowledgement
from hashshare.wire.major import Major
from hashshare.wire.manifest import Manifest
from hashshare.wire.signatures import SignableRequest, verify_request
from tests.vectors.generate import FOLDER, VECTORS, render
from tests.vectors.log import READERS
from tests.wire.log import naive


def vector(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", VECTORS)
def test_nothing_has_changed_for_other_implementations(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == render(name)


def test_fingerprints() -> None:
    given = vector("fingerprints.json")
    for key in given["keys"]:
        assert keys.fingerprint(bytes.fromhex(key["public"])) == key["id"]
    assert hashlib.sha256(given["root"]["body"].encode()).hexdigest() == given["root"]["fingerprint"]


def test_hub_descriptors() -> None:
    given = vector("hub-descriptors.json")
    said = json.loads(given["descriptor"])
    raw = {name: base64.b64decode(said[name]).hex() for name in ("peer_key", "witness_key", "log_key")}
    identity = json.dumps(
        {"format": "hashshare-hub/1", "hub": said["hub"], "url": said["url"], **raw}, separators=(",", ":")
    )
    assert identity + "\n" == given["identity"]
    assert hashlib.sha256(given["identity"].encode()).hexdigest() == given["fingerprint"]
    assert given["leaf"]["entry"].split("\n")[3] == given["fingerprint"]


def test_manifest() -> None:
    given = vector("manifest.json")
    manifest = Manifest.parse(given["body"].encode())
    assert manifest.to_bytes().decode() == given["body"]
    for held, expected in given["catch_up"].items():
        plan = catch_up(manifest, None if held == "nothing" else int(held))
        assert plan.base == expected["base"]
        assert [segment.object.name for segment in plan.segments] == expected["segments"]


def test_manifests_that_are_refused() -> None:
    for case in vector("manifest-refused.json")["cases"]:
        with pytest.raises(HashshareError) as refusal:
            Manifest.parse(case["body"].encode())
        assert refusal.value.slug == case["problem"]


def test_base_index() -> None:
    given = vector("base-index.json")
    assert BaseIndex.parse(given["body"].encode()).to_bytes().decode() == given["body"]


def test_request_signatures() -> None:
    given = vector("request-signatures.json")
    public = bytes.fromhex(given["public"])
    now = datetime.fromtimestamp(given["time"], tz=UTC)
    for case in given["cases"]:
        request = SignableRequest(case["method"], case["target_uri"], case["headers"])
        by = verify_request(request, resolve=lambda _: public, now=now)
        assert by.keyid == keys.fingerprint(public)
        raw = case["headers"]["Signature"].removeprefix("sig=:").removesuffix(":")
        signature = base64.b64decode(raw)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, case["signature_base"].encode())


def test_repository() -> None:
    """First as any TUF library would, then as a hub judges it."""
    given = vector("repository.json")
    files = {name: body.encode() for name, body in given["metadata"].items()}
    list_id = given["list_id"]
    root: Metadata[Root] = Metadata.from_bytes(files["1.root.json"])
    targets: Metadata[Targets] = Metadata.from_bytes(files["2.targets.json"])
    feed: Metadata[Targets] = Metadata.from_bytes(files[f"1.{list_id}.json"])
    root.signed.verify_delegate("root", root.signed_bytes, root.signatures)
    root.signed.verify_delegate("targets", targets.signed_bytes, targets.signatures)
    targets.signed.verify_delegate(list_id, feed.signed_bytes, feed.signatures)
    for path, body in given["targets"].items():
        assert f"{list_id}/{hashlib.sha256(body.encode()).hexdigest()}.manifest.json" == path

    repository.verify_commit(
        repository.Trusted(files["1.root.json"], files["2.targets.json"], {}),
        roles={list_id: files[f"1.{list_id}.json"]},
        hub_keys=[keys.tuf_key(bytes.fromhex(public)) for public in given["hub_keys"]],
        now=datetime(2026, 11, 22, 12, tzinfo=UTC),
    )


def test_majors() -> None:
    given = vector("majors.json")
    files = {name: body.encode() for name, body in given["metadata"].items()}
    targets: Metadata[Targets] = Metadata.from_bytes(files["3.targets.json"])
    major: Metadata[Targets] = Metadata.from_bytes(files["1.major.json"])
    targets.signed.verify_delegate("major", major.signed_bytes, major.signatures)
    body, target = given["document"].encode(), given["target"]
    assert hashlib.sha256(body).hexdigest() == target["hashes"]["sha256"]
    assert major.signed.targets[target["path"]].length == len(body)
    assert targets.signed.delegations is not None
    role, terminating = next(iter(targets.signed.delegations.get_roles_for_target(target["path"])))
    assert (role, terminating) == ("major", True)
    for case in given["needed"]:
        lost, held = case["lost"], case["held"]
        assert case["needed"] == (lost > 100 and lost / 0.01 > held)
    for case in given["refused"]:
        with pytest.raises(HashshareError) as refusal:
            Major.parse(case["body"].encode())
        assert refusal.value.slug == case["problem"]


def test_log_trees() -> None:
    """From the definition of RFC 6962 alone, but for the tiles."""
    given = vector("log-trees.json")
    entries = [
        b"hashshare-publication/1\n" + hashlib.sha256(b"metadata %d" % number).digest()
        for number in range(given["entries"])
    ]
    assert (entries[0].hex(), naive.mth(entries[:1]).hex()) == (given["first_entry"], given["first_leaf_hash"])
    for size, root in given["roots"].items():
        assert naive.mth(entries[: int(size)]).hex() == root
    for case in given["inclusion"]:
        assert [part.hex() for part in naive.path(case["index"], entries[: case["size"]])] == case["proof"]
    for case in given["consistency"]:
        assert [part.hex() for part in naive.proof(case["old"], entries[: case["new"]])] == case["proof"]
    hashes = {f"tile/0/00{number}": entries[number * 256 : number * 256 + 256] for number in (0, 1)}
    for tile in given["tiles"]:
        if tile["path"] in hashes:
            body = b"".join(naive.mth([entry]) for entry in hashes[tile["path"]])
            assert hashlib.sha256(body).hexdigest() == tile["sha256"]


def test_log_receipts() -> None:
    given = vector("log-receipts.json")
    verifier = Verifier.parse(given["verifier_key"])
    for index, leaf in enumerate(given["leaves"]):
        nonce, row = bytes.fromhex(leaf["nonce"]), leaf["row"]
        assert leaf["entry"] == (b"hashshare-delivery/1\n" + hmac.digest(nonce, row.encode(), "sha256")).hex()
        assert json.dumps(json.loads(row), sort_keys=True, separators=(",", ":")) == row
        checkpoint = Receipt.parse(leaf["receipt"]).verify(
            bytes.fromhex(leaf["entry"]), verifier, origin=given["origin"]
        )
        assert (checkpoint.size, checkpoint.root.hex()) == (given["size"], given["root"])
        if json.loads(row)["kind"] == "padding":
            secret = bytes.fromhex(given["padding_secret"])
            assert nonce == hmac.digest(secret, f"{given['origin']}\n{index}".encode(), "sha256")


def test_what_logs_refuse() -> None:
    for case in vector("log-refused.json")["cases"]:
        with pytest.raises(HashshareError) as refusal:
            READERS[case["read"]](case["text"])
        assert refusal.value.slug == case["problem"], case["case"]


def test_acknowledgements() -> None:
    given = vector("acknowledgements.json")
    public, document = bytes.fromhex(given["public"]), json.loads(given["document"])
    (signature,) = document["signatures"]
    assert base64.b64decode(document["payload"]).decode() == given["payload"]
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature["sig"]), given["signed"].encode())
    said, by = verify_acknowledgement(given["document"].encode(), public_keys=[public])
    assert (said.to_bytes().decode(), by) == (given["payload"], keys.fingerprint(public))
    for case in given["refused"]:
        with pytest.raises(HashshareError) as refusal:
            verify_acknowledgement(case["document"].encode(), public_keys=[public])
        assert refusal.value.slug == case["problem"], case["case"]

"""Writes the golden vectors: `python -m tests.vectors.generate`. Keys are made from a counter, times are fixed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import requests

from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.chain import catch_up, merge_candidates
from hashshare.wire.errors import HashshareError
from hashshare.wire.manifest import Base, Manifest, Redistribution, Segment
from hashshare.wire.objects import ObjectRef, base_index_path, delta_path, shard_path
from hashshare.wire.signatures import sign_request
from tests.vectors import cosignatures, hubs, log, majors
from tests.vectors.cast import LIST_ID, NOW, key, seed

FOLDER: Final = Path(__file__).parent


def ref(path: str, length: int) -> ObjectRef:
    return replace(ObjectRef.of(path, path.encode()), length=length)


def base_index() -> BaseIndex:
    halves = (("0" * 16, "7" + "f" * 15), ("8" + "0" * 15, "f" * 16))
    shards = tuple(
        Shard(low, high, 500_000, ref(shard_path(LIST_ID, version=2, number=number), 16_050_000 + number))
        for number, (low, high) in enumerate(halves)
    )
    return BaseIndex(LIST_ID, 2, 1_000_000, shards)


def segment(start: int, end: int, upserts: int, withdrawals: int) -> Segment:
    path = delta_path(LIST_ID, from_version=start, to_version=end)
    return Segment(start, end, upserts, withdrawals, ref(path, 1_100 + 33 * (upserts + withdrawals)))


def manifest() -> Manifest:
    index = base_index()
    body = index.to_bytes()
    index_ref = ObjectRef.of(base_index_path(LIST_ID, version=2), body)
    base = Base(2, index.entries, index.total_bytes, index_ref, NOW - timedelta(days=4))
    return Manifest(
        list_id=LIST_ID,
        list_name="aurora.example/images",
        version=6,
        algorithms=("sha256", "md5", "pdq"),
        scheme="uk-abc",
        columns=("category", "media", "first_seen"),
        published_at=NOW,
        entries=1_001_990,
        base=base,
        segments=(segment(1, 4, 1_000_000, 5), segment(4, 5, 1_990, 4), segment(5, 6, 10, 0)),
        redistribution=Redistribution("named", ("south.example",)),
        extra={"later": {"kept": True}},
    )


def fingerprints() -> dict[str, Any]:
    root = metadata()["root"]
    digest = repository.root_fingerprint(root)
    return {
        "keys": [
            {"seed": seed(n), "public": keys.public_bytes(key(n)).hex(), "id": keys.fingerprint_of(key(n))}
            for n in (1, 2, 3)
        ],
        "root": {"body": root.decode(), "fingerprint": digest, "read_out": repository.grouped(digest)},
    }


def manifest_vector() -> dict[str, Any]:
    given = manifest()
    plans = {}
    for held in (None, 1, 3, 4, 5, 6):
        plan = catch_up(given, held)
        names = [part.object.name for part in plan.segments]
        plans[str(held or "nothing")] = {
            "base": plan.base,
            "segments": names,
            "bytes": plan.bytes,
            "operations": plan.operations,
        }
    return {
        "body": given.to_bytes().decode(),
        "version": given.version,
        "objects": [f"targets/{named.stored_path}" for named in given.object_refs()],
        "catch_up": plans,
    }


def refused() -> dict[str, Any]:
    text = manifest().to_bytes().decode()
    edits: dict[str, Callable[[str], str]] = {
        "a name given twice": lambda body: body.replace('"version":6', '"version":6,"version":6', 1),
        "an unknown requirement": lambda body: body.replace('"requires":[]', '"requires":["fuzzy-keys"]'),
        "a gap in the chain": lambda body: body.replace('"from":5,', '"from":4,'),
        "a second hash": lambda body: body.replace('"hashes":{', '"hashes":{"md5":"00",', 1),
        "an object of another list": lambda body: body.replace(f"{LIST_ID}/delta-5-6", f"{'0' * 16}/delta-5-6"),
        "a base without the time it was built at": lambda body: body.replace('"built_at"', '"builtat"'),
        "a version that is no integer": lambda body: body.replace('"version":6', '"version":6.0', 1),
    }
    cases = []
    for name, edit in edits.items():
        body = edit(text)
        try:
            Manifest.parse(body.encode())
        except HashshareError as refusal:
            cases.append({"case": name, "body": body, "problem": refusal.slug})
    assert len(cases) == len(edits)
    return {"cases": cases}


def base_index_vector() -> dict[str, Any]:
    index = base_index()
    shards = [{"low": s.low, "high": s.high, "entries": s.entries, "name": s.object.name} for s in index.shards]
    return {"body": index.to_bytes().decode(), "bytes": index.total_bytes, "shards": shards}


def merges() -> dict[str, Any]:
    cases = []
    for sizes in (
        [1, 1, 1],
        [1] * 4,
        [1] * 9,
        [1] * 40,
        [100, 1, 1, 1, 1],
        [3, 5, 2, 1, 40],
        [0, 0, 0, 7],
        [8, 4, 2, 1, 1, 1],
        [5, 1, 7],
    ):
        segments = [segment(n, n + 1, size, 0) for n, size in enumerate(sizes, start=1)]
        runs = [[part.from_version - 1 for part in run] for run in merge_candidates(segments)]
        cases.append({"operations": sizes, "runs": runs})
    return {"cases": cases}


def request_signatures() -> dict[str, Any]:
    cases = []
    for method, url, body, headers in (
        ("GET", "https://north.example/api/v1/heads", None, {}),
        ("POST", "https://north.example/api/v1/tokens", b"{}", {}),
        ("POST", "https://north.example:8443/api/v1/tuf/aurora.example/commits", b'{"roles":{}}', {"If-Match": '"5"'}),
        ("GET", "http://127.0.0.1:8000/api/v1/lists?q=a%2Fb", None, {}),
    ):
        prepared = requests.Request(method, url, data=body, headers=headers).prepare()
        sign_request(prepared, key=key(1), now=NOW, nonce="bm9uY2Utb2YtMTgtYnl0ZXM")
        fields = {name: value for name, value in prepared.headers.items() if name != "Content-Length"}
        given = {"method": method, "target_uri": prepared.url, "body": body.decode() if body else None}
        cases.append({**given, "headers": fields, "signature_base": signature_base(method, str(prepared.url), fields)})
    return {"seed": seed(1), "public": keys.public_bytes(key(1)).hex(), "time": int(NOW.timestamp()), "cases": cases}


def signature_base(method: str, url: str, fields: dict[str, str]) -> str:
    """RFC 9421 section 2.5, written out independently of the library."""
    values = {"@method": method, "@target-uri": url, "@authority": url.split("/")[2]}
    values |= {name.lower(): value for name, value in fields.items()}
    parameters = fields["Signature-Input"].removeprefix("sig=")
    covered = parameters[1 : parameters.index(")")].replace('"', "").split()
    lines = [f'"{name}": {values[name]}' for name in covered]
    return "\n".join([*lines, f'"@signature-params": {parameters}'])


def metadata() -> dict[str, bytes]:
    officers, hub, feed = [key(n) for n in (11, 12, 13)], [key(n) for n in (21, 22)], key(31)
    named = [keys.tuf_key(keys.public_bytes(officer)) for officer in officers]
    two = [keys.tuf_signer(officer) for officer in officers[:2]]
    online = keys.tuf_signer(hub[0])
    root = repository.create_root(
        root_keys=named,
        targets_keys=named,
        hub_keys=[keys.tuf_key(keys.public_bytes(held)) for held in hub],
        threshold=2,
        signers=two,
        now=NOW,
    )
    empty = repository.create_targets(signers=two, now=NOW)
    feed_key = keys.tuf_key(keys.public_bytes(feed))
    targets = repository.delegate_list(empty, list_id=LIST_ID, keys=[feed_key], signers=two, now=NOW)
    body = manifest().to_bytes()
    release = repository.sign_release(
        list_id=LIST_ID, manifest=body, version=1, signers=[keys.tuf_signer(feed)], now=NOW
    )
    snapshot = repository.sign_snapshot(targets=targets, feeds={LIST_ID: release}, version=1, signer=online, now=NOW)
    timestamp = repository.sign_timestamp(snapshot=snapshot, version=1, signer=online, now=NOW)
    return {"root": root, "targets": targets, LIST_ID: release, "snapshot": snapshot, "timestamp": timestamp}


def repository_vector() -> dict[str, Any]:
    roles = metadata()
    files = {repository.read_role(role, body).name: body.decode() for role, body in roles.items()}
    named = repository.feed_manifest(roles[LIST_ID], list_id=LIST_ID)
    return {
        "time": "2026-11-22T12:00:00Z",
        "list_id": LIST_ID,
        "hub_keys": [keys.public_bytes(key(n)).hex() for n in (21, 22)],
        "metadata": files,
        "targets": {named.stored_path: manifest().to_bytes().decode()},
        "manifest": named.to_json(),
    }


VECTORS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "fingerprints.json": fingerprints,
    "manifest.json": manifest_vector,
    "manifest-refused.json": refused,
    "base-index.json": base_index_vector,
    "merges.json": merges,
    "request-signatures.json": request_signatures,
    "repository.json": repository_vector,
    "majors.json": majors.majors,
    "log-trees.json": log.trees,
    "log-receipts.json": log.receipts,
    "log-refused.json": log.refused,
    "log-cosignatures.json": cosignatures.cosignatures,
    "acknowledgements.json": log.acknowledgements,
    "hub-descriptors.json": hubs.descriptors,
}


def render(name: str) -> str:
    return json.dumps(VECTORS[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for vector in VECTORS:
        (FOLDER / vector).write_text(render(vector), encoding="utf-8")

"""Whatever stands at whatever place of a signed document, the answer is a refusal in words, never a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.formats import encode_canonical

from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.errors import HashshareError, NotAuthenticated
from hashshare.wire.manifest import Manifest
from hashshare.wire.signatures import SignableRequest, verify_request
from tests.wire.aurora import LIST_ID, NOW, Aurora, Hand, base_of, manifest_of, segment_of, signers_of

RAW = keys.public_bytes(keys.generate())
GONE = object()
JUNK = [GONE, None, True, -1, 0, 1.5, 2**70, "", "x", "\x00", [], [1], [[]], {}, {"a": 1}, [{}], "00" * 32, [None]]


HARMLESS = {
    ("root", "('consistent_snapshot',) = True"),
    ("root", "('roles', 'root', 'keyids', 2) = gone"),
    ("root", "('roles', 'targets', 'keyids', 2) = gone"),
    ("targets", "('delegations', 'roles', 0, 'terminating') = True"),
    ("targets", "('targets',) = {}"),
    (LIST_ID, f"('targets', '{LIST_ID}/manifest.json', 'hashes', 'sha256') = {'00' * 32!r}"),
}
"""Two of three officers still sign; another manifest's digest; the rest changes nothing."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inside:
        yield (*path, name)
        yield from places(item, (*path, name))


def damaged(value: Any) -> Iterator[tuple[str, Any]]:
    for path in places(value):
        for junk in JUNK:
            broken = copy.deepcopy(value)
            at = broken
            for name in path[:-1]:
                at = at[name]
            if junk is GONE:
                del at[path[-1]]
            else:
                at[path[-1]] = junk
            yield f"{path} = {'gone' if junk is GONE else repr(junk)}", broken


def sign(document: dict[str, Any], hands: list[Hand]) -> bytes:
    """Signed as it stands, whatever it is; what has no canonical form keeps the old signatures."""
    try:
        payload = str(encode_canonical(document["signed"])).encode()
    except Exception:
        return json.dumps(document).encode()
    signatures = [hand.signer.sign(payload).to_dict() for hand in hands]
    return json.dumps({"signatures": signatures, "signed": document["signed"]}).encode()


def test_metadata() -> None:
    aurora = Aurora()
    two = signers_of(aurora.officers[:2])
    documents = {
        "root": (repository.next_root(aurora.root, signers=two, now=NOW), aurora.officers[:2]),
        "targets": (repository.renew_targets(aurora.targets, signers=two, now=NOW), aurora.officers[:2]),
        LIST_ID: (aurora.sign(manifest_of().to_bytes(), version=1), [aurora.feed]),
    }
    accepted = []
    for role, (body, hands) in documents.items():
        aurora.commit_roles({role: body})
        for what, broken in damaged(json.loads(body)["signed"]):
            try:
                aurora.commit_roles({role: sign({"signatures": [], "signed": broken}, hands)})
            except HashshareError:
                continue
            accepted.append((role, what))
        for _, broken in damaged(json.loads(body)):
            try:
                aurora.commit_roles({role: json.dumps(broken).encode()})
            except HashshareError:
                continue
    assert set(accepted) == HARMLESS


def test_metadata_with_numbers_that_have_no_canonical_form() -> None:
    aurora = Aurora()
    document = json.loads(aurora.sign(manifest_of().to_bytes(), version=1))
    document["signed"]["later"] = 1.5
    with pytest.raises(HashshareError):
        aurora.commit(feed=json.dumps(document).encode())


def test_manifests_and_base_indexes() -> None:
    index, base = base_of(LIST_ID, version=1, entries=4, bodies=[b"one", b"two"])
    manifest = manifest_of(segment_of(LIST_ID, 1, 2), base=base, entries=5)
    for kind, body in ((Manifest, manifest.to_bytes()), (BaseIndex, index.to_bytes())):
        for _, broken in damaged(json.loads(body)):
            try:
                again = kind.parse(json.dumps(broken).encode())
            except HashshareError:
                continue
            assert kind.parse(again.to_bytes()) == again


fields = st.sampled_from(["Signature", "Signature-Input", "Content-Digest", "If-Match", "Content-Length"])
SHAPED = [
    'sig=("@method");created=1;keyid="k";alg="ed25519";nonce="nnnnnnnnnnnnnnnnnnnn";tag="hashshare"',
    'sig=();created=99999999999999;keyid="";alg="ed25519";nonce="";tag="hashshare"',
    "sig=:AAAA:",
    "sig=1",
    "sig",
    'sig=("@query-param";name="x" "@method";req "x";bs);tag="hashshare"',
]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(fields, st.one_of(st.text(max_size=60), st.sampled_from(SHAPED))), st.text(max_size=20))
def test_request_headers(headers: dict[str, str], path: str) -> None:
    request = SignableRequest("GET", f"https://north.example/{path}", headers)
    with pytest.raises(NotAuthenticated):
        verify_request(request, resolve=lambda _: RAW, now=NOW)

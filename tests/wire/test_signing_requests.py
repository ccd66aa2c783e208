"""Signing requests: what one asks for, whose signatures it lacks, copies merged, anything else refused by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hashshare.wire import repository
from hashshare.wire.errors import MalformedRequest, VerificationFailed
from hashshare.wire.repository.request_files import MAX_REQUEST, read_request
from hashshare.wire.repository.requests import (
    Officer,
    SigningRequest,
    add_signatures,
    content_digest,
    merge,
    missing,
    needs,
    wanted,
)
from tests.wire.aurora import LIST_ID, NOW, OTHER_LIST_ID, Aurora, Hand, hands, keys_of, signers_of

AURORA = Aurora()
OFFICERS = tuple(
    Officer(name, hand.key.keyid, hand.key.keyid)
    for name, hand in zip(("Anna", "Ben", "Carol"), AURORA.officers, strict=True)
)


def renewal(aurora: Aurora = AURORA) -> SigningRequest:
    """Root and targets again, signed by nobody."""
    roles = {
        "root": repository.next_root(aurora.root, signers=[], now=NOW),
        "targets": repository.renew_targets(aurora.targets, signers=[], now=NOW),
    }
    return SigningRequest("aurora.example", (aurora.root,), aurora.targets, roles, OFFICERS)


def founding(officers: list[Hand], *, threshold: int) -> SigningRequest:
    root = repository.create_root(
        root_keys=keys_of(officers),
        targets_keys=keys_of(officers),
        hub_keys=AURORA.hub_keys,
        threshold=threshold,
        signers=[],
        now=NOW,
    )
    roles = {"root": root, "targets": repository.create_targets(signers=[], now=NOW)}
    return SigningRequest("aurora.example", (), None, roles)


# --- signatures ---------------------------------------------------------------------------------------------------


def test_it_is_read_as_it_was_written() -> None:
    request = add_signatures(renewal(), signers_of(AURORA.officers[:1]))
    assert read_request(request.to_bytes()) == request


@pytest.mark.parametrize(("threshold", "number"), [(1, 1), (2, 3), (3, 5), (20, 20)])
def test_it_is_complete_once_the_threshold_is_met(threshold: int, number: int) -> None:
    officers = hands(number)
    request = founding(officers, threshold=threshold)
    for count, officer in enumerate(officers[:threshold]):
        assert {need.missing for need in missing(request)} == {threshold - count}
        request = add_signatures(read_request(request.to_bytes()), [officer.signer])
    assert missing(request) == ()
    repository.verify_commit(repository.Trusted(None, None, {}), roles=request.roles, hub_keys=AURORA.hub_keys, now=NOW)


def test_nobody_signs_more_than_is_needed() -> None:
    request = add_signatures(renewal(), signers_of(AURORA.officers))
    assert {len(repository.read_role(role, body).metadata.signatures) for role, body in request.roles.items()} == {2}
    assert wanted(request) == {}


def test_a_key_that_is_not_asked_for_does_not_sign() -> None:
    assert add_signatures(renewal(), [Hand().signer, AURORA.feed.signer, AURORA.north[0].signer]) == renewal()


def test_a_new_root_needs_the_old_officers_and_the_new() -> None:
    new = [*AURORA.officers[:2], Hand()]
    root = repository.next_root(AURORA.root, root_keys=keys_of(new[1:]), threshold=2, signers=[], now=NOW)
    request = SigningRequest("aurora.example", (AURORA.root,), AURORA.targets, {"root": root})
    assert [(need.by, need.missing) for need in missing(request)] == [("root 1", 2), ("root 2", 2)]
    request = add_signatures(request, signers_of(new[1:]))
    assert [(need.by, need.missing) for need in missing(request)] == [("root 1", 1)]
    request = add_signatures(request, signers_of(new[:1]))
    assert missing(request) == ()
    AURORA.commit_roles(request.roles)


def test_targets_beside_a_new_root_are_signed_by_whom_that_names() -> None:
    new = hands(1)
    roles = {
        "root": repository.next_root(AURORA.root, targets_keys=keys_of(new), targets_threshold=1, signers=[], now=NOW),
        "targets": repository.renew_targets(AURORA.targets, signers=[], now=NOW),
    }
    request = SigningRequest("aurora.example", (AURORA.root,), AURORA.targets, roles)
    request = add_signatures(request, signers_of([*AURORA.officers, *new]))
    assert [need.signed for need in needs(request) if need.role == "targets"] == [(new[0].key.keyid,)]
    AURORA.commit_roles(request.roles)


def test_a_delegated_role_is_signed_by_whom_targets_names() -> None:
    feed = repository.sign_release(list_id=LIST_ID, manifest=b"{}", version=1, signers=[], now=NOW)
    request = SigningRequest("aurora.example", (AURORA.root,), AURORA.targets, {LIST_ID: feed})
    assert wanted(read_request(request.to_bytes())) == {LIST_ID: {AURORA.feed.key.keyid}}
    assert missing(add_signatures(request, [AURORA.feed.signer])) == ()


# --- copies -------------------------------------------------------------------------------------------------------


def test_copies_signed_side_by_side_are_merged() -> None:
    copies = [add_signatures(renewal(), [hand.signer]) for hand in AURORA.officers[:2]]
    assert missing(copies[0]) and missing(copies[1])
    assert missing(merge(copies)) == missing(merge(copies[::-1])) == ()
    assert len({content_digest(copy) for copy in [renewal(), *copies, merge(copies)]}) == 1


def test_metadata_that_gains_nothing_keeps_its_bytes() -> None:
    """The fingerprint of a publisher is that of the bytes of its first root."""
    signed = add_signatures(renewal(), signers_of(AURORA.officers[:2]))
    assert merge([signed, renewal()]) == merge([signed, signed]) == signed


def test_signatures_that_do_not_verify_are_left_behind() -> None:
    other = add_signatures(renewal(), signers_of(AURORA.officers[:1]))
    metadata = json.loads(other.roles["root"])
    metadata["signatures"][0]["sig"] = "00" * 64
    forged = replace(other, roles={**other.roles, "root": json.dumps(metadata).encode()})
    merged = merge([renewal(), forged])
    assert [len(need.signed) for need in needs(merged)] == [0, 0, 1]
    assert merged.roles["root"] == renewal().roles["root"]


@pytest.mark.parametrize(
    "other",
    [
        replace(renewal(), publisher="borealis.example"),
        replace(renewal(), roles={"targets": renewal().roles["targets"]}),
        replace(renewal(), roles={"root": repository.next_root(AURORA.root, signers=[], now=NOW + timedelta(days=1))}),
        renewal(Aurora()),
    ],
    ids=["publisher", "roles", "expiry", "keys"],
)
def test_different_requests_are_not_merged(other: SigningRequest) -> None:
    with pytest.raises(MalformedRequest, match="not copies of one"):
        merge([renewal(), other])


# --- what is refused ----------------------------------------------------------------------------------------------


def put(document: dict[str, Any], role: str, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change what a role would say."""
    metadata = json.loads(base64.b64decode(document["roles"][role]))
    edit(metadata["signed"])
    document["roles"][role] = base64.b64encode(json.dumps(metadata).encode()).decode()


def _under_anothers_id(signed: dict[str, Any]) -> None:
    first, second, *_ = signed["keys"]
    signed["keys"][first], signed["keys"][second] = signed["keys"][second], signed["keys"][first]


def _weaken(document: dict[str, Any]) -> None:
    root = json.loads(base64.b64decode(document["chain"][0]))
    root["signed"]["roles"]["root"]["threshold"] = 1
    document["chain"][0] = base64.b64encode(json.dumps(root).encode()).decode()


TARGET = {"x": {"length": 1, "hashes": {"sha256": "0" * 64}}}
TAMPERINGS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a newer format": (lambda d: d.update(format="hashshare-signing-request/2"), "format is not"),
    "no publisher": (lambda d: d.pop("publisher"), "publisher is missing"),
    "a publisher that is a path": (lambda d: d.update(publisher="../../etc"), "not what is expected"),
    "a root out of the chain": (lambda d: d["chain"].clear(), "no root"),
    "the chain twice": (lambda d: d["chain"].extend(d["chain"]), "chain of roots"),
    "a chain without end": (lambda d: d.update(chain=["AAAA"] * 513), "at most 512"),
    "a standing root with a lower threshold": (_weaken, "0 of 1 signatures"),
    "targets of others": (lambda d: d.update(targets=_text(Aurora().targets)), "targets 2 that the request follows"),
    "a version skipped": (lambda d: put(d, "root", lambda s: s.update(version=7)), "2 is next"),
    "a version repeated": (lambda d: put(d, "targets", lambda s: s.update(version=2)), "3 is next"),
    "an unknown word signed": (lambda d: put(d, "root", lambda s: s.update(also="this")), "does not know"),
    "an unknown word in a role": (lambda d: put(d, "root", lambda s: s["roles"]["root"].update(x=1)), "does not know"),
    "an unknown word beside": (lambda d: d.update(note="please sign quickly"), "not known to this version"),
    "a target of its own": (lambda d: put(d, "targets", lambda s: s["targets"].update(TARGET)), "may only delegate"),
    "a key under another's id": (lambda d: put(d, "root", _under_anothers_id), "an id that is not its own"),
    "the hub's key for officers": (
        lambda d: put(d, "root", lambda s: s["roles"]["root"]["keyids"].extend(s["roles"]["snapshot"]["keyids"])),
        "both for the officers and for the hub",
    ),
    "a role that nobody delegates": (lambda d: d["roles"].update({OTHER_LIST_ID: d["roles"]["targets"]}), "delegate"),
    "metadata that is none": (lambda d: d["roles"].update(root="AAAA"), "not strict JSON"),
    "no base64": (lambda d: d["roles"].update(root="%"), "not base64"),
    "nothing asked": (lambda d: d["roles"].clear(), "nothing to be signed"),
    "an officer without keys": (lambda d: d["officers"][0].pop("root"), "root is missing"),
    "an officer's name of a page": (lambda d: d["officers"][0].update(name="x" * 65), "not what is expected"),
    "an officer's name that steers": (lambda d: d["officers"][0].update(name="\x1b[2J"), "not what is expected"),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_request_that_contradicts_itself_is_refused(how: str) -> None:
    edit, says = TAMPERINGS[how]
    document = json.loads(renewal().to_bytes())
    edit(document)
    with pytest.raises(VerificationFailed) as refused:
        read_request(json.dumps(document).encode())
    assert says in refused.value.message


def test_a_request_of_any_length_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(MalformedRequest, match="are allowed"):
        read_request(b" " * (MAX_REQUEST + 1))


BODY = add_signatures(renewal(), signers_of(AURORA.officers[:1])).to_bytes()


@given(st.binary(max_size=400))
@example(b"")
@example(b"[" * 200_000)
@settings(max_examples=80, deadline=None)
def test_any_bytes_are_refused_by_name(body: bytes) -> None:
    with pytest.raises(VerificationFailed):
        read_request(body)


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_changed_bytes_are_read_or_refused_by_name(data: st.DataObject) -> None:
    """Inside the base64 too: the metadata's own JSON is changed and wrapped again."""
    document = json.loads(BODY)
    where = data.draw(st.sampled_from(["file", "chain", "targets", "root"]))
    body = BODY if where == "file" else base64.b64decode(_holder(document, where)[_key(where)])
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    changed = body[:start] + data.draw(st.binary(max_size=40) | st.just(b"null") | st.just(b"1e9")) + body[end:]
    if where != "file":
        _holder(document, where)[_key(where)] = _text(changed)
        changed = json.dumps(document).encode()
    try:
        request = read_request(changed)
        content_digest(add_signatures(request, signers_of(AURORA.officers[1:])))
    except VerificationFailed:
        return
    assert request.publisher


def _holder(document: dict[str, Any], where: str) -> Any:
    return {"chain": document["chain"], "targets": document, "root": document["roles"]}[where]


def _key(where: str) -> Any:
    return {"chain": 0, "targets": "targets", "root": "root"}[where]


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()

"""The request signature profile: what is signed, and every way to tamper with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
import requests
from http_message_signatures import ContentDigest, HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from hashshare.wire import keys, signatures
from hashshare.wire.errors import BadRequestSignature, NotAuthenticated, StaleSignature, UsageError
from hashshare.wire.signatures import SignableRequest, SignedBy, sign_request, verify_request

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
URL = "https://north.example/api/v1/tuf/aurora.example/commits?x=%2F"
KEY = keys.generate()
KEYID = keys.fingerprint_of(KEY)


def signed(method: str = "POST", url: str = URL, *, body: bytes | None = b"{}", **headers: str) -> SignableRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    prepared = requests.Request(method, url, headers=named, data=body).prepare()
    sign_request(prepared, key=KEY, now=NOW)
    return as_received(prepared)


def as_received(prepared: requests.PreparedRequest) -> SignableRequest:
    return SignableRequest(prepared.method or "", prepared.url or "", dict(prepared.headers))


def resolve(keyid: str) -> bytes | None:
    return keys.public_bytes(KEY) if keyid == KEYID else None


def verify(request: SignableRequest, *, now: datetime = NOW) -> SignedBy:
    return verify_request(request, resolve=resolve, now=now)


def changed(request: SignableRequest, **headers: str | None) -> SignableRequest:
    fields = dict(request.headers)
    for name, value in headers.items():
        fields.pop(name.replace("_", "-"), None)
        if value is not None:
            fields[name.replace("_", "-")] = value
    return SignableRequest(request.method, request.target_uri, fields)


def test_it_says_who_signed_what_and_when() -> None:
    by = verify(signed(body=b'{"a":1}'))
    assert (by.keyid, by.created) == (KEYID, NOW)
    assert by.body_sha256 == hashlib.sha256(b'{"a":1}').digest()
    signatures.check_body(by, hashlib.sha256(b'{"a":1}').digest())
    with pytest.raises(BadRequestSignature):
        signatures.check_body(by, hashlib.sha256(b'{"a":2}').digest())


def test_nonces_differ() -> None:
    assert verify(signed()).nonce != verify(signed()).nonce


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_request_without_a_body_has_no_digest(method: str) -> None:
    by = verify(signed(method, body=None))
    assert by.body_sha256 is None
    signatures.check_body(by, hashlib.sha256(b"").digest())
    with pytest.raises(BadRequestSignature):
        signatures.check_body(by, hashlib.sha256(b"smuggled").digest())


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_empty_body_is_signed_too(method: str) -> None:
    assert verify(signed(method, body=None)).body_sha256 == hashlib.sha256(b"").digest()


def test_a_streamed_body_is_signed_by_its_digest() -> None:
    digest = hashlib.sha256(b"stream").digest()
    prepared = requests.Request("PUT", URL, data=BytesIO(b"stream")).prepare()
    with pytest.raises(UsageError):
        sign_request(prepared, key=KEY, now=NOW)
    sign_request(prepared, key=KEY, now=NOW, body_sha256=digest)
    assert verify(as_received(prepared)).body_sha256 == digest


def test_signing_again_replaces_the_signature() -> None:
    prepared = requests.Request("POST", URL, data=b"{}").prepare()
    sign_request(prepared, key=KEY, now=NOW - timedelta(hours=1))
    sign_request(prepared, key=KEY, now=NOW)
    assert verify(as_received(prepared)).created == NOW


def test_the_default_port_and_the_host_s_case_do_not_matter() -> None:
    request = signed("GET", "https://North.Example:443/api/v1/heads", body=None)
    received = SignableRequest("GET", request.target_uri, request.headers)
    assert '"@authority"' in received.headers["Signature-Input"]
    verify(received)


TAMPERINGS: dict[str, Callable[[SignableRequest], SignableRequest]] = {
    "method": lambda request: SignableRequest("PUT", request.target_uri, request.headers),
    "path": lambda request: SignableRequest("POST", URL.replace("aurora", "borealis"), request.headers),
    "query": lambda request: SignableRequest("POST", URL + "&y=1", request.headers),
    "decoded query": lambda request: SignableRequest("POST", URL.replace("%2F", "/"), request.headers),
    "host": lambda request: SignableRequest("POST", URL.replace("north", "south"), request.headers),
    "scheme": lambda request: SignableRequest("POST", URL.replace("https", "http"), request.headers),
    "digest": lambda request: changed(request, Content_Digest=signatures.content_digest(b"x" * 32)),
    "digest gone": lambda request: changed(request, Content_Digest=None),
    "condition": lambda request: changed(request, If_Match='"8"'),
    "condition gone": lambda request: changed(request, If_Match=None),
    "signature": lambda request: changed(request, Signature="sig=:AAAA:"),
    "signature gone": lambda request: changed(request, Signature=None),
    "signature garbage": lambda request: changed(request, Signature="\x00\xff;;=", Signature_Input="((("),
    "nonce": lambda request: changed(
        request, Signature_Input=request.headers["Signature-Input"].replace('nonce="', 'nonce="x')
    ),
    "tag": lambda request: changed(
        request, Signature_Input=request.headers["Signature-Input"].replace("hashshare", "other")
    ),
    "created": lambda request: changed(
        request, Signature_Input=request.headers["Signature-Input"].replace("created=17", "created=-17")
    ),
    "created text": lambda request: changed(
        request, Signature_Input=request.headers["Signature-Input"].replace("created=17", 'created="17"')
    ),
    "label": lambda request: changed(request, Signature=request.headers["Signature"].replace("sig=", "gis=")),
    "twice": lambda request: changed(
        request,
        Signature=request.headers["Signature"] + ", " + request.headers["Signature"].replace("sig=", "gis="),
        Signature_Input=request.headers["Signature-Input"]
        + ", "
        + request.headers["Signature-Input"].replace("sig=", "gis="),
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_it_rejects_a_change_of(tampering: str) -> None:
    request = signed(If_Match='"7"')
    verify(request)
    with pytest.raises(NotAuthenticated):
        verify(TAMPERINGS[tampering](request))


def test_it_rejects_an_added_condition() -> None:
    with pytest.raises(BadRequestSignature):
        verify(changed(signed(), If_Match='"7"'))


def test_it_rejects_a_body_added_to_a_request_signed_without() -> None:
    for name, value in (("Content_Length", "5"), ("Transfer_Encoding", "chunked")):
        with pytest.raises(BadRequestSignature):
            verify(changed(signed("DELETE", body=None), **{name: value}))


@pytest.mark.parametrize("seconds", [-301, 301, 10**6])
def test_it_rejects_what_was_signed_outside_the_window(seconds: int) -> None:
    with pytest.raises(StaleSignature) as refusal:
        verify(signed(), now=NOW + timedelta(seconds=seconds))
    assert refusal.value.facts == {"skew": abs(seconds)}


@pytest.mark.parametrize("seconds", [-300, 300])
def test_it_accepts_what_was_signed_inside_the_window(seconds: int) -> None:
    verify(signed(), now=NOW + timedelta(seconds=seconds))


def test_an_unknown_key_reads_like_a_wrong_signature() -> None:
    with pytest.raises(BadRequestSignature) as unknown:
        verify_request(signed(), resolve=lambda _: None, now=NOW)
    with pytest.raises(BadRequestSignature) as wrong:
        verify_request(signed(), resolve=lambda _: keys.public_bytes(keys.generate()), now=NOW)
    assert (unknown.value.message, unknown.value.facts) == (wrong.value.message, wrong.value.facts)


def test_a_failing_look_up_is_no_refusal() -> None:
    def fails(_: str) -> bytes:
        raise ConnectionError("database gone")

    with pytest.raises(ConnectionError):
        verify_request(signed(), resolve=fails, now=NOW)


def test_an_unsigned_request_is_told_apart() -> None:
    assert not signatures.is_signed({"Host": "north.example"})
    assert signatures.is_signed({"signature": "x"})
    with pytest.raises(NotAuthenticated) as refusal:
        verify(SignableRequest("GET", URL, {}))
    assert type(refusal.value) is NotAuthenticated


def by_hand(
    *, covers: tuple[str, ...], tag: str = "hashshare", nonce: str | None = "n" * 20, **more: object
) -> SignableRequest:
    """Signed with the library directly, as a client that read only half of the profile would."""
    prepared = requests.Request("GET", URL).prepare()
    resolver = MappingKeyResolver(public_keys={}, private_keys={KEYID: KEY})
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=resolver)
    signer.sign(prepared, key_id=KEYID, created=NOW, tag=tag, nonce=nonce, covered_component_ids=covers, **more)  # type: ignore[arg-type]
    return as_received(prepared)


ALL = ("@method", "@target-uri", "@authority")


def test_a_client_with_another_label_and_more_components_is_fine() -> None:
    verify(by_hand(covers=(*ALL, "@path"), label="mine"))


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(by_hand(covers=ALL[:2]), id="component missing"),
        pytest.param(by_hand(covers=()), id="nothing covered"),
        pytest.param(by_hand(covers=ALL, nonce=None), id="no nonce"),
        pytest.param(by_hand(covers=ALL, nonce="short"), id="short nonce"),
        pytest.param(by_hand(covers=ALL, nonce="n" * 65), id="long nonce"),
        pytest.param(by_hand(covers=ALL, nonce="n" * 20 + " "), id="strange nonce"),
        pytest.param(by_hand(covers=ALL, include_alg=False), id="no algorithm"),
        pytest.param(by_hand(covers=ALL, expires=NOW + timedelta(days=1)), id="further parameter"),
        pytest.param(by_hand(covers=ALL, tag="other"), id="other tag"),
    ],
)
def test_it_rejects_a_signature_outside_the_profile(request_: SignableRequest) -> None:
    with pytest.raises(BadRequestSignature):
        verify(request_)


class Unchecked(ContentDigest):
    @classmethod
    def prepare(cls, *_: object, **__: object) -> None:
        """Lets any field through."""


@pytest.mark.parametrize("field", ["sha-512=:" + "A" * 86 + "==:", "sha-256=:AAAA:", "md5=:AAAA:", "x"])
def test_it_rejects_other_digests(field: str) -> None:
    prepared = requests.Request("GET", URL, headers={"Content-Digest": field}).prepare()
    resolver = MappingKeyResolver(public_keys={}, private_keys={KEYID: KEY})
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=resolver)
    signer.content_digest_class = Unchecked
    covers = (*ALL, "content-digest")
    signer.sign(prepared, key_id=KEYID, created=NOW, tag="hashshare", nonce="n" * 20, covered_component_ids=covers)
    with pytest.raises(BadRequestSignature, match="not one sha-256"):
        verify(as_received(prepared))

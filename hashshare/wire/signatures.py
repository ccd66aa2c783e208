"""Signed requests: a profile of RFC 9421 (HTTP Message Signatures) with RFC 9530 content digests.

One signature tagged `hashshare` by an Ed25519 key covers @method, @target-uri, @authority, content-digest when there
is a body, and if-match when it is present; its parameters are created, keyid, alg, nonce and tag, no others. The clock
and the memory of nonces stay outside: times are passed in, nonces handed back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519

from hashshare.wire import keys, limits
from hashshare.wire.errors import (
    BadRequestSignature,
    HashshareError,
    NotAuthenticated,
    StaleSignature,
    UsageError,
)

if TYPE_CHECKING:
    from requests import PreparedRequest

TAG: Final = "hashshare"
LABEL: Final = "sig"
PARAMETERS: Final = frozenset({"created", "keyid", "alg", "nonce", "tag"})
COMPONENTS: Final = ("@method", "@target-uri", "@authority")
METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
NONCE: Final = re.compile(rf"[A-Za-z0-9_-]{{16,{limits.MAX_NONCE}}}")
NONCE_BYTES: Final = 18


@dataclass(frozen=True, slots=True)
class SignableRequest:
    """A request as its verifier sees it: method in capitals, the absolute target URI exactly as requested (public
    address, raw path and query, nothing decoded), and its header fields.
    """

    method: str
    target_uri: str
    headers: Mapping[str, str]

    @property
    def url(self) -> str:
        """The name under which http_message_signatures looks for the target URI."""
        return self.target_uri


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed a request. `body_sha256` is the covered digest of the body (raw, 32 bytes), None without a body: the
    caller still has to compare it with the body (`check_body`), and to refuse a nonce that `keyid` has used before.
    """

    keyid: str
    nonce: str
    created: datetime
    body_sha256: bytes | None


def sign_request(
    prepared: PreparedRequest,
    *,
    key: Ed25519PrivateKey,
    now: datetime,
    keyid: str = "",
    nonce: str = "",
    body_sha256: bytes | None = None,
) -> None:
    """Sign in place, adding Content-Digest where there is a body, Signature-Input and Signature.

    `keyid` is the key's fingerprint and `nonce` a random one unless given. A body that is streamed needs its raw
    digest in `body_sha256`; for bytes and text it is computed. Raises UsageError for a stream without one.
    """
    digest = _body_digest(prepared) if body_sha256 is None else body_sha256
    prepared.headers.pop("Content-Digest", None)
    if digest is not None:
        prepared.headers["Content-Digest"] = content_digest(digest)
    name = keyid or keys.fingerprint_of(key)
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(private=key))
    signer.sign(
        prepared,
        key_id=name,
        created=now,
        nonce=nonce or secrets.token_urlsafe(NONCE_BYTES),
        label=LABEL,
        tag=TAG,
        covered_component_ids=_components(prepared.method or "", prepared.headers),
        use_existing_digest=digest is not None,
    )


def verify_request(request: SignableRequest, *, resolve: Callable[[str], bytes | None], now: datetime) -> SignedBy:
    """Verify the one signature tagged `hashshare`. `resolve` gives the raw public key of a key id, or None.

    Raises NotAuthenticated when there is no signature, StaleSignature outside the window of
    limits.SIGNATURE_WINDOW_SECONDS, BadRequestSignature for everything else, an unknown key included.
    """
    if not is_signed(request.headers):
        raise NotAuthenticated
    resolver = _ManyKeys(resolve)
    verifier = _Verifier(signature_algorithm=ED25519, key_resolver=resolver)
    verifier.now = now
    required = _components(request.method, request.headers)
    try:
        results = verifier.verify(request, max_age=None, expect_tag=TAG, require_components=required)
    except HashshareError:
        raise
    except Exception as fault:
        # Whatever hostile header fields do to the parser is a refusal; a failing look-up of the key is not.
        if resolver.failure is not None:
            raise resolver.failure from None
        raise BadRequestSignature(_reason(fault)) from fault
    if len(results) != 1:
        raise BadRequestSignature("A request carries one signature tagged hashshare.")
    return _signed_by(results[0], request.headers)


def is_signed(headers: Mapping[str, str]) -> bool:
    """Whether a request carries signature fields at all; says nothing about their worth."""
    return bool({name.lower() for name in headers} & {"signature", "signature-input"})


def check_body(signed: SignedBy, sha256: bytes) -> None:
    """Raises BadRequestSignature unless the body that was read has the signed digest (`sha256`: raw, 32 bytes).

    A request without a body may go without a digest.
    """
    expected = signed.body_sha256 or hashlib.sha256(b"").digest()
    if not hmac.compare_digest(expected, sha256):
        raise BadRequestSignature("The body is not the one whose digest was signed.")


def content_digest(sha256: bytes) -> str:
    """The Content-Digest field for a raw SHA-256 (RFC 9530 section 2)."""
    return f"sha-256=:{base64.b64encode(sha256).decode()}:"


def _components(method: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """What a signature must cover, given the method and the header fields that are there."""
    fields = {name.lower(): value for name, value in headers.items()}
    has_body = method in METHODS_WITH_BODY or "transfer-encoding" in fields
    has_body = has_body or fields.get("content-length", "0").strip() not in ("", "0")
    digest = ("content-digest",) if has_body or "content-digest" in fields else ()
    condition = ("if-match",) if "if-match" in fields else ()
    return (*COMPONENTS, *digest, *condition)


def _body_digest(prepared: PreparedRequest) -> bytes | None:
    body: object = prepared.body
    if isinstance(body, str):
        body = body.encode()
    if isinstance(body, bytes):
        return hashlib.sha256(body).digest()
    if body is not None:
        raise UsageError("A streamed body is signed by its digest, which was not given.")
    return hashlib.sha256(b"").digest() if prepared.method in METHODS_WITH_BODY else None


def _signed_by(result: VerifyResult, headers: Mapping[str, str]) -> SignedBy:
    parameters = result.parameters
    return SignedBy(
        keyid=str(parameters["keyid"]),
        nonce=str(parameters["nonce"]),
        created=datetime.fromtimestamp(int(parameters["created"]), tz=UTC),
        body_sha256=_covered_digest(headers),
    )


def _covered_digest(headers: Mapping[str, str]) -> bytes | None:
    """The sha-256 of Content-Digest, which `_components` made the signature cover."""
    fields = [value for name, value in headers.items() if name.lower() == "content-digest"]
    if not fields:
        return None
    match = re.fullmatch(r"sha-256=:([A-Za-z0-9+/]{43}=):", fields[0].strip())
    if len(fields) != 1 or match is None:
        raise BadRequestSignature("Content-Digest is not one sha-256.")
    return base64.b64decode(match[1])


def _reason(fault: Exception) -> str:
    """What may be told: an unknown key and a wrong signature read the same."""
    told = ("was not covered by the signature", "Unexpected signature metadata parameter", "is missing a required")
    text = str(fault)
    return f"The request's signature does not verify: {text}." if any(part in text for part in told) else ""


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with the caller's clock and this profile's parameters."""

    now: datetime

    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:  # noqa: ARG002
        parameters = sig_input.params
        if set(parameters) != PARAMETERS:
            raise BadRequestSignature(f"A signature has exactly the parameters {', '.join(sorted(PARAMETERS))}.")
        if not NONCE.fullmatch(parameters["nonce"]):
            raise BadRequestSignature(f"A nonce is 16 to {limits.MAX_NONCE} characters of A-Z a-z 0-9 _ -.")
        skew = abs(self.now.timestamp() - parameters["created"])
        if skew > limits.SIGNATURE_WINDOW_SECONDS:
            raise StaleSignature(f"The request was signed {int(skew)} seconds from this hub's clock.", skew=int(skew))


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, *, private: Ed25519PrivateKey) -> None:
        self._private = private

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002
        return self._private


class _ManyKeys(HTTPSignatureKeyResolver):
    def __init__(self, resolve: Callable[[str], bytes | None]) -> None:
        self._resolve = resolve
        self.failure: Exception | None = None

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        try:
            raw = self._resolve(key_id)
        except Exception as fault:
            self.failure = fault
            raise
        if raw is None:
            raise InvalidSignature
        return keys.public_key(raw)

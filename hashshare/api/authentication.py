"""The doors of the API: a signed request (RFC 9421), a bearer token, or an access key.

Whatever is wrong with a credential, the answer says no more than which kind it was: not whether the key is known,
revoked or its organisation suspended.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from hashshare.api.bodies import bounded_body
from hashshare.api.problems import CHALLENGES
from hashshare.selectors.callers import Caller
from hashshare.services.authentication import caller_by_access_key, caller_by_key, caller_by_token
from hashshare.services.keys import record_key_seen
from hashshare.services.nonces import accept_nonce
from hashshare.wire.errors import NotAuthenticated
from hashshare.wire.limits import SIGNATURE_WINDOW_SECONDS
from hashshare.wire.signatures import SignableRequest, SignedBy, check_body, is_signed, verify_request

ACCESS_KEY_MARK = "hsk_"


class OrganisationAuthentication(BaseAuthentication):
    """`request.user` becomes the Caller, `request.auth` the verified signature if there is one.

    A signature counts before an Authorization header beside it.
    """

    def authenticate(self, request: Request) -> tuple[Caller, SignedBy | None] | None:
        now = timezone.now()
        if is_signed(request.headers):
            return _signer_of(request, now=now)
        if text := request.headers.get("Authorization"):
            return _bearer_of(text, now=now), None
        return None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGES


def signed_request(request: HttpRequest) -> SignableRequest:
    """The request as its signer saw it: under the hub's public address, whatever proxies stand in between."""
    return SignableRequest(
        method=str(request.method),
        target_uri=settings.HASHSHARE_PUBLIC_URL + _path_as_sent(request),
        headers=request.headers,
    )


def checked_signature(request: HttpRequest, *, public_key: bytes, now: datetime) -> SignedBy:
    """For a key that is not enrolled yet: verify the signature and the body, and leave the nonce to the caller."""
    signed = verify_request(signed_request(request), resolve=lambda _: public_key, now=now)
    check_body(signed, hashlib.sha256(bounded_body(request)).digest())
    return signed


def _signer_of(request: Request, *, now: datetime) -> tuple[Caller, SignedBy]:
    callers: dict[str, Caller] = {}

    def resolve(fingerprint: str) -> bytes | None:
        try:
            callers[fingerprint], public_key = caller_by_key(fingerprint=fingerprint, now=now)
        except NotAuthenticated:
            return None
        return public_key

    django_request = request._request
    signed = verify_request(signed_request(django_request), resolve=resolve, now=now)
    caller = callers[signed.keyid]
    if not _is_upload(request):
        check_body(signed, hashlib.sha256(bounded_body(django_request)).digest())
    # The window closes this long after `created`; later copies are stale and need no memory.
    expires_at = signed.created + timedelta(seconds=SIGNATURE_WINDOW_SECONDS + 1)
    accept_nonce(caller=caller, nonce=signed.nonce, expires_at=expires_at)
    skew = math.floor((now - signed.created).total_seconds())
    record_key_seen(caller=caller, clock_skew_seconds=skew, now=now)
    return caller, signed


def _is_upload(request: Request) -> bool:
    """An upload is hashed while it is stored; its view compares it with the signed Content-Digest."""
    view = (request.parser_context or {}).get("view")
    return request.method == "PUT" and bool(getattr(view, "streams_body", False))


def _bearer_of(text: str, *, now: datetime) -> Caller:
    scheme, _, credentials = text.strip().partition(" ")
    credentials = credentials.strip()
    match scheme.lower():
        case "bearer" if credentials.startswith(ACCESS_KEY_MARK):
            return caller_by_access_key(text=credentials, now=now)
        case "bearer":
            return caller_by_token(token=credentials, now=now)
        case "basic":
            return caller_by_access_key(text=_password_of(credentials), now=now)
    raise NotAuthenticated("Authorization must be Bearer or Basic.")


def _password_of(credentials: str) -> str:
    """The user name of Basic is not looked at: some clients insist on sending one."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError) as error:
        raise NotAuthenticated("The Basic credentials are not base64.") from error


def _path_as_sent(request: HttpRequest) -> str:
    """The raw path and query. gunicorn keeps it; elsewhere Django's own rebuilding is the same for our addresses."""
    raw = str(request.META.get("RAW_URI", ""))
    return raw if raw.startswith("/") else request.get_full_path()

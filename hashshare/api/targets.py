"""TUF targets: manifests and segments, served to whoever may read the list and taken in from its publisher."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.bodies import AnyBytes, announced_length
from hashshare.api.endpoint import Endpoint, answer, caller_of, signature_of
from hashshare.api.immutable import bytes_response, object_response
from hashshare.api.permissions import READERS, SIGNING_HOTLINES
from hashshare.selectors.objects import TargetObject, read_whole, target_object
from hashshare.services.deliveries import record_delivery
from hashshare.services.objects import check_upload_allowed, store_object
from hashshare.wire.errors import WrongDigest

BLOCK = 256 * 1024


class StoredRecord(serializers.Serializer[Any]):
    name = serializers.CharField()
    sha256 = serializers.CharField(source="digest")
    length = serializers.IntegerField()


class Target(Endpoint):
    """`<sha256>.<name>` of a list: immutable, so a client may keep it for good.

    A manifest is always served whole, and each time is recorded as a delivery; anything else may be asked for in parts.
    Segments may be sent by the web server or, after a redirect, by the object storage: the caller's credentials are
    not for it.
    """

    who = {"GET": READERS, "PUT": SIGNING_HOTLINES}
    parser_classes = (AnyBytes,)
    streams_body = True

    @extend_schema(
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes"),
            OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            206: OpenApiTypes.BINARY,
            304: None,
            307: None,
        },
    )
    def get(self, request: Request, domain: str, list_id: str, digest: str, name: str) -> HttpResponseBase:
        found = target_object(
            caller=caller_of(request), domain=domain, list_id=list_id, digest=digest, name=name, now=timezone.now()
        )
        if found.is_manifest:
            return _manifest(request, found)
        whole = name.endswith(".json")
        return object_response(request._request, found.key, digest=digest, length=found.length, here=whole)

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: StoredRecord},
    )
    def put(self, request: Request, domain: str, list_id: str, digest: str, name: str) -> Response:
        """Upload an object. 412 when the list has it already; it may be sent any number of times."""
        caller = caller_of(request)
        now, length = timezone.now(), announced_length(request._request)
        check_upload_allowed(
            caller=caller, domain=domain, list_id=list_id, digest=digest, name=name, content_length=length, now=now
        )
        signed = signature_of(request)
        if signed.body_sha256 is None or signed.body_sha256.hex() != digest:
            raise WrongDigest("The signed Content-Digest is not the digest in the address.")
        row = store_object(
            caller=caller,
            domain=domain,
            list_id=list_id,
            digest=digest,
            name=name,
            chunks=_chunks(request),
            content_length=length,
            now=now,
        )
        return answer(StoredRecord, row, status=201)


def _manifest(request: Request, found: TargetObject) -> HttpResponseBase:
    response = bytes_response(request._request, read_whole(found), digest=found.digest, media_type="application/json")
    if request.method == "GET" and response.status_code == HTTPStatus.OK:
        record_delivery(caller=caller_of(request), target=found, now=timezone.now())
    return response


def _chunks(request: Request) -> Iterator[bytes]:
    while block := request._request.read(BLOCK):
        yield block

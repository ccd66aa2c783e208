"""A publisher's delivery log as far as it is sealed, for those who read its lists; and all of it for the publisher."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.fields import Base64Field, number_parameter
from hashshare.api.immutable import FOR_GOOD, REVALIDATE
from hashshare.api.permissions import HOTLINES, READERS
from hashshare.selectors.audits import MOST, audit
from hashshare.selectors.logs import consistency, readable_log, successions, tile_body
from hashshare.wire.errors import MalformedLog, NotFound
from hashshare.wire.log.tiles import TilePlace, parse_tile_path


class AuditedRecord(serializers.Serializer[Any]):
    """`kind`: delivery, acknowledgement, relayed (given at another hub), padding or erasure; "missing" where
    the hub has no opening that fits.
    """

    index = serializers.IntegerField()
    kind = serializers.CharField()
    entry = Base64Field(help_text="What stands in the log")
    row = serializers.CharField(allow_null=True, trim_whitespace=False)
    nonce = Base64Field(length=32, allow_null=True)
    erased = serializers.BooleanField(help_text="The opening was erased when its time was over")
    statement = serializers.CharField(allow_null=True, trim_whitespace=False, help_text="DSSE document as received")
    public_key = Base64Field(length=32, allow_null=True, help_text="Raw Ed25519 key that signed the statement")


class AuditRecord(serializers.Serializer[Any]):
    leaves = AuditedRecord(many=True)
    checkpoint = serializers.CharField(trim_whitespace=False)


class Audit(Endpoint):
    """Every leaf of the caller's own delivery log with its opening."""

    who = {"GET": HOTLINES}

    @extend_schema(
        parameters=[
            OpenApiParameter("start", int, description="Index of the first leaf"),
            OpenApiParameter(
                "limit", int, description=f"At most {MOST}, which is also what stands when it is not said"
            ),
        ],
        responses=AuditRecord,
    )
    def get(self, request: Request, domain: str) -> Response:
        found = audit(
            caller=caller_of(request),
            domain=domain,
            start=number_parameter(request, "start", default=0),
            limit=number_parameter(request, "limit", default=MOST, least=1, most=MOST),
        )
        return answer(AuditRecord, found)


class ConsistencyRecord(serializers.Serializer[Any]):
    consistency = serializers.ListField(child=Base64Field(length=32))


class Consistency(Endpoint):
    """The proof that the log of `new` leaves begins with the `old` first (RFC 9162 section 2.1.4)."""

    who = {"GET": READERS}

    @extend_schema(
        parameters=[
            OpenApiParameter("old", int, required=True),
            OpenApiParameter("new", int, description="All that are sealed when it is not said"),
        ],
        responses=ConsistencyRecord,
    )
    def get(self, request: Request, domain: str) -> Response:
        log = readable_log(caller=caller_of(request), domain=domain, now=timezone.now())
        old = number_parameter(request, "old", default=0)
        new = number_parameter(request, "new", default=log.size)
        return answer(ConsistencyRecord, {"consistency": consistency(log=log, old=old, new=new)})


class LogCheckpoint(Endpoint):
    """The signed checkpoint, at most a minute old."""

    who = {"GET": READERS}

    @extend_schema(operation_id="log_checkpoint", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, domain: str) -> HttpResponse:
        log = readable_log(caller=caller_of(request), domain=domain, now=timezone.now())
        return note_response(log.checkpoint, cache=REVALIDATE)


class LogTile(Endpoint):
    """Tiles of hashes and bundles of entries (C2SP tlog-tiles), as far as the log is sealed."""

    who = {"GET": READERS}

    @extend_schema(operation_id="log_tile", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, domain: str, path: str) -> HttpResponse:
        log = readable_log(caller=caller_of(request), domain=domain, now=timezone.now())
        return tile_response(tile_body(log=log, place=place_of(path), size=log.size), cache=FOR_GOOD)


class SuccessionList(serializers.Serializer[Any]):
    successions = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), help_text="Signed notes, oldest first"
    )


class Successions(Endpoint):
    """The signed statements by which this log openly superseded others, as after the hub was restored from a backup."""

    who = {"GET": READERS}

    @extend_schema(operation_id="successions", responses=SuccessionList)
    def get(self, request: Request, domain: str) -> Response:
        log = readable_log(caller=caller_of(request), domain=domain, now=timezone.now())
        return answer(SuccessionList, {"successions": successions(log=log)})


def place_of(path: str) -> TilePlace:
    """Of a path below `tile/`. Raises NotFound."""
    try:
        return parse_tile_path(f"tile/{path}")
    except MalformedLog as error:
        raise NotFound from error


def note_response(note: str, *, cache: str) -> HttpResponse:
    return HttpResponse(note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": cache})


def tile_response(body: bytes, *, cache: str) -> HttpResponse:
    """A tile never changes under its path: a partial one has its width in it."""
    return HttpResponse(body, content_type="application/octet-stream", headers={"Cache-Control": cache})

"""The logs as anybody may read them, with any program that knows C2SP tlog-tiles: nothing in them says who and what.

A delivery log is shown as it was when its last hour was over, in whole tiles; the publication log as it is sealed.
A log that was superseded stands still under its own address, and its successor under that and a number: tiles under one
address never change, so that caches may keep them.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint
from hashshare.api.logs import SuccessionList, note_response, place_of, tile_response
from hashshare.api.permissions import ANYBODY
from hashshare.selectors.logs import PublicLog, public_log, successions, tile_body

FOR_A_MINUTE: Final = "public, max-age=60"
FOR_GOOD: Final = "public, max-age=31536000, immutable"


class PublicCheckpoint(Endpoint):
    """The signed checkpoint of the hour, with the cosignatures of those witnesses that have seen it."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_checkpoint", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, log: str) -> HttpResponse:
        return note_response(public_log(name=log).checkpoint, cache=FOR_A_MINUTE)


class PublicCheckpointOf(Endpoint):
    """The same of the log that superseded another; `number` counts from 2."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_checkpoint_of", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, log: str, number: int) -> HttpResponse:
        return note_response(public_log(name=log, number=number).checkpoint, cache=FOR_A_MINUTE)


class CosignedList(serializers.Serializer[Any]):
    checkpoints = serializers.ListField(
        child=serializers.CharField(trim_whitespace=False), help_text="Signed and cosigned notes, newest first"
    )


class PublicCosigned(Endpoint):
    """Checkpoints that were shown to the public, with the cosignatures of witnesses; of older ones only those that have
    a witness which no newer one has.
    """

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_cosigned", responses=CosignedList)
    def get(self, request: Request, log: str) -> Response:
        found = public_log(name=log).log.cosigned
        return Response({"checkpoints": found}, headers={"Cache-Control": FOR_A_MINUTE})


class PublicTile(Endpoint):
    """A tile or a bundle of entries under that checkpoint."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_tile", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, log: str, path: str) -> HttpResponse:
        return shown_tile(public_log(name=log), path)


class PublicTileOf(Endpoint):
    """The same of the log that superseded another; `number` counts from 2."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_tile_of", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, log: str, number: int, path: str) -> HttpResponse:
        return shown_tile(public_log(name=log, number=number), path)


def shown_tile(found: PublicLog, path: str) -> HttpResponse:
    return tile_response(tile_body(log=found.log, place=place_of(path), size=found.size), cache=FOR_GOOD)


class PublicSuccessions(Endpoint):
    """The signed statements by which this log openly superseded others, about what the public had seen of them."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_successions", responses=SuccessionList)
    def get(self, request: Request, log: str) -> Response:
        found = successions(log=public_log(name=log).log, public=True)
        return Response({"successions": found}, headers={"Cache-Control": FOR_A_MINUTE})

"""The logs as anybody may read them, with any program that knows C2SP tlog-tiles: nothing in them says who and what.

A delivery log is shown as it was when its last hour was over, in whole tiles; the publication log as it is sealed.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from hashshare.api.endpoint import Endpoint
from hashshare.api.logs import note_response, place_of, tile_response
from hashshare.api.permissions import ANYBODY
from hashshare.selectors.logs import public_log, tile_body

FOR_A_MINUTE: Final = "public, max-age=60"
FOR_GOOD: Final = "public, max-age=31536000, immutable"


class PublicCheckpoint(Endpoint):
    """The signed checkpoint of the hour."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_checkpoint", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, log: str) -> HttpResponse:
        return note_response(public_log(name=log).public_checkpoint, cache=FOR_A_MINUTE)


class PublicTile(Endpoint):
    """A tile or a bundle of entries under that checkpoint."""

    who = {"GET": ANYBODY}
    authentication_classes = ()

    @extend_schema(operation_id="public_tile", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, log: str, path: str) -> HttpResponse:
        found = public_log(name=log)
        return tile_response(tile_body(log=found, place=place_of(path), size=found.public_size), cache=FOR_GOOD)

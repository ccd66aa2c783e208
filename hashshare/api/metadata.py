"""Signed TUF metadata, byte for byte as it was signed."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from hashshare.api.endpoint import Endpoint, caller_of
from hashshare.api.immutable import FOR_GOOD, REVALIDATE, bytes_response
from hashshare.api.permissions import READERS
from hashshare.selectors.metadata import metadata_file


class MetadataFile(Endpoint):
    """`timestamp.json` and the numbered files of TUF's consistent snapshots."""

    who = {"GET": READERS}

    @extend_schema(
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request, domain: str, filename: str) -> HttpResponse:
        found = metadata_file(caller=caller_of(request), domain=domain, filename=filename, now=timezone.now())
        return bytes_response(
            request._request,
            found.content,
            digest=found.sha256,
            media_type="application/json",
            cache=FOR_GOOD if found.immutable else REVALIDATE,
        )

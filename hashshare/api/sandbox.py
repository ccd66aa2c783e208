"""The harmless files that match the sandbox list, as a zip."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from hashshare.api.endpoint import Endpoint
from hashshare.api.permissions import READERS
from hashshare.sandbox.archive import NAME, sandbox_zip


class SandboxFiles(Endpoint):
    """Synthetic, harmless files that do and do not match the sandbox list; `expected.csv` in it says which."""

    who = {"GET": READERS}

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponse:
        response = HttpResponse(sandbox_zip(), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{NAME}"'
        response["Cache-Control"] = "private, max-age=86400"
        return response

"""The OpenAPI document, made once per process: anybody may ask for it, and making it takes a tenth of a second."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer


@require_safe
def schema_document(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document(), content_type=OpenApiYamlRenderer.media_type)


@cache
def _document() -> bytes:
    made = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    document: bytes = OpenApiYamlRenderer().render(made, renderer_context={})  # type: ignore[no-untyped-call]
    return document

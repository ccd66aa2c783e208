"""The API's own description (OpenAPI): what drf-spectacular cannot read from the code, and the page for it."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457. Every `type` has a page; further members depend on it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "next_step": {"type": "string"},
    },
}
PROBLEM: Final = {"description": "A problem", "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}}}

DOORS: Final[dict[str, dict[str, str]]] = {
    "signature": {
        "type": "http",
        "scheme": "signature",
        "description": "RFC 9421 signature with an enrolled Ed25519 key: @method, @target-uri, @authority, "
        "content-digest with a body and if-match when sent; created, nonce, keyid, alg, tag=hashshare.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "From POST tokens; reads only; ten minutes."},
    "access_key": {"type": "http", "scheme": "basic", "description": "An access key as password; reads only."},
}


class DescribedOperations(AutoSchema):
    """The settings' DEFAULT_SCHEMA_CLASS.

    Adds who may call an operation, by which doors, and that whatever fails is a problem document.
    """

    def get_description(self) -> str:  # type: ignore[override]  # as AutoSchema has it
        who = getattr(self.view, "who", {}).get(self.method)
        written = str(super().get_description() or "")
        return f"{written}\n\n**Who:** {who.words}" if who else written

    def get_auth(self) -> list[dict[str, list[str]]]:
        super().get_auth()
        who = getattr(self.view, "who", {}).get(self.method)
        return [{door: []} for door in sorted(who.doors)] if who and who.doors else []

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            operation["responses"]["default"] = PROBLEM
        return operation


class Doors(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes `authentication.OrganisationAuthentication`, found by its dotted name."""

    target_class = "hashshare.api.authentication.OrganisationAuthentication"
    name = list(DOORS)

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        return list(DOORS.values())


@require_safe
def docs_page(request: HttpRequest) -> HttpResponse:
    """Swagger UI from this hub's own files; its start-up script is a file too, as the page's CSP wants."""
    return render(request, "api/docs.html")

"""What every resource of the API is made of: the doors, the declared callers, the limit, and problems as answers.

Set here and not in the settings, so that no deployment can loosen them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from hashshare.api.authentication import OrganisationAuthentication
from hashshare.api.bodies import StrictJson, bounded_body, check_address
from hashshare.api.permissions import DeclaredCallers, Who
from hashshare.api.problems import exception_handler
from hashshare.api.throttling import OrganisationThrottle
from hashshare.selectors.callers import Caller
from hashshare.services.authentication import confirm_key
from hashshare.wire.errors import NotAuthenticated
from hashshare.wire.signatures import SignedBy


class OneRepresentation(BaseContentNegotiation):
    """Every answer has one form, so the Accept header is not consulted (RFC 9110 section 12.4.1 allows it)."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type in {"*/*", content_type}), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        only = next(iter(renderers))
        return only, str(only.media_type)


class Endpoint(APIView):
    """A resource. `who` names the callers of each method; a method without an entry is not answered."""

    who: ClassVar[dict[str, Who]]
    streams_body: ClassVar[bool] = False
    """True: the body of PUT is not read before the view does; its Content-Digest is then checked while storing."""

    confirms_key: ClassVar[bool] = False
    """True: the view itself sees to it that a token's key is still in force, within a query that it makes anyway."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (OrganisationAuthentication,)
    permission_classes = (DeclaredCallers,)
    throttle_classes = (OrganisationThrottle,)
    renderer_classes = (JSONRenderer,)
    parser_classes: Sequence[type[BaseParser]] = (StrictJson,)
    content_negotiation_class = OneRepresentation
    metadata_class = None
    http_method_names = ("get", "head", "post", "put", "delete")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read the body first, within its bound, since signatures cover it."""
        check_address(request._request)
        if not (self.streams_body and request.method == "PUT"):
            bounded_body(request._request)
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """A token says whose it is by itself; that its key was not revoked since, only the database knows."""
        super().perform_authentication(request)
        caller: object = request.user
        if not self.confirms_key and isinstance(caller, Caller) and caller.via == "token":
            request.user = confirm_key(caller=caller, now=timezone.now())  # type: ignore[assignment]

    def get_exception_handler(self) -> Any:
        return exception_handler


def caller_of(request: Request) -> Caller:
    """The organisation that `authentication` let in, and by which door. Only for methods that are not public."""
    caller = request.user
    if not isinstance(caller, Caller):
        raise NotAuthenticated
    return caller


def signature_of(request: Request) -> SignedBy:
    """The verified signature of a request that was let in by one."""
    signed = request.auth
    if not isinstance(signed, SignedBy):
        raise NotAuthenticated
    return signed


def validated(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body's fields as the serializer declares them. Raises DRF's ValidationError, which names each fault."""
    checked = serializer(data=request.data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def answer(
    serializer: type[Serializer[Any]], subject: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """`subject` in the form that `serializer` documents; never kept by caches, since it is this caller's view."""
    return Response(
        serializer(subject).data, status=status, headers={"Cache-Control": "private, no-cache"} | (headers or {})
    )

"""Turns every error that leaves the API into an RFC 9457 problem document, in this one place.

Services and wire code raise `wire.errors`; DRF and Django raise their own for what they find in HTTP itself, which are
translated here first. Nothing else may build an error response.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from hashshare.services.problems import problem_document
from hashshare.wire import errors

MEDIA_TYPE = "application/problem+json"
CHALLENGES = 'Signature realm="hashshare", Bearer realm="hashshare", Basic realm="hashshare", charset="UTF-8"'
"""What a 401 offers (RFC 9110 section 11.6.1): the doors of `authentication`."""
STORAGE_PAUSE = 10
"""Seconds after which storage that failed may be asked again; in the log stands what it said."""

logger = logging.getLogger(__name__)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: always answers, so that no caller ever meets an HTML error page."""
    set_rollback()
    error = _translated(exc)
    if error.status >= 500 and not isinstance(error, errors.HubRestored):
        logger.error("%s failed", _name_of(context), exc_info=exc)
    response = Response(
        problem_document(error), status=error.status, headers=problem_headers(error), content_type=MEDIA_TYPE
    )
    return told_once(response) if isinstance(error, errors.HubRestored) else response


Told = TypeVar("Told", bound=HttpResponse)


def told_once(response: Told) -> Told:
    """What a restored hub answers to everybody, by intent: one line of a process says so, and Django no error each."""
    _say_restored()
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@cache
def _say_restored() -> None:
    logger.warning(
        "This hub was restored from a backup: what it may not do yet is answered 503 `restored`, from now on without a "
        "line each. `manage.py recover --status` says what it waits for."
    )


def problem_headers(error: errors.HashshareError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.status == errors.NotAuthenticated.status:
        headers["WWW-Authenticate"] = CHALLENGES
    if retry_after := error.facts.get("retry_after"):
        headers["Retry-After"] = str(retry_after)
    return headers


def plain_problem(error: errors.HashshareError) -> HttpResponse:
    """The same document outside DRF, for views and handlers that no DRF view wraps."""
    response = JsonResponse(
        problem_document(error), status=error.status, headers=problem_headers(error), content_type=MEDIA_TYPE
    )
    return told_once(response) if isinstance(error, errors.HubRestored) else response


def nothing_here(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What an address below the API that names no resource answers, the same for everybody."""
    return plain_problem(errors.NotFound("The API has no resource at this address."))


def _name_of(context: dict[str, Any]) -> str:
    request = context.get("request")
    return f"{request.method} {request.path}" if request is not None else "An API request"


def _translated(exc: Exception) -> errors.HashshareError:
    match exc:
        case errors.HashshareError():
            return exc
        case exceptions.ValidationError():
            return errors.UsageError("Some fields are not as they must be.", errors=list(field_errors(exc.detail)))
        case exceptions.ParseError():
            return errors.UsageError(f"The body is not JSON: {exc.detail}")
        case exceptions.UnsupportedMediaType():
            return errors.UnsupportedMediaType(str(exc.detail))
        case exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed(str(exc.detail))
        case exceptions.Throttled():
            seconds = max(1, int(getattr(exc, "wait", None) or 1))
            return errors.TooManyRequests(retry_after=seconds)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return errors.NotAuthenticated()
        case exceptions.PermissionDenied() | PermissionDenied():
            return errors.NotAllowed()
        case exceptions.NotFound() | Http404():
            return errors.NotFound()
        case RequestDataTooBig():
            return errors.TooLarge()
        case OSError() if not isinstance(exc, FileNotFoundError):
            return errors.StorageUnavailable(retry_after=STORAGE_PAUSE)
        case _:
            return errors.HashshareError("The hub failed to answer; its operator finds the reason in its log.")


def field_errors(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested validation detail as flat `{"pointer", "message"}` records (RFC 6901 pointers into the body)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from field_errors(inner, path if name == "non_field_errors" else f"{path}/{name}")
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            yield from field_errors(inner, f"{path}/{position}" if nested else path)
    else:
        yield {"pointer": path, "message": str(detail)}

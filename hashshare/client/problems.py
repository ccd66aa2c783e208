"""From the hub's answers to the error tree: RFC 9457 problem documents become the class whose slug their type names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import requests

from hashshare.client.answers import json_of
from hashshare.wire.errors import (
    Conflict,
    ExitCode,
    HashshareError,
    HubFailure,
    NotAuthenticated,
    NotEntitled,
    NotFound,
    TooLarge,
    TooManyRequests,
    UsageError,
    error_for,
)
from hashshare.wire.plain_text import printable

MAX_DETAIL: Final = 2_000

_BY_STATUS: Final[Mapping[int, type[HashshareError]]] = {
    401: NotAuthenticated,
    403: NotEntitled,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: TooManyRequests,
}
_RESERVED = frozenset({"type", "title", "status", "detail", "instance", "next_step", "message", "self"})


def raise_for_problem(response: requests.Response, *, rejected: bool = False) -> None:
    """Nothing for 2xx, 304 and 416; else raise. `rejected`: a refused write exits with 6 whatever was wrong with it."""
    if response.status_code < 400 or response.status_code == 416:
        return
    try:
        document = json_of(response)
    except (ValueError, requests.RequestException):
        document = None
    finally:
        response.close()
    error = error_of(document if isinstance(document, dict) else {}, status=response.status_code)
    if rejected and response.status_code in (409, 412, 422):
        error.exit_code = ExitCode.REJECTED  # type: ignore[misc]
    raise error


def error_of(document: Mapping[str, Any], *, status: int = 0) -> HashshareError:
    """The error that a problem document (also a failed job's `problem`) describes."""
    status = status or _number(document.get("status"))
    slug = str(document.get("type", "")).rstrip("/").rpartition("/")[2]
    kind = error_for(slug) or _kind_for(status)
    facts = {key: value for key, value in document.items() if key not in _RESERVED and key.isidentifier()}
    message = _clean(document.get("detail")) or _clean(document.get("title"))
    if not message and status >= 500:
        message = f"The hub failed (HTTP {status})."
    return kind(message, next_step=_clean(document.get("next_step")), **facts)


def _kind_for(status: int) -> type[HashshareError]:
    if status >= 500:
        return HubFailure
    if status in (0, 422):
        return HashshareError
    return _BY_STATUS.get(status, UsageError)


def _clean(value: object) -> str:
    return printable(value[:MAX_DETAIL]) if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

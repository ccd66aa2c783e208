"""Request bodies: how much of one is read, and as what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import unquote

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from hashshare.wire.errors import TooLarge, UsageError
from hashshare.wire.limits import MAX_JSON_BODY


def announced_length(request: HttpRequest) -> int:
    """Content-Length in bytes, 0 when absent. Raises UsageError when it is no number."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit()):
        raise UsageError("Content-Length is not a number.")
    return int(text)


def bounded_body(request: HttpRequest) -> bytes:
    """The whole body of a request that is not an upload. Raises TooLarge before reading any of it."""
    if announced_length(request) > MAX_JSON_BODY:
        raise TooLarge(f"At most {MAX_JSON_BODY} bytes are read here.", limit=MAX_JSON_BODY)
    return request.body


class StrictJson(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, no NaN, and an object outermost; no text that a database cannot keep."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            parsed = json.loads(stream.read(MAX_JSON_BODY + 1).decode(), parse_constant=_refuse)
            _check_texts(parsed)
        except (ValueError, RecursionError) as error:
            raise ParseError(str(error)) from error
        if not isinstance(parsed, dict):
            raise ParseError("an object is expected")
        return parsed


def check_address(request: HttpRequest) -> None:
    """Raises UsageError for a zero byte, which no name has and no database takes."""
    if "\0" in request.path or "\0" in unquote(request.META.get("QUERY_STRING", "")):
        raise UsageError("The address has a zero byte.")


def _check_texts(value: object) -> None:
    """Raises ValueError for zero bytes and for halves of surrogate pairs, which JSON can spell with escapes."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a text has a zero byte")
        value.encode()
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a JSON value")


class AnyBytes(BaseParser):
    """For uploads: the body is read by the view itself, in blocks, whatever type it says it is."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream

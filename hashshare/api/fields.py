"""Fields and parameters for what DRF has none for."""

from __future__ import annotations

import base64
import binascii
import re

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from hashshare.wire.errors import UsageError
from hashshare.wire.log.merkle import MAX_SIZE

NUMBER = re.compile(r"-?[0-9]{1,20}", re.ASCII)


@extend_schema_field(OpenApiTypes.BYTE)
class Base64Field(serializers.Field[bytes, str, str, bytes]):
    """Bytes as standard base64 with padding (RFC 4648 section 4). `length`: exactly that many bytes."""

    default_error_messages = {
        "base64": "This is not standard base64.",
        "length": "This must be {length} bytes in base64.",
    }

    def __init__(self, *, length: int | None = None, help_text: str = "", allow_null: bool = False) -> None:
        super().__init__(help_text=help_text, allow_null=allow_null)
        self.length = length

    def to_internal_value(self, data: str) -> bytes:
        try:
            value = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError, TypeError):
            self.fail("base64")
        if self.length is not None and len(value) != self.length:
            self.fail("length", length=self.length)
        return value

    def to_representation(self, value: bytes) -> str:
        return base64.b64encode(value).decode()


def number_parameter(request: Request, name: str, *, default: int, least: int = 0, most: int = MAX_SIZE) -> int:
    """A whole number in the address, `default` when it is not given; raises UsageError outside of `least` to `most`."""
    text = request.query_params.get(name, str(default))
    if not (NUMBER.fullmatch(text) and least <= int(text) <= most):
        raise UsageError(f"{name} is a whole number from {least} to {most}.")
    return int(text)

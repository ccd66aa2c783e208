"""Serializer fields for what DRF has none for."""

from __future__ import annotations

import base64
import binascii

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field(OpenApiTypes.BYTE)
class Base64Field(serializers.Field[bytes, str, str, bytes]):
    """Bytes as standard base64 with padding (RFC 4648 section 4). `length`: exactly that many bytes."""

    default_error_messages = {
        "base64": "This is not standard base64.",
        "length": "This must be {length} bytes in base64.",
    }

    def __init__(self, *, length: int | None = None, help_text: str = "") -> None:
        super().__init__(help_text=help_text)
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

"""Acknowledgements: what an organisation states, signed, that it applied and purged."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.bodies import AnyBytes, announced_length
from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.fields import Base64Field, number_parameter
from hashshare.api.permissions import SUBSCRIBERS
from hashshare.selectors.logs import log_seen_from
from hashshare.services.acknowledgements import acknowledge
from hashshare.wire.errors import TooLarge
from hashshare.wire.log.acknowledgements import MAX_ACKNOWLEDGEMENT


class AcknowledgementRecord(serializers.Serializer[Any]):
    list = serializers.CharField(source="list.name")
    version = serializers.IntegerField()
    purged = serializers.IntegerField()
    manifest_sha256 = serializers.CharField(source="manifest_digest")
    key = serializers.CharField(help_text="Fingerprint of the key that signed the statement")
    received_at = serializers.DateTimeField()


class LogSeen(serializers.Serializer[Any]):
    origin = serializers.CharField()
    checkpoint = serializers.CharField(trim_whitespace=False, help_text="Signed note (C2SP tlog-checkpoint)")
    consistency = serializers.ListField(
        child=Base64Field(length=32),
        help_text="Hashes that show the log to extend its first `size` leaves; empty for 0, for all of them, and for "
        "more than there are",
    )


class Acknowledged(serializers.Serializer[Any]):
    acknowledgement = AcknowledgementRecord()
    log = LogSeen()


class Acknowledgements(Endpoint):
    """A DSSE document, signed with a key of the caller's own, kept and logged as it is; at most 4 KiB.

    The same statement may be sent any number of times (200). The answer has the publisher's log as it is sealed so far,
    and the proof that it extends what the caller has seen of it: the statement itself is sealed within a minute.
    """

    who = {"POST": SUBSCRIBERS}
    parser_classes = (AnyBytes,)

    @extend_schema(
        parameters=[OpenApiParameter("size", int, description="Leaves of the log that the caller has seen")],
        request={"application/json": OpenApiTypes.OBJECT},
        responses={200: Acknowledged, 201: Acknowledged},
    )
    def post(self, request: Request) -> Response:
        if announced_length(request._request) > MAX_ACKNOWLEDGEMENT:
            raise TooLarge(f"An acknowledgement has at most {MAX_ACKNOWLEDGEMENT} bytes.", limit=MAX_ACKNOWLEDGEMENT)
        size = number_parameter(request, "size", default=0)
        row, new = acknowledge(caller=caller_of(request), document=request._request.body, now=timezone.now())
        seen = log_seen_from(publisher=row.list.publisher, size=size)
        return answer(Acknowledged, {"acknowledgement": row, "log": seen}, status=201 if new else 200)

"""What peers report of their members: how far withdrawals got there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from federation.api.doors import SIGNING_HUBS
from federation.services.reports import take_report
from hashshare.api.bodies import AnyBytes
from hashshare.api.endpoint import Endpoint, answer, caller_of


class TakenReportRecord(serializers.Serializer[Any]):
    sequence = serializers.IntegerField(help_text="Of the report that was taken")
    previous = serializers.IntegerField(help_text="Of the one before, 0 for none: less than was sent says what is lost")


class Reports(Endpoint):
    """A DSSE document signed with the peer key of the hub that sends it, about one list that it has from here.

    The same report may be sent any number of times. One with a number that is not above the last is a `stale-report`,
    whose member `sequence` is that number. A report is taken whole or not at all.
    """

    who = {"POST": SIGNING_HUBS}
    parser_classes = (AnyBytes,)

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses=TakenReportRecord)
    def post(self, request: Request) -> Response:
        row = take_report(caller=caller_of(request), document=request._request.body, now=timezone.now())
        return answer(TakenReportRecord, row)

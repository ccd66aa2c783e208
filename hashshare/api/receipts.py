"""Receipts: what the hub has logged of the caller, with the proof of each."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.fields import Base64Field, number_parameter
from hashshare.api.permissions import READERS
from hashshare.selectors.receipts import MOST, receipts


class ReceiptRecord(serializers.Serializer[Any]):
    """`row` and `nonce` give the log's entry; `receipt` (C2SP tlog-proof) shows it to be in there."""

    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="delivery or acknowledgement")
    row = serializers.CharField(trim_whitespace=False)
    nonce = Base64Field(length=32)
    index = serializers.IntegerField(allow_null=True, help_text="Place in the log; null until it is sealed")
    receipt = serializers.CharField(allow_null=True, trim_whitespace=False)


class ReceiptList(serializers.Serializer[Any]):
    receipts = ReceiptRecord(many=True)
    checkpoint = serializers.CharField(trim_whitespace=False, help_text="The one that all receipts are proofs under")


class Receipts(Endpoint):
    """The caller's own leaves about one list, by their place in the publisher's log; last those not yet sealed."""

    who = {"GET": READERS}

    @extend_schema(
        parameters=[
            OpenApiParameter("list", str, required=True, description="aurora.example/images"),
            OpenApiParameter("after", int, description="The highest index that the caller holds"),
            OpenApiParameter("limit", int, description=f"At most {MOST}; 100 when it is not said"),
        ],
        responses=ReceiptList,
    )
    def get(self, request: Request) -> Response:
        found = receipts(
            caller=caller_of(request),
            name=request.query_params.get("list", ""),
            after=number_parameter(request, "after", default=-1, least=-1),
            limit=number_parameter(request, "limit", default=100, least=1, most=MOST),
        )
        return answer(ReceiptList, found)

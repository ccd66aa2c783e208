"""Publishers that the caller may know of, each with its root of trust as this hub gives it (to be confirmed)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.fields import Base64Field
from hashshare.api.permissions import READERS
from hashshare.selectors.publishers import publisher, publishers


class PublisherRecord(serializers.Serializer[Any]):
    domain = serializers.CharField()
    name = serializers.CharField(help_text="The organisation that publishes")
    fingerprint = serializers.CharField(help_text="SHA-256 of root metadata version 1; empty before there is one")
    # The metaclass takes fields off the class, so this one does not hide `Field.root`.
    root = Base64Field(  # type: ignore[assignment]
        help_text="Root metadata version 1, base64; empty before there is one"
    )
    mirrored_from = serializers.CharField(help_text="The hub that it is copied from; empty where it is at home here")


class PublisherDetail(PublisherRecord):
    anew_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the caller, whose publisher it is, may commit another first root"
    )


class PublisherList(serializers.Serializer[Any]):
    publishers = PublisherRecord(many=True)


class Publishers(Endpoint):
    """Every publisher that the caller may know of."""

    who = {"GET": READERS}

    @extend_schema(operation_id="publishers", responses=PublisherList)
    def get(self, request: Request) -> Response:
        return answer(PublisherList, {"publishers": publishers(caller=caller_of(request))})


class OnePublisher(Endpoint):
    """One publisher and its root of trust."""

    who = {"GET": READERS}

    @extend_schema(operation_id="publisher", responses=PublisherDetail)
    def get(self, request: Request, domain: str) -> Response:
        return answer(PublisherDetail, publisher(caller=caller_of(request), domain=domain, now=timezone.now()))

"""Who the caller is to this hub."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.keys import KeyRecord
from hashshare.api.permissions import READERS
from hashshare.api.subscriptions import SubscriptionRecord
from hashshare.selectors.status import status


class OrganisationRecord(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField(help_text="hotline, member, partner or hub")
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2")


class CallerRecord(serializers.Serializer[Any]):
    via = serializers.CharField(help_text="signature, token or access_key")
    key = serializers.CharField(source="key_id", help_text="The key's fingerprint, or the access key's prefix")


class OwnPublisher(serializers.Serializer[Any]):
    domain = serializers.CharField()
    fingerprint = serializers.CharField(source="root_fingerprint", help_text="Empty before there is a root")


class StatusRecord(serializers.Serializer[Any]):
    """`clock_skew_seconds`: the hub's clock minus the key's at its last signed request."""

    organisation = OrganisationRecord(source="caller.organisation")
    caller = CallerRecord()
    keys = KeyRecord(many=True)
    clock_skew_seconds = serializers.IntegerField(allow_null=True)
    time = serializers.DateTimeField()
    subscriptions = SubscriptionRecord(many=True)
    publishers = OwnPublisher(many=True)


class Status(Endpoint):
    """The caller's organisation, keys, clock, subscriptions and publishers."""

    who = {"GET": READERS}

    @extend_schema(responses=StatusRecord)
    def get(self, request: Request) -> Response:
        return answer(StatusRecord, status(caller=caller_of(request), now=timezone.now()))

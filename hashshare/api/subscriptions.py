"""Subscriptions: a member asks and accepts the terms, the publisher decides."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.permissions import READERS, SIGNING_HOTLINES, SUBSCRIBERS
from hashshare.selectors.redistribution import decided_at, decided_by_this_hub, why_not
from hashshare.selectors.subscriptions import list_subscriptions
from hashshare.services.subscriptions import DECISIONS, decide_subscription, request_subscription


class Subscriber(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    country = serializers.CharField()


class SubscriptionRecord(serializers.Serializer[Any]):
    """`state`: requested, active, denied, revoked or ended. `waits_at`: the hub where the publisher decides on the
    request, empty where it is this one. `decides`: who does, `publisher` or `hub`, the operator of this one; empty once
    it was done. `withheld`: why an active one is not served, empty where it is.
    """

    list = serializers.CharField(source="list.name")
    organisation = Subscriber()
    state = serializers.CharField()
    terms_digest = serializers.CharField()
    terms_accepted_at = serializers.DateTimeField(allow_null=True)
    requested_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    waits_at = serializers.SerializerMethodField()
    decides = serializers.SerializerMethodField()
    withheld = serializers.SerializerMethodField()

    def get_waits_at(self, row: Any) -> str:
        return decided_at(row.list) if row.state == "requested" else ""

    def get_decides(self, row: Any) -> str:
        if row.state != "requested":
            return ""
        return "hub" if decided_by_this_hub(row.list) else "publisher"

    def get_withheld(self, row: Any) -> str:
        if row.state != "active" or row.list.closed_at is None:
            return ""
        return why_not(row.list, row.organisation, timezone.now())


class SubscriptionList(serializers.Serializer[Any]):
    subscriptions = SubscriptionRecord(many=True)


class SubscriptionRequest(serializers.Serializer[Any]):
    terms_digest = serializers.RegexField(r"^[0-9a-f]{64}$", help_text="SHA-256 of the terms that are accepted")


class DecisionRequest(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=DECISIONS)
    until = serializers.DateField(required=False, allow_null=True, default=None, help_text="From 00:00 UTC of that day")
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=500)


class Subscriptions(Endpoint):
    """To the publisher every request and grant of its list; to others their own."""

    who = {"GET": READERS, "POST": SUBSCRIBERS}

    @extend_schema(responses=SubscriptionList)
    def get(self, request: Request, domain: str, slug: str) -> Response:
        rows = list_subscriptions(caller=caller_of(request), domain=domain, slug=slug)
        return answer(SubscriptionList, {"subscriptions": rows})

    @extend_schema(request=SubscriptionRequest, responses={200: SubscriptionRecord, 201: SubscriptionRecord})
    def post(self, request: Request, domain: str, slug: str) -> Response:
        asked = validated(SubscriptionRequest, request)
        row, new = request_subscription(
            caller=caller_of(request), domain=domain, slug=slug, now=timezone.now(), terms_digest=asked["terms_digest"]
        )
        return answer(SubscriptionRecord, row, status=201 if new else 200)


class Decision(Endpoint):
    """The publisher grants, denies or revokes an organisation's subscription to its list."""

    who = {"POST": SIGNING_HOTLINES}

    @extend_schema(request=DecisionRequest, responses=SubscriptionRecord)
    def post(self, request: Request, domain: str, slug: str, organisation: str) -> Response:
        asked = validated(DecisionRequest, request)
        row = decide_subscription(
            caller=caller_of(request), domain=domain, slug=slug, organisation=organisation, now=timezone.now(), **asked
        )
        return answer(SubscriptionRecord, row)

"""The catalogue of lists, and declaring a new one."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.permissions import READERS, SIGNING_HOTLINES
from hashshare.api.subscriptions import SubscriptionRecord
from hashshare.selectors.lists import catalogue, list_detail
from hashshare.services.lists import MAX_DEADLINE, MAX_POLL, MAX_TERMS, MIN_DEADLINE, MIN_POLL, create_list
from hashshare.wire.limits import MAX_ALGORITHMS


class ListSummary(serializers.Serializer[Any]):
    """`own`: the caller publishes it. `subscription`: the caller's newest, or null."""

    name = serializers.CharField(source="list.name")
    publisher = serializers.CharField(source="list.publisher.domain")
    slug = serializers.CharField(source="list.slug")
    id = serializers.CharField(source="list.tuf_id")
    title = serializers.CharField(source="list.title")
    description = serializers.CharField(source="list.description")
    algorithms = serializers.ListField(source="list.algorithms", child=serializers.CharField())
    scheme = serializers.CharField(source="list.scheme")
    columns = serializers.ListField(source="list.columns", child=serializers.CharField())
    visibility = serializers.CharField(source="list.visibility")
    hosted = serializers.BooleanField(source="list.hosted", help_text="The hub keeps its key and signs for the hotline")
    redistribution = serializers.JSONField(source="list.redistribution")
    poll_seconds = serializers.IntegerField(source="list.poll_seconds")
    deadline_hours = serializers.IntegerField(source="list.deadline_hours", help_text="For applying a withdrawal")
    state = serializers.CharField(source="list.state")
    version = serializers.IntegerField(source="list.version")
    role_version = serializers.IntegerField(source="list.role_version")
    entries = serializers.IntegerField(source="list.entries")
    published_at = serializers.DateTimeField(source="list.published_at", allow_null=True)
    terms_digest = serializers.CharField(source="list.terms_digest")
    own = serializers.BooleanField()
    subscription = SubscriptionRecord(allow_null=True)


class ListRecord(ListSummary):
    terms = serializers.CharField(source="list.terms")


class Catalogue(serializers.Serializer[Any]):
    lists = ListSummary(many=True)


class NewList(serializers.Serializer[Any]):
    """What a list declares of itself, for good as far as `algorithms`, `scheme` and `columns` go."""

    publisher = serializers.CharField(max_length=253, help_text="One of the caller's publishers")
    slug = serializers.RegexField(r"^[a-z0-9][a-z0-9-]{0,62}$")
    id = serializers.RegexField(r"^[0-9a-f]{16}$", help_text="Random, chosen by the publisher's tool")
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    algorithms = serializers.ListField(
        child=serializers.CharField(max_length=64),
        min_length=1,
        max_length=MAX_ALGORITHMS,
        help_text="The first is the key",
    )
    scheme = serializers.CharField(max_length=32, allow_blank=True, default="")
    columns = serializers.ListField(child=serializers.CharField(max_length=32), max_length=16, default=list)
    terms = serializers.CharField(max_length=MAX_TERMS, allow_blank=True, default="", trim_whitespace=False)
    visibility = serializers.ChoiceField(choices=["catalogue", "private"], default="catalogue")
    redistribution = serializers.DictField(default=lambda: {"policy": "none"})
    poll_seconds = serializers.IntegerField(min_value=MIN_POLL, max_value=MAX_POLL, default=300)
    deadline_hours = serializers.IntegerField(
        min_value=MIN_DEADLINE, max_value=MAX_DEADLINE, default=24, help_text="For applying a withdrawal"
    )


class Lists(Endpoint):
    """The catalogue as the caller sees it, and a new list of one of the caller's publishers."""

    who = {"GET": READERS, "POST": SIGNING_HOTLINES}

    @extend_schema(
        operation_id="lists",
        parameters=[OpenApiParameter("q", str, description="Words in the name, title or description")],
        responses=Catalogue,
    )
    def get(self, request: Request) -> Response:
        rows = catalogue(caller=caller_of(request), query=request.query_params.get("q", ""))
        return answer(Catalogue, {"lists": rows})

    @extend_schema(operation_id="create_list", request=NewList, responses={201: ListRecord})
    def post(self, request: Request) -> Response:
        asked = validated(NewList, request)
        caller = caller_of(request)
        made = create_list(caller=caller, tuf_id=asked.pop("id"), now=timezone.now(), **asked)
        detail = list_detail(caller=caller, domain=made.publisher.domain, slug=made.slug)
        return answer(ListRecord, detail, status=201)


class OneList(Endpoint):
    """A list's description, its terms, and the caller's subscription to it."""

    who = {"GET": READERS}

    @extend_schema(operation_id="list", responses=ListRecord)
    def get(self, request: Request, domain: str, slug: str) -> Response:
        return answer(ListRecord, list_detail(caller=caller_of(request), domain=domain, slug=slug))

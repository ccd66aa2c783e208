"""Withdrawal propagation: where the hotline's withdrawals have arrived, and where they have not."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.fields import number_parameter
from hashshare.api.permissions import HOTLINES
from hashshare.api.subscriptions import Subscriber
from hashshare.selectors.propagation import MOST, SHOWN_DAYS, propagation


class MemberRecord(serializers.Serializer[Any]):
    """By the member's own signed statements, at the time the hub received them."""

    organisation = Subscriber()
    state = serializers.ChoiceField(
        choices=["waiting", "applied", "purged", "overdue", "left"],
        help_text="left: its access ended before it had applied the withdrawal",
    )
    applied_at = serializers.DateTimeField(allow_null=True)
    purged_at = serializers.DateTimeField(allow_null=True, help_text="Since when nothing withdrawn is left there")
    overdue = serializers.BooleanField()
    reminded_at = serializers.DateTimeField(
        allow_null=True, help_text="When its people were mailed; null also when it has nobody here to be mailed"
    )


class WithdrawalRecord(serializers.Serializer[Any]):
    """Numbers of members who were entitled to the list when the release was published."""

    version = serializers.IntegerField()
    published_at = serializers.DateTimeField()
    withdrawn = serializers.IntegerField(help_text="Entries")
    deadline = serializers.DateTimeField()
    entitled = serializers.IntegerField()
    applied = serializers.IntegerField()
    purged = serializers.IntegerField()
    overdue = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True, help_text="From publication until applied")
    p95_seconds = serializers.FloatField(allow_null=True)
    members = MemberRecord(many=True)


class PropagationRecord(serializers.Serializer[Any]):
    list = serializers.CharField(source="list.name")
    deadline_hours = serializers.IntegerField(source="list.deadline_hours")
    as_of = serializers.DateTimeField()
    withdrawals = WithdrawalRecord(many=True)


class PropagationEndpoint(Endpoint):
    """Of the caller's own list: which member has applied and purged what was withdrawn, when, and who is overdue."""

    who = {"GET": HOTLINES}

    @extend_schema(
        operation_id="propagation",
        parameters=[
            OpenApiParameter(
                "version",
                int,
                description=f"One release; else the last {MOST} that withdrew something within {SHOWN_DAYS} days",
            )
        ],
        responses=PropagationRecord,
    )
    def get(self, request: Request, domain: str, slug: str) -> Response:
        asked = "version" in request.query_params
        found = propagation(
            caller=caller_of(request),
            domain=domain,
            slug=slug,
            now=timezone.now(),
            version=number_parameter(request, "version", default=0) if asked else None,
        )
        return answer(PropagationRecord, found)

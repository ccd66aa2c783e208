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


class RemoteMemberRecord(serializers.Serializer[Any]):
    """A member of another hub, by its own signed statements that the hub relayed, at the time the hub received them."""

    organisation = serializers.CharField(help_text="Its short name at that hub")
    name = serializers.CharField(help_text="Empty unless it agreed to be named to others")
    country = serializers.CharField()
    state = serializers.ChoiceField(choices=["waiting", "applied", "purged", "overdue", "left"])
    applied_at = serializers.DateTimeField(allow_null=True)
    purged_at = serializers.DateTimeField(allow_null=True)


class MirrorRecord(serializers.Serializer[Any]):
    """The hub's own copy, by the hub's own signed statements."""

    state = serializers.ChoiceField(choices=["waiting", "applied", "purged", "overdue", "left"])
    applied_at = serializers.DateTimeField(allow_null=True)
    purged_at = serializers.DateTimeField(allow_null=True)


class HubRecord(serializers.Serializer[Any]):
    """Another hub's members, by its signed reports. Seconds run from the publication here until applied there."""

    hub = serializers.CharField(source="standing.hub")
    path = serializers.ListField(
        child=serializers.CharField(), source="standing.path", help_text="The hubs from here to it, itself the last"
    )
    mirror = MirrorRecord(allow_null=True, help_text="null where another hub passes the list on to it")
    evidence = serializers.CharField(
        source="standing.mode", help_text="documents, counts, or empty while nothing was told"
    )
    told_at = serializers.DateTimeField(source="standing.told_at", allow_null=True)
    served_at = serializers.DateTimeField(
        source="standing.served_at", allow_null=True, help_text="Since when its members could have the release"
    )
    entitled = serializers.IntegerField(source="standing.entitled")
    applied = serializers.IntegerField(source="standing.applied")
    purged = serializers.IntegerField(source="standing.purged")
    overdue = serializers.IntegerField(source="standing.overdue")
    stated = serializers.IntegerField(
        source="standing.stated", help_text="Of how many members a signed statement that covers it is here"
    )
    median_seconds = serializers.FloatField(source="standing.median_seconds", allow_null=True)
    p95_seconds = serializers.FloatField(source="standing.p95_seconds", allow_null=True)
    members = RemoteMemberRecord(source="standing.members", many=True)


class TotalsRecord(serializers.Serializer[Any]):
    entitled = serializers.IntegerField()
    applied = serializers.IntegerField()
    purged = serializers.IntegerField()
    overdue = serializers.IntegerField()


class WithdrawalRecord(serializers.Serializer[Any]):
    """Numbers of members of this hub who were entitled to the list when the release was published."""

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
    hubs = HubRecord(many=True)
    everywhere = TotalsRecord(help_text="Members here and, as far as other hubs tell, there")


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

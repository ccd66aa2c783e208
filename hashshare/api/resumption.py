"""After this hub was restored from a backup: what it has of a publisher, and the publisher's word that it is all."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.permissions import HOTLINES, SIGNING_HOTLINES
from hashshare.services.resumption import resume_publisher, standing
from hashshare.wire.documents import MAX_INTEGER


class Versions(serializers.DictField):
    """Role name to version."""

    child = serializers.IntegerField(min_value=1, max_value=MAX_INTEGER)

    def to_internal_value(self, data: Any) -> Any:
        """At most what a publisher can have: its lists, and four roles."""
        if isinstance(data, dict) and len(data) > MOST_ROLES:
            raise serializers.ValidationError(f"At most {MOST_ROLES} roles.")
        return super().to_internal_value(data)


MOST_ROLES = 1_004


class ResumptionRequest(serializers.Serializer[Any]):
    roles = Versions(help_text="Every root, targets and feed role to its newest version, as the publisher has it")
    seen = Versions(
        required=False, help_text="Versions of snapshot and timestamp that the publisher's machine had verified"
    )


class StandingRecord(serializers.Serializer[Any]):
    awaited = serializers.BooleanField(help_text="Whether the hub waits for the publisher's word")
    roles = serializers.DictField(child=serializers.IntegerField(), help_text="Role name to accepted version")


class Resumption(Endpoint):
    """What the hub has, and what the publisher says that there is."""

    who = {"GET": HOTLINES, "POST": SIGNING_HOTLINES}

    @extend_schema(operation_id="standing", responses=StandingRecord)
    def get(self, request: Request, domain: str) -> Response:
        return answer(StandingRecord, standing(caller=caller_of(request), domain=domain))

    @extend_schema(operation_id="resume", request=ResumptionRequest, responses=StandingRecord)
    def post(self, request: Request, domain: str) -> Response:
        said = validated(ResumptionRequest, request)
        done = resume_publisher(
            caller=caller_of(request),
            domain=domain,
            roles=said["roles"],
            seen=said.get("seen", {}),
            now=timezone.now(),
        )
        return answer(StandingRecord, done)

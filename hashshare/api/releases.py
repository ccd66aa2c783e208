"""Releases of a list: to the publisher every attempt with its reasons, to readers what was published."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.fields import number_parameter
from hashshare.api.permissions import READERS
from hashshare.selectors.releases import loss_window, release, releases
from hashshare.wire.documents import MAX_INTEGER


class ReleaseRecord(serializers.Serializer[Any]):
    """`state`: verifying, published or rejected; `reasons` are problem documents. `job`: for its publisher to poll.

    `weakened` entries were made to end sooner or lost a hash. `major`: two of the publisher signed for what it takes.
    """

    list = serializers.CharField(source="list.name")
    version = serializers.IntegerField()
    role_version = serializers.IntegerField()
    state = serializers.CharField()
    manifest_digest = serializers.CharField()
    entries = serializers.IntegerField()
    upserts = serializers.IntegerField()
    withdrawals = serializers.IntegerField()
    withdrawal_reasons = serializers.JSONField()
    weakened = serializers.IntegerField()
    major = serializers.BooleanField()
    reasons = serializers.JSONField()
    created_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    job = serializers.UUIDField(source="commit.job_id")


class WindowRecord(serializers.Serializer[Any]):
    """`lost` entries were taken in the last seven days without a major, of the `held` ones."""

    lost = serializers.IntegerField()
    held = serializers.IntegerField()


class ReleaseList(serializers.Serializer[Any]):
    """`window`: to the list's publisher, what counts towards its next large loss."""

    releases = ReleaseRecord(many=True)
    window = WindowRecord(allow_null=True)


class Releases(Endpoint):
    """The newest hundred, newest first, or those before a version."""

    who = {"GET": READERS}
    newest = 100

    @extend_schema(
        operation_id="releases",
        parameters=[OpenApiParameter("before", int, description="Only content versions below this one")],
        responses=ReleaseList,
    )
    def get(self, request: Request, domain: str, slug: str) -> Response:
        asked: dict[str, Any] = {"caller": caller_of(request), "domain": domain, "slug": slug, "now": timezone.now()}
        before = number_parameter(request, "before", default=MAX_INTEGER, least=1, most=MAX_INTEGER)
        rows = releases(**asked, before=before)[: self.newest]
        return answer(ReleaseList, {"releases": rows, "window": loss_window(**asked)})


class OneRelease(Endpoint):
    """The newest release with that content version; a rejected version is used again."""

    who = {"GET": READERS}

    @extend_schema(operation_id="release", responses=ReleaseRecord)
    def get(self, request: Request, domain: str, slug: str, version: int) -> Response:
        found = release(caller=caller_of(request), domain=domain, slug=slug, version=version, now=timezone.now())
        return answer(ReleaseRecord, found)

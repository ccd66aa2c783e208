"""Uploads that analysts approved in the browser, for the hotline's own machine to sign and publish."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.permissions import HOTLINES_KEYS, SIGNING_HOTLINES
from hashshare.selectors.drafts import approved_drafts, approved_file
from hashshare.services.draft_outcomes import record_outcome
from hashshare.wire.documents import MAX_INTEGER


class DraftRecord(serializers.Serializer[Any]):
    """`columns` says what each column of the file is in the list, "" for one to leave out. `kind`: whole, changes or
    withdrawals; `reason`, `skip_bad` and `allow_withdrawals` are what the analysts agreed to.
    """

    id = serializers.UUIDField()
    list = serializers.CharField(source="list.name")
    kind = serializers.CharField()
    file_name = serializers.CharField()
    sha256 = serializers.CharField(source="digest")
    length = serializers.IntegerField()
    columns = serializers.DictField(child=serializers.CharField(allow_blank=True))
    reason = serializers.CharField()
    skip_bad = serializers.BooleanField()
    allow_withdrawals = serializers.IntegerField(allow_null=True)
    submitted_by = serializers.CharField()
    approved_by = serializers.CharField(source="decided_by")
    approved_at = serializers.DateTimeField(source="decided_at")


class DraftList(serializers.Serializer[Any]):
    drafts = DraftRecord(many=True)


class OutcomeReport(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, max_value=MAX_INTEGER, help_text="That says what the file says")


class OutcomeRecord(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()


class Drafts(Endpoint):
    """What waits for the hotline's machine, oldest first."""

    who = {"GET": HOTLINES_KEYS}

    @extend_schema(operation_id="drafts", responses=DraftList)
    def get(self, request: Request, domain: str, slug: str) -> Response:
        rows = approved_drafts(caller=caller_of(request), domain=domain, slug=slug)
        return answer(DraftList, {"drafts": rows})


class DraftFile(Endpoint):
    """The file itself, to the hotline that uploaded it."""

    who = {"GET": HOTLINES_KEYS}

    @extend_schema(operation_id="draft_file", responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, domain: str, slug: str, draft_id: uuid.UUID) -> HttpResponseBase:
        found = approved_file(caller=caller_of(request), domain=domain, slug=slug, draft_id=draft_id)
        headers = {"Content-Length": str(found.length), "Cache-Control": "private, no-store"}
        return StreamingHttpResponse(found.blocks, content_type="text/csv", headers=headers)


class DraftOutcome(Endpoint):
    """That the list says what the upload says."""

    who = {"POST": SIGNING_HOTLINES}

    @extend_schema(operation_id="draft_outcome", request=OutcomeReport, responses=OutcomeRecord)
    def post(self, request: Request, domain: str, slug: str, draft_id: uuid.UUID) -> Response:
        told = validated(OutcomeReport, request)
        where = {"domain": domain, "slug": slug, "draft_id": draft_id}
        done = record_outcome(caller=caller_of(request), now=timezone.now(), version=told["version"], **where)  # type: ignore[arg-type]
        return answer(OutcomeRecord, done)

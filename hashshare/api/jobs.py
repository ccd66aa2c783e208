"""Jobs: what became of a commit, to be polled."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.permissions import READERS
from hashshare.selectors.jobs import job


class Progress(serializers.Serializer[Any]):
    done = serializers.IntegerField(source="progress_done")
    total = serializers.IntegerField(source="progress_total")
    message = serializers.CharField(source="progress_message")


class JobRecord(serializers.Serializer[Any]):
    """`state`: queued, running, done or failed. `problem` is a problem document when it failed.

    While the shards of a new base are verified by jobs of their own, `progress` counts shards.
    """

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(choices=["queued", "running", "done", "failed"], source="shown_state")
    progress = Progress(source="*")
    task_id = serializers.CharField()
    worker = serializers.CharField()
    attempts = serializers.IntegerField()
    result = serializers.JSONField(allow_null=True)
    problem = serializers.JSONField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class Jobs(Endpoint):
    """One job of the caller's own organisation."""

    who = {"GET": READERS}

    @extend_schema(responses=JobRecord)
    def get(self, request: Request, job_id: uuid.UUID) -> Response:
        return answer(JobRecord, job(caller=caller_of(request), job_id=job_id))

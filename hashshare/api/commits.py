"""Commits: signed metadata handed in, checked at once as far as that is quick, and given to a worker."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.fields import Base64Field
from hashshare.api.jobs import JobRecord
from hashshare.api.permissions import SIGNING_HOTLINES
from hashshare.services.commits import submit_commit
from hashshare.wire.errors import PreconditionRequired, UsageError

_VERSION_TAG = re.compile(r'^"(\d{1,18})"$', re.ASCII)


class CommitRequest(serializers.Serializer[Any]):
    roles = serializers.DictField(
        child=Base64Field(),
        allow_empty=False,
        help_text="Role name (root, targets or a list id) to its signed metadata in base64. "
        "Root and targets may go together, a list's feed goes alone.",
    )


class CommitAnswer(serializers.Serializer[Any]):
    job = JobRecord()


class Commits(Endpoint):
    """Hand in signed metadata that follows the version named in If-Match."""

    who = {"POST": SIGNING_HOTLINES}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "If-Match",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description='Accepted version of the last role of root, targets, feed in the commit; "0" for none',
            )
        ],
        request=CommitRequest,
        responses={202: CommitAnswer},
    )
    def post(self, request: Request, domain: str) -> Response:
        if_match = followed_version(request.headers.get("If-Match"))
        job = submit_commit(
            caller=caller_of(request),
            domain=domain,
            roles=validated(CommitRequest, request)["roles"],
            if_match=if_match,
            now=timezone.now(),
        )
        location = reverse("job", kwargs={"job_id": job.pk})
        return answer(CommitAnswer, {"job": job}, status=202, headers={"Location": location})


def followed_version(if_match: str | None) -> int:
    """The version in quotation marks. Raises PreconditionRequired, UsageError."""
    if not if_match:
        raise PreconditionRequired
    found = _VERSION_TAG.match(if_match.strip())
    if found is None:
        raise UsageError('If-Match must be one version in quotation marks, such as "7".')
    return int(found[1])

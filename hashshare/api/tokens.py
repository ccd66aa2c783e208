"""Bearer tokens: a signed request yields ten minutes of reading without signatures."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of
from hashshare.api.permissions import SIGNERS
from hashshare.services.tokens import issue_token


class TokenRecord(serializers.Serializer[Any]):
    token = serializers.CharField(source="text")
    expires_at = serializers.DateTimeField()
    expires_in = serializers.IntegerField(help_text="Seconds")


class Tokens(Endpoint):
    """A token for GETs, stateless, void as soon as its key is revoked."""

    who = {"POST": SIGNERS}

    @extend_schema(request=None, responses={201: TokenRecord})
    def post(self, request: Request) -> Response:
        token = issue_token(caller=caller_of(request), now=timezone.now())
        return answer(TokenRecord, token, status=201, headers={"Cache-Control": "no-store"})

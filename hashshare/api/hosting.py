"""Hosted keys: feed keys that the hub keeps for a hotline, once the hotline's own targets say so."""

from __future__ import annotations

import base64
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer, caller_of, validated
from hashshare.api.permissions import SIGNING_HOTLINES
from hashshare.services.hosting import offer_hosted_key, renewed_feed


class HostedKeyRecord(serializers.Serializer[Any]):
    keyid = serializers.CharField(help_text="As TUF metadata names the key")
    public_key = serializers.SerializerMethodField(help_text="Raw Ed25519 public key, base64")

    def get_public_key(self, row: Any) -> str:
        return base64.b64encode(bytes(row.public_key)).decode()


class Renewal(serializers.Serializer[Any]):
    keyid = serializers.RegexField(r"^[0-9a-f]{64}$")


class RenewedFeed(serializers.Serializer[Any]):
    feed = serializers.CharField(help_text="Signed feed metadata, base64")


class HostedKeys(Endpoint):
    """A key of this hub's for the list's delegation. Asked again before it is in use, it is the same."""

    who = {"POST": SIGNING_HOTLINES}

    @extend_schema(operation_id="offer_hosted_key", request=None, responses={201: HostedKeyRecord})
    def post(self, request: Request, domain: str, slug: str) -> Response:
        offered = offer_hosted_key(caller=caller_of(request), domain=domain, slug=slug, now=timezone.now())
        return answer(HostedKeyRecord, offered, status=201)


class HostedFeeds(Endpoint):
    """The served feed metadata under its next version and a key that was offered, to be committed beside targets."""

    who = {"POST": SIGNING_HOTLINES}

    @extend_schema(operation_id="renew_hosted_feed", request=Renewal, responses=RenewedFeed)
    def post(self, request: Request, domain: str, slug: str) -> Response:
        asked = validated(Renewal, request)
        body = renewed_feed(
            caller=caller_of(request), domain=domain, slug=slug, keyid=asked["keyid"], now=timezone.now()
        )
        return answer(RenewedFeed, {"feed": base64.b64encode(body).decode()})

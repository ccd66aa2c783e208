"""The hub's public face: its name, its address, its time and its public keys."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.endpoint import Endpoint, answer
from hashshare.api.fields import Base64Field
from hashshare.api.permissions import ANYBODY
from hashshare.selectors.hub import descriptor


class HubDescriptor(serializers.Serializer[Any]):
    name = serializers.CharField()
    url = serializers.CharField(help_text="The address that signatures are made for")
    version = serializers.CharField()
    time = serializers.DateTimeField(help_text="By the hub's clock")
    keys = serializers.ListField(child=serializers.JSONField(), help_text="TUF public keys: in use, and on standby")
    log_key = Base64Field(help_text="Raw Ed25519 public key, base64, under which this hub signs its logs")
    hub = serializers.CharField(help_text="What other hubs call it: host, and port if it has one")
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2 code of where it is, or empty", allow_blank=True)
    peer_key = Base64Field(help_text="Raw Ed25519 public key, base64, with which it signs requests to other hubs")
    witness_key = Base64Field(help_text="Raw Ed25519 public key, base64, with which it cosigns other hubs' logs")


class Descriptor(Endpoint):
    """What anybody may know of this hub."""

    who = {"GET": ANYBODY}

    @extend_schema(responses=HubDescriptor)
    def get(self, request: Request) -> Response:
        return answer(HubDescriptor, descriptor(now=timezone.now()), headers={"Cache-Control": "no-cache"})

"""What this hub offers to the hub that asks."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from federation.api.doors import HUBS
from federation.offers import EVIDENCE, MEMBERS
from federation.selectors.offers import offers_to
from hashshare.api.endpoint import Endpoint, caller_of


class OfferedList(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The list's random id, which is its TUF role")
    slug = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    algorithms = serializers.ListField(child=serializers.CharField(), help_text="The first is the key")
    scheme = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())
    terms = serializers.CharField()
    terms_digest = serializers.CharField(help_text="SHA-256 of the terms' UTF-8 text")
    redistribution = serializers.JSONField(help_text="As the served manifest has it, which is signed")
    poll_seconds = serializers.IntegerField()
    deadline_hours = serializers.IntegerField(help_text="For applying a withdrawal")
    members = serializers.ChoiceField(
        choices=MEMBERS, help_text="hub: the asking hub decides on its members; each: the publisher is asked for each"
    )
    evidence = serializers.ChoiceField(choices=EVIDENCE, help_text="What the asking hub tells of its members")


class OfferedOrganisation(serializers.Serializer[Any]):
    name = serializers.CharField()
    country = serializers.CharField(help_text="ISO 3166-1 alpha-2")


class OfferedPublisher(serializers.Serializer[Any]):
    domain = serializers.CharField()
    organisation = OfferedOrganisation()
    root_fingerprint = serializers.CharField(help_text="SHA-256 of root version 1")
    path = serializers.ListField(
        child=serializers.CharField(), help_text="The hubs from the publisher's home to this one, by name"
    )
    lists = OfferedList(many=True)


class Offers(serializers.Serializer[Any]):
    publishers = OfferedPublisher(many=True)


class PeerOffers(Endpoint):
    """The publishers and lists that may cross to the hub that asks, as agreed and as their publishers let them."""

    who = {"GET": HUBS}

    @extend_schema(responses=Offers)
    def get(self, request: Request) -> Response:
        found = offers_to(caller=caller_of(request), now=timezone.now())
        headers = {"Cache-Control": "private, no-cache"}
        return Response({"publishers": [each.to_json() for each in found]}, headers=headers)

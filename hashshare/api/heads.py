"""The poll: which version of what. One answer for everything the caller may read, and 304 while nothing is new."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hashshare.api.conditional import etag_of, matches
from hashshare.api.endpoint import Endpoint, caller_of
from hashshare.api.permissions import READERS
from hashshare.selectors.lists import heads, heads_tag
from hashshare.services.authentication import confirm_key


class Head(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="aurora.example/images")
    id = serializers.CharField(help_text="The list's random id, which is its TUF role")
    publisher = serializers.CharField(help_text="The publisher's domain")
    role_version = serializers.IntegerField(help_text="Version of the signed feed metadata")
    version = serializers.IntegerField(help_text="Version of the content")
    published_at = serializers.DateTimeField()


class RootHead(serializers.Serializer[Any]):
    domain = serializers.CharField(source="publisher")
    root_version = serializers.IntegerField(help_text="Of its newest root; 0 if the hub does not say")
    root_fingerprint = serializers.CharField(help_text="SHA-256 of its root version 1; none of this is proof")


class Heads(serializers.Serializer[Any]):
    lists = Head(many=True)
    publishers = RootHead(many=True, help_text="Of these lists, once each: a root may change while no list does")


class HeadsEndpoint(Endpoint):
    """Role and content version of every list that the caller may read. Nothing is written down."""

    confirms_key = True
    who = {"GET": READERS}

    @extend_schema(
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
        responses={200: Heads, 304: None},
    )
    def get(self, request: Request) -> HttpResponseBase:
        caller, now = caller_of(request), timezone.now()
        rows = heads(caller=caller, now=now)
        if not rows and caller.via == "token":
            # No list to read, or no key any more: only now does it take a second query to tell.
            confirm_key(caller=caller, now=now)
        etag = etag_of(heads_tag(rows))
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Signature-Input"}
        if matches(request.headers.get("If-None-Match"), etag):
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        publishers = {row.publisher: row for row in rows}.values()
        return Response(Heads({"lists": rows, "publishers": publishers}).data, headers=headers)

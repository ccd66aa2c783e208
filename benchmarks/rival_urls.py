"""The rival site's addresses: `/empty` does nothing, `/entries?after=ID` is a page by keyset. Django imports it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.rival_site import COLUMNS, PAGE


class Entry(models.Model):
    sha256 = models.TextField()
    md5 = models.TextField()
    sha1 = models.TextField()
    pdq = models.TextField()
    category = models.TextField()
    age_band = models.TextField()
    media = models.TextField()
    first_seen = models.DateField()

    class Meta:
        app_label = "benchmarks"
        db_table = "entry"
        managed = False


class EntrySerializer(serializers.ModelSerializer[Entry]):
    class Meta:
        model = Entry
        fields: ClassVar = ["id", *COLUMNS]


class Entries(APIView):
    def get(self, request: Request) -> Response:
        after = int(request.query_params.get("after", 0))
        page = list(Entry._default_manager.filter(id__gt=after).order_by("id")[:PAGE])
        following = page[-1].pk if len(page) == PAGE else None
        return Response({"next": following, "entries": EntrySerializer(page, many=True).data})


def empty(_: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns: list[Any] = [path("empty", empty), path("healthz", empty), path("entries", Entries.as_view())]

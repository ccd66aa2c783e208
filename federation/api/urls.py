"""The addresses of the federation's API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from federation.api.reports import Reports

urlpatterns: list[URLPattern] = [
    path("peers/reports", Reports.as_view(), name="peer-reports"),
]

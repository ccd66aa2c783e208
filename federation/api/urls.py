"""The addresses of the federation's API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from federation.api.offers import PeerOffers
from federation.api.onward import Decisions, Hubs, MemberDecision, Requests, TermsOfHub
from federation.api.reports import Reports

A_LIST = "lists/<str:domain>/<str:slug>"

urlpatterns: list[URLPattern] = [
    path("peers/offers", PeerOffers.as_view(), name="peer-offers"),
    path("peers/requests", Requests.as_view(), name="peer-requests"),
    path("peers/decisions", Decisions.as_view(), name="peer-decisions"),
    path(f"{A_LIST}/peers", Hubs.as_view(), name="list-peers"),
    path(f"{A_LIST}/peers/<str:hub>/terms", TermsOfHub.as_view(), name="list-peer-terms"),
    path(
        f"{A_LIST}/peers/<str:hub>/requests/<str:organisation>/decision",
        MemberDecision.as_view(),
        name="list-peer-decision",
    ),
    path("peers/reports", Reports.as_view(), name="peer-reports"),
]

"""The addresses of the federation's API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from federation.api.offers import PeerOffers

urlpatterns: list[URLPattern] = [
    path("peers/offers", PeerOffers.as_view(), name="peer-offers"),
]

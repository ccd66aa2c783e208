"""Which address leads where; each part keeps its own addresses."""

from django.urls import include, path

from config.health import healthz, readyz
from hashshare.admin.front import public_page

handler400 = "hashshare.admin.refusals.bad_request"
handler403 = "hashshare.admin.refusals.not_allowed"
handler404 = "hashshare.admin.refusals.no_such_page"
handler500 = "hashshare.admin.refusals.fault"

urlpatterns = [
    path("", public_page, name="front"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("federation.api.urls")),
    path("api/v1/", include("hashshare.api.urls")),
    path("witness/", include("federation.api.witness_urls")),
    path("", include("hashshare.admin.urls")),
    path("", include("hashshare.api.public_urls")),
]

"""Which address leads where; each part keeps its own addresses."""

from django.urls import include, path
from django.views.generic import RedirectView

from config.health import healthz, readyz

handler400 = "hashshare.admin.refusals.bad_request"
handler403 = "hashshare.admin.refusals.not_allowed"
handler404 = "hashshare.admin.refusals.no_such_page"
handler500 = "hashshare.admin.refusals.fault"

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="front"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("hashshare.api.urls")),
    path("", include("hashshare.admin.urls")),
    path("", include("hashshare.api.public_urls")),
]

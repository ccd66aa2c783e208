"""Which address leads where; each part keeps its own addresses."""

from django.urls import include, path
from django.views.generic import RedirectView

from config.health import healthz, readyz

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/"), name="front"),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/", include("hashshare.api.urls")),
    path("", include("hashshare.admin.urls")),
    path("", include("hashshare.api.public_urls")),
]

"""The addresses outside /api/v1/ that anybody may open: the hub's descriptor, its logs and the problem pages."""

from django.urls import include, path, re_path

from hashshare.api.descriptor import Descriptor
from hashshare.api.problems import nothing_here
from hashshare.api.public_logs import (
    PublicCheckpoint,
    PublicCheckpointOf,
    PublicCosigned,
    PublicSuccessions,
    PublicTile,
    PublicTileOf,
)

urlpatterns = [
    path(".well-known/hashshare", Descriptor.as_view(), name="descriptor"),
    path("log/<str:log>/checkpoint", PublicCheckpoint.as_view(), name="public-checkpoint"),
    path("log/<str:log>/cosigned", PublicCosigned.as_view(), name="public-cosigned"),
    path("log/<str:log>/tile/<path:path>", PublicTile.as_view(), name="public-tile"),
    path("log/<str:log>/successions", PublicSuccessions.as_view(), name="public-successions"),
    path("log/<str:log>/<int:number>/checkpoint", PublicCheckpointOf.as_view(), name="public-checkpoint-of"),
    path("log/<str:log>/<int:number>/tile/<path:path>", PublicTileOf.as_view(), name="public-tile-of"),
    re_path(r"^log/", nothing_here, name="nothing-here"),
    path("problems/", include("hashshare.api.problem_pages")),
]

"""The addresses of this hub as a witness, below /witness/: `add-checkpoint` as C2SP tlog-witness has it."""

from django.urls import URLPattern, path, re_path

from federation.api.witness import AddCheckpointEndpoint, Cosigned
from hashshare.api.problems import nothing_here

urlpatterns: list[URLPattern] = [
    path("add-checkpoint", AddCheckpointEndpoint.as_view(), name="add-checkpoint"),
    path("cosigned/<path:origin>", Cosigned.as_view(), name="cosigned"),
    re_path(r"", nothing_here, name="witness-nothing-here"),
]

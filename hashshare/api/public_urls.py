"""The addresses outside /api/v1/ that anybody may open: the hub's descriptor and the problem pages."""

from django.urls import include, path

from hashshare.api.descriptor import Descriptor

urlpatterns = [
    path(".well-known/hashshare", Descriptor.as_view(), name="descriptor"),
    path("problems/", include("hashshare.api.problem_pages")),
]

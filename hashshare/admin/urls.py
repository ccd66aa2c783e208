"""Addresses of the pages for people."""

from __future__ import annotations

from importlib import import_module

from django.urls import path

from hashshare.admin import tables  # noqa: F401  (registers the tables)
from hashshare.admin.invitation import accept_invitation
from hashshare.admin.site import site
from hashshare.extensions import extensions

for extension in extensions():
    if extension.tables_module:
        import_module(extension.tables_module)

urlpatterns = [
    path("admin/", site.urls),
    path("invitation/<str:code>/", accept_invitation, name="person-invitation"),
]

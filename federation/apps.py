"""The Django application. Nothing happens at start; what the hub asks of it stands in `federation.extension`."""

from __future__ import annotations

from django.apps import AppConfig


class FederationConfig(AppConfig):
    name = "federation"
    label = "federation"
    verbose_name = "Federation"
    default_auto_field = "django.db.models.BigAutoField"

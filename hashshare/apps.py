"""The Django application. Nothing happens at start: no signals, no registration by import."""

from django.apps import AppConfig


class HashshareConfig(AppConfig):
    name = "hashshare"
    label = "hashshare"
    verbose_name = "hashshare"
    default_auto_field = "django.db.models.BigAutoField"

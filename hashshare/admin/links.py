"""Addresses that are handed to people outside the site, so they carry the hub's public name."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def invitation_link(code: str) -> str:
    """Where a person sets a first password."""
    return f"{settings.HASHSHARE_PUBLIC_URL}{reverse('person-invitation', args=[code])}"

"""Organisations: hotlines, member companies, government partners and other hubs."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Organisation(models.Model):
    class Kind(models.TextChoices):
        HOTLINE = "hotline", "Hotline"
        MEMBER = "member", "Member"
        PARTNER = "partner", "Partner"
        HUB = "hub", "Hub"

    class State(models.TextChoices):
        INVITED = "invited", "Invited"
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        MIRRORED = "mirrored", "At another hub"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=63, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2 code")
    sector = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INVITED)
    named_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when it agrees to be named and counted exactly in what others see"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["hotline", "member", "partner", "hub"]), name="organisation_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["invited", "active", "suspended", "mirrored"]), name="organisation_state_known"
            ),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="organisation_country_is_iso"),
        ]

    def __str__(self) -> str:
        return self.name

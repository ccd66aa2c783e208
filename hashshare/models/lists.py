"""Hash lists: what a list declares about itself and which version of it is served. Entries are never rows here."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.publishers import Publisher


def no_redistribution() -> dict[str, Any]:
    return {"policy": "none"}


class HashList(models.Model):
    """`tuf_id` is the random role name; `version` counts contents, `role_version` signed feed metadata (0: none)."""

    class Visibility(models.TextChoices):
        CATALOGUE = "catalogue", "In the catalogue"
        PRIVATE = "private", "Private"

    class State(models.TextChoices):
        DRAFT = "draft", "Nothing published yet"
        ACTIVE = "active", "Active"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    publisher = models.ForeignKey(Publisher, on_delete=models.PROTECT, related_name="lists")
    slug = models.CharField(max_length=63)
    tuf_id = models.CharField(max_length=16, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    algorithms = ArrayField(models.CharField(max_length=64), help_text="The first is the key")
    scheme = models.CharField(max_length=32, blank=True)
    columns = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    terms = models.TextField(blank=True)
    terms_digest = models.CharField(max_length=64, help_text="SHA-256 of the terms' UTF-8 text")
    visibility = models.CharField(max_length=16, choices=Visibility.choices, default=Visibility.CATALOGUE)
    redistribution = models.JSONField(default=no_redistribution)
    poll_seconds = models.PositiveIntegerField(default=300)
    deadline_hours = models.PositiveIntegerField(
        default=24, help_text="After which a member that has not applied a withdrawal is overdue"
    )
    version = models.PositiveBigIntegerField(default=0)
    role_version = models.PositiveBigIntegerField(default=0)
    hosted = models.BooleanField(default=False, help_text="Whether its publisher's targets say that the hub signs it")
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    entries = models.PositiveBigIntegerField(default=0)
    manifest_digest = models.CharField(max_length=64, blank=True)
    published_at = models.DateTimeField(null=True, blank=True, help_text="When the served version was accepted")
    closed_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when a mirrored list may no longer be passed on by this hub"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["publisher__domain", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["publisher", "slug"], name="hashlist_slug_unique_per_publisher"),
            models.CheckConstraint(condition=Q(slug__regex=r"^[a-z0-9][a-z0-9-]{0,62}$"), name="hashlist_slug_shape"),
            models.CheckConstraint(condition=Q(tuf_id__regex=r"^[0-9a-f]{16}$"), name="hashlist_tuf_id_shape"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "active", "withdrawn"]), name="hashlist_state_known"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=["catalogue", "private"]), name="hashlist_visibility_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """`aurora.example/images`; select the publisher along with the list."""
        return f"{self.publisher.domain}/{self.slug}"

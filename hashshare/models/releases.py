"""Releases: one row for each content version of a list that was committed, published or not."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.commits import Commit
from hashshare.models.lists import HashList


def no_reasons() -> list[str]:
    """A named default, because `list` is a field inside the class."""
    return []


class Release(models.Model):
    """A rejected release keeps its reasons; its version number is used again by the next attempt."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        VERIFYING = "verifying", "Being verified"
        PUBLISHED = "published", "Published"
        REJECTED = "rejected", "Rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="releases")
    commit = models.OneToOneField(
        Commit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="release",
        help_text="None where it was copied from another hub",
    )
    version = models.PositiveBigIntegerField()
    role_version = models.PositiveBigIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.VERIFYING)
    manifest_digest = models.CharField(max_length=64)
    entries = models.PositiveBigIntegerField(default=0)
    upserts = models.PositiveBigIntegerField(default=0)
    withdrawals = models.PositiveBigIntegerField(default=0)
    withdrawal_reasons = models.JSONField(default=dict, blank=True, help_text="Withdrawals by coarse reason")
    weakened = models.PositiveBigIntegerField(
        default=0, help_text="Entries that it made end sooner or took a hash from"
    )
    major = models.BooleanField(default=False, help_text="Whether two holders of major keys signed for what it takes")
    reasons = models.JSONField(default=no_reasons, blank=True, help_text="Why it was rejected")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["list", "-version", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["list", "version"], condition=Q(state="published"), name="release_published_version_unique"
            ),
            models.UniqueConstraint(
                fields=["list"], condition=Q(state="verifying"), name="release_one_verifying_per_list"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "verifying", "published", "rejected"]), name="release_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published_at__isnull=False), name="release_published_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="release_newest_index"),
            models.Index(fields=["published_at"], name="release_published_index"),
            models.Index(
                fields=["state", "-created_at"],
                condition=Q(state__in=["draft", "verifying", "rejected"]),
                name="release_unpublished_index",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.list} v{self.version}"

"""Commits: signed metadata as it was submitted, and what became of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.jobs import Job
from hashshare.models.keys import OrganisationKey
from hashshare.models.lists import HashList
from hashshare.models.publishers import Publisher


class Commit(models.Model):
    """`roles` maps a role name to the text of its signed metadata. `list` is null for root and targets."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    publisher = models.ForeignKey(Publisher, on_delete=models.PROTECT, related_name="commits")
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, null=True, blank=True, related_name="commits")
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="commit")
    roles = models.JSONField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    problem = models.JSONField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        OrganisationKey, on_delete=models.PROTECT, null=True, blank=True, related_name="commits"
    )
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-submitted_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "accepted", "rejected"]), name="commit_state_known"
            ),
            models.UniqueConstraint(
                fields=["list"], condition=Q(state="pending", list__isnull=False), name="commit_one_pending_per_list"
            ),
            models.UniqueConstraint(
                fields=["publisher"],
                condition=Q(state="pending", list__isnull=True),
                name="commit_one_pending_per_publisher",
            ),
        ]
        indexes = [
            models.Index(fields=["-submitted_at", "-id"], name="commit_newest_index"),
            models.Index(
                fields=["state", "-submitted_at"],
                condition=Q(state__in=["pending", "rejected"]),
                name="commit_unaccepted_index",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publisher} {', '.join(sorted(self.roles))}"

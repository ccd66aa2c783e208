"""Subscriptions: a member's right to a list, from the request to its end."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.lists import HashList
from hashshare.models.organisations import Organisation

OPEN_STATES = ("requested", "active")


class Subscription(models.Model):
    """Closed subscriptions stay as the record; asking again makes a new row."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        ACTIVE = "active", "Active"
        DENIED = "denied", "Denied"
        REVOKED = "revoked", "Revoked"
        ENDED = "ended", "Ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="subscriptions")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=16, choices=State.choices, default=State.REQUESTED)
    terms_digest = models.CharField(max_length=64, blank=True)
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True)
    entitled_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was first granted with the terms accepted"
    )
    ends_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["list", "organisation", "-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["list", "organisation"], condition=Q(state__in=OPEN_STATES), name="subscription_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "active", "denied", "revoked", "ended"]),
                name="subscription_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} to {self.list}"

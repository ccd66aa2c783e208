"""Peers: other hubs, as their operators introduced them to ours."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models import Organisation

WITNESS_ALONE: Final = ["witness_key"]


class Peer(models.Model):
    """`name` is what the other hub calls itself (the host of its address); publishers' policies name it so.

    `descriptor` is what it said of itself when it was introduced, and `fingerprint` (64 hex digits) the digest of the
    part that people compare; the keys are raw Ed25519 public keys out of it. `organisation` is what the peer acts as
    here, from the moment that it is accepted. `polled_at`: when it was last asked; `reached_at`: when it last answered;
    `trouble`: the problem document of the last failure, null when there is none. `heads_at`: when it was last asked for
    what is new, null to ask it at the next run; `offers_at`: when it last said what it offers; `offers_trouble`: why
    something of that is not taken. `storage`: the hosts (with their port if they have one) of object storage that the
    peer may send this hub to for objects.

    `differs`: what its address says of itself since `differs_at`, where that is another hub than the one that was
    accepted, with the names of the `keys` that are others; until a person accepts again, nothing is taken from it.
    Where the witness key alone is another, all but its cosignatures is: that key is made anew after every restore, and
    nothing that is copied rests on it.
    """

    class State(models.TextChoices):
        INTRODUCED = "introduced", "Introduced, to be compared"
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        ENDED = "ended", "Ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=253, unique=True)
    url = models.CharField(max_length=400)
    title = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True)
    descriptor: models.JSONField[Any, Any] = models.JSONField()
    fingerprint = models.CharField(max_length=64)
    peer_key = models.BinaryField(max_length=32)
    witness_key = models.BinaryField(max_length=32)
    log_key = models.BinaryField(max_length=32)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INTRODUCED)
    organisation = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="peer"
    )
    heads_at = models.DateTimeField(null=True, blank=True)
    heads_etag = models.CharField(max_length=200, blank=True)
    polled_at = models.DateTimeField(null=True, blank=True)
    offers_at = models.DateTimeField(null=True, blank=True)
    offers_trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    reached_at = models.DateTimeField(null=True, blank=True)
    trouble: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    storage: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    differs: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    differs_at = models.DateTimeField(null=True, blank=True)
    introduced_at = models.DateTimeField(default=timezone.now, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True)

    @property
    def is_another(self) -> bool:
        """Whether its address shows another hub than was accepted, and not the same with a new witness key."""
        return self.differs is not None and self.differs.get("keys") != WITNESS_ALONE

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["introduced", "active", "suspended", "ended"]), name="peer_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="introduced") | Q(state="ended") | Q(organisation__isnull=False),
                name="peer_in_force_is_an_organisation",
            ),
            models.CheckConstraint(condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$"), name="peer_fingerprint_shape"),
        ]

    def __str__(self) -> str:
        return self.name

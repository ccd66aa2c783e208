"""Organisations' Ed25519 public keys and the nonces that their signed requests have used."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from hashshare.models.organisations import Organisation
from hashshare.models.people import Person


class KeyQuerySet(models.QuerySet["OrganisationKey"]):
    def in_force(self, now: datetime) -> KeyQuerySet:
        """Those that open a door at `now`: not revoked, and inside of their window."""
        begun = Q(not_before=None) | Q(not_before__lte=now)
        lasting = Q(not_after=None) | Q(not_after__gt=now)
        return self.filter(begun, lasting, revoked_at=None)

    def not_over(self, now: datetime) -> KeyQuerySet:
        """Those in force and those whose window is still to begin."""
        return self.filter(Q(not_after=None) | Q(not_after__gt=now), revoked_at=None)


class OrganisationKey(models.Model):
    """`fingerprint` is `SHA256:` and the unpadded base64 of the digest of the 32 raw bytes in `public_key`.

    The key opens doors from `not_before` (None: from the start) until `not_after`, unless it is revoked. `holder` is
    the person of the organisation who answers for it, `introduced_by` the key that vouched for it, None for the first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="keys")
    fingerprint = models.CharField(max_length=64, unique=True)
    public_key = models.BinaryField(max_length=32)
    name = models.CharField(max_length=200, blank=True)
    holder = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="keys", help_text="Who answers for it"
    )
    introduced_by = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="introduced", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True, help_text="When it last fetched a manifest")
    clock_skew_seconds = models.IntegerField(null=True, blank=True, help_text="Hub's clock minus the signer's")

    objects = KeyQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(fingerprint__startswith="SHA256:"), name="organisationkey_fingerprint_shape"
            ),
            models.CheckConstraint(
                condition=Q(not_before=None) | Q(not_after=None) | Q(not_after__gt=F("not_before")),
                name="organisationkey_ends_after_its_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint}".strip()

    def state_at(self, now: datetime) -> str:
        """Active | waiting (its window is still to begin) | expired | revoked"""
        if self.revoked_at is not None and not self._ended_by_its_date():
            return "revoked"
        if self.revoked_at is not None or (self.not_after is not None and self.not_after <= now):
            return "expired"
        return "waiting" if self.not_before is not None and self.not_before > now else "active"

    def _ended_by_its_date(self) -> bool:
        """Whether the record was closed because the window had ended, by no one's hand."""
        return self.not_after is not None and self.revoked_at is not None and self.revoked_at >= self.not_after


class UsedNonce(models.Model):
    """Kept until the signature's window has passed; a second insert of the pair is a replay."""

    key = models.ForeignKey(OrganisationKey, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "nonce"], name="usednonce_once_per_key")]

    def __str__(self) -> str:
        return self.nonce

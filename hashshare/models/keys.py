"""Organisations' Ed25519 public keys and the nonces that their signed requests have used."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.organisations import Organisation


class OrganisationKey(models.Model):
    """`fingerprint` is `SHA256:` and the unpadded base64 of the digest of the 32 raw bytes in `public_key`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="keys")
    fingerprint = models.CharField(max_length=64, unique=True)
    public_key = models.BinaryField(max_length=32)
    name = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    not_after = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    clock_skew_seconds = models.IntegerField(null=True, blank=True, help_text="Hub's clock minus the signer's")

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(fingerprint__startswith="SHA256:"), name="organisationkey_fingerprint_shape"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint}".strip()


class UsedNonce(models.Model):
    """Kept until the signature's window has passed; a second insert of the pair is a replay."""

    key = models.ForeignKey(OrganisationKey, on_delete=models.CASCADE, related_name="+")
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "nonce"], name="usednonce_once_per_key")]

    def __str__(self) -> str:
        return self.nonce

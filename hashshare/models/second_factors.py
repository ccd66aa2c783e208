"""What people prove beside their password: an authenticator app's codes, and codes on paper for when it is lost."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from hashshare.models.people import Person


class Authenticator(models.Model):
    """`sealed_key` is the secret that the app shares, encrypted (services/envelopes.py): each code is computed from it,
    so it must be readable. `last_step` is the time step of the last code that was taken, none at or before it counts
    again. `failures`: wrong codes since the last right one.
    """

    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="authenticator")
    sealed_key = models.BinaryField(max_length=200)
    last_step = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["person"]

    def __str__(self) -> str:
        return f"Authenticator of {self.person}"


class RecoveryCode(models.Model):
    """Good once, in place of a code of the app. Only a keyed hash is kept."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["person", "pk"]
        constraints = [models.UniqueConstraint(fields=["person", "code_hash"], name="recoverycode_unique_per_person")]

    def __str__(self) -> str:
        return f"Recovery code of {self.person}"

"""Expiry warnings: that people were told, once a step, that a signature nears its end."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.publishers import Publisher


class ExpiryWarning(models.Model):
    """About one version of one role: whoever signs it again is warned anew, of the next version.

    `role` as in Metadata, `subject` in people's words. `recipients` may be 0: nobody of that audience has an account
    here, and the line stands in the worker's log alone.
    """

    class Audience(models.TextChoices):
        ORGANISATION = "organisation", "The hotline's people"
        OPERATORS = "operators", "Operators"

    publisher = models.ForeignKey(Publisher, on_delete=models.PROTECT, related_name="expiry_warnings", db_index=False)
    role = models.CharField(max_length=16)
    version = models.PositiveBigIntegerField()
    step = models.CharField(max_length=16)
    audience = models.CharField(max_length=16, choices=Audience.choices)
    subject = models.CharField(max_length=400)
    expires_at = models.DateTimeField()
    recipients = models.PositiveIntegerField()
    sent_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-sent_at", "subject"]
        constraints = [
            models.UniqueConstraint(
                fields=["publisher", "role", "version", "step", "audience"], name="expirywarning_once_a_step"
            ),
            models.CheckConstraint(
                condition=Q(audience__in=["organisation", "operators"]), name="expirywarning_audience_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.step}"

"""Reminders: that a member's people were told, once, that a withdrawal is still not applied there."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from hashshare.models.organisations import Organisation
from hashshare.models.releases import Release


class Reminder(models.Model):
    """`recipients` may be 0: the organisation has nobody with an account here, so the hotline has to call."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="reminders", db_index=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="reminders")
    recipients = models.PositiveIntegerField()
    sent_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-sent_at"]
        constraints = [
            models.UniqueConstraint(fields=["release", "organisation"], name="reminder_once"),
        ]

    def __str__(self) -> str:
        return f"{self.release} to {self.organisation}"

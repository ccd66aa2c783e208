"""Commitments: what the signatories of the coalition's statement of action promised, and how far each says to be."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.organisations import Organisation


class StatementAction(models.Model):
    """One action of the statement, in its own words; `key` is how it is quoted, such as `share-hashes`."""

    key = models.SlugField(max_length=40, unique=True)
    text = models.CharField(max_length=300)
    position = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.text


class Commitment(models.Model):
    """One statement of a signatory about one action. Rows are never changed but by the review; the newest that was
    accepted is what counts, and the older ones stay as the record.
    """

    class State(models.TextChoices):
        SIGNED = "signed", "Signed"
        IN_PROGRESS = "in_progress", "In progress"
        DONE = "done", "Done"

    class Standing(models.TextChoices):
        AWAITING = "awaiting", "Awaiting review"
        SELF_REPORTED = "self_reported", "Self-reported"
        VERIFIED = "verified", "Verified"
        RETURNED = "returned", "Returned"

    signatory = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="commitments")
    action = models.ForeignKey(StatementAction, on_delete=models.PROTECT, related_name="commitments")
    state = models.CharField(max_length=16, choices=State.choices)
    source = models.URLField(max_length=500, validators=[URLValidator(schemes=["https"])])
    dated = models.DateField(help_text="Of the source")
    standing = models.CharField(max_length=16, choices=Standing.choices, default=Standing.AWAITING)
    entered_at = models.DateTimeField(default=timezone.now, editable=False)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was returned")

    class Meta:
        ordering = ["-entered_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["signed", "in_progress", "done"]), name="commitment_state_known"
            ),
            models.CheckConstraint(
                condition=Q(standing__in=["awaiting", "self_reported", "verified", "returned"]),
                name="commitment_standing_known",
            ),
            models.CheckConstraint(
                condition=Q(standing="awaiting") | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="commitment_reviewed_by_somebody",
            ),
            models.CheckConstraint(condition=Q(source__startswith="https://"), name="commitment_source_is_https"),
            models.UniqueConstraint(
                fields=["signatory", "action"], condition=Q(standing="awaiting"), name="commitment_one_awaiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.signatory}: {self.action.key}, {self.get_state_display().lower()}"

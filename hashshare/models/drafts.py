"""Drafts: files that a hotline's analysts upload in the browser, on their way to becoming a release of a list."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from hashshare.models.jobs import Job
from hashshare.models.lists import HashList
from hashshare.models.people import Person
from hashshare.models.releases import Release


def no_header() -> list[str]:
    """A named default, because `list` is a field inside the class."""
    return []


def no_columns() -> dict[str, str]:
    return {}


class Draft(models.Model):
    """The file itself lies in the object store under `digest` until `purged_at`; no row holds an
    entry, but for the few to be withdrawn that `findings["withdrawals"]` shows as long.

    `header` are the file's columns, `columns` what each of them is in the list ("" for one to leave out). `findings`
    are what the dry run counted against version `findings["before"]`. `revision` rises with every change, so that a
    form that was opened before one changes nothing. `commit_job` is what the hub's worker made of the signed release.
    """

    class Kind(models.TextChoices):
        WHOLE = "whole", "The whole list"
        CHANGES = "changes", "Changes to the list"
        WITHDRAWALS = "withdrawals", "Withdrawals"

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        SUBMITTED = "submitted", "Waiting for a second analyst"
        RETURNED = "returned", "Sent back"
        APPROVED = "approved", "Approved, waiting for the hotline's machine"
        PUBLISHING = "publishing", "Being published"
        PUBLISHED = "published", "Published"
        FAILED = "failed", "Not published"
        ABANDONED = "abandoned", "Thrown away"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    list = models.ForeignKey(HashList, on_delete=models.PROTECT, related_name="drafts")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file")
    length = models.PositiveBigIntegerField()
    header = models.JSONField(default=no_header)
    columns = models.JSONField(default=no_columns)
    reason = models.CharField(max_length=16, blank=True, help_text="Why entries are withdrawn, as members read it")
    skip_bad = models.BooleanField(default=False)
    allow_withdrawals = models.PositiveBigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.UPLOADED)
    revision = models.PositiveIntegerField(default=0)
    findings = models.JSONField(null=True, blank=True)
    errors_digest = models.CharField(max_length=64, blank=True, help_text="Of the file of lines at fault")
    problem = models.JSONField(null=True, blank=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    commit_job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    release = models.ForeignKey(Release, on_delete=models.PROTECT, null=True, blank=True, related_name="drafts")
    uploaded_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)
    submitted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=500, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True, help_text="When its file was deleted")

    class Meta:
        ordering = ["-uploaded_at"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["whole", "changes", "withdrawals"]), name="draft_kind_known"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "uploaded", "checking", "checked", "submitted", "returned", "approved", "publishing",
                        "published", "failed", "abandoned",
                    ]
                ),
                name="draft_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "publishing", "published"])
                | (
                    Q(submitted_by__isnull=False, decided_by__isnull=False)
                    & ~Q(decided_by=F("submitted_by"))
                    & ~Q(decided_by=F("uploaded_by"))
                ),
                name="draft_approved_by_another",
            ),
            models.UniqueConstraint(
                fields=["list"], condition=Q(state__in=["approved", "publishing"]), name="draft_one_approved_per_list"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.list} from {self.file_name}"

"""Jobs: the queue of record. Celery is told that one is due; what is to be done, by whom and until when stands here."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from hashshare.models.organisations import Organisation


class Job(models.Model):
    """`target` is the id of the commit that the job works on; `claim` names the one attempt that may finish it.

    A job whose work was divided waits, held by nobody, until its `parts` have ended; `number` tells one part from
    another. Parts that are no longer needed are stopped.
    """

    class Kind(models.TextChoices):
        VERIFY_RELEASE = "verify_release", "Verify a release"
        VERIFY_SHARD = "verify_shard", "Verify a shard"
        APPLY_METADATA = "apply_metadata", "Apply root or targets metadata"
        CHECK_DRAFT = "check_draft", "Check an uploaded file"
        PUBLISH_DRAFT = "publish_draft", "Publish an approved file"
        TEND_HOSTED = "tend_hosted", "Sign a hosted list again"
        MIRROR = "mirror", "Copy a publisher from another hub"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting for its parts"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="parts")
    number = models.PositiveIntegerField(null=True, blank=True, help_text="Which part of its parent's work, from 0")
    target = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    claim = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told of it")
    progress_done = models.PositiveBigIntegerField(default=0)
    progress_total = models.PositiveBigIntegerField(default=0)
    progress_message = models.CharField(max_length=200, blank=True)
    task_id = models.CharField(max_length=64, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    problem = models.JSONField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "waiting", "done", "failed", "stopped"]),
                name="job_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(claim__isnull=False, leased_until__isnull=False),
                name="job_running_has_lease",
            ),
            models.CheckConstraint(
                condition=Q(kind="verify_shard", parent__isnull=False, number__isnull=False)
                | (~Q(kind="verify_shard") & Q(parent__isnull=True, number__isnull=True)),
                name="job_part_has_parent",
            ),
            models.UniqueConstraint(fields=["parent", "number"], name="job_part_once"),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="job_unfinished_index"
            ),
            models.Index(fields=["finished_at"], condition=Q(state="failed"), name="job_failed_index"),
            models.Index(fields=["-created_at"], name="job_newest_index"),
        ]

    @property
    def shown_state(self) -> str:
        """As the API tells it: work that others do for a job is the job's own."""
        return self.State.RUNNING if self.state == self.State.WAITING else self.state

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.state})"

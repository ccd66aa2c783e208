"""Runs of the timetable's jobs: one row a job, so that an operator sees that the timetable lives."""

from __future__ import annotations

from django.db import models


class JobRun(models.Model):
    """Each moment is that of the last run that started, finished whole, or failed in part or in all.

    `error` is what the last failure said; it stays for the record after a run that succeeds.
    """

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

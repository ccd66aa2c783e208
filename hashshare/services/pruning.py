"""Forgetting records that nothing needs any more. What was published, delivered and decided stays on record.

Each step is one statement over what is due, so that a killed run has done some of them and the next does the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from hashshare.models import Commit, Job, Metadata

FEEDS_KEPT = timedelta(days=7)
"""After a newer one was accepted; the snapshots that name it are gone after two days (services/timestamps.py)."""

BODIES_KEPT = timedelta(days=30)
"""Of a decided commit's signed metadata, for looking into a rejection. Its row stays, with roles, times and reasons."""

COMMITS_KEPT = timedelta(days=90)
"""Of one that was no release, as a refreshed signature, together with its job."""

JOBS_KEPT = timedelta(days=7)
"""Of a finished job that no commit refers to, such as a part of another's work."""

BATCH = 500


def prune_records(*, now: datetime) -> dict[str, int]:
    """How many rows were removed or emptied, by kind."""
    return {
        "feeds": superseded_feeds(now).delete()[0],
        "bodies": empty_bodies(now),
        "commits": prune_commits(now),
        "jobs": orphaned_jobs(now).delete()[0],
    }


def superseded_feeds(now: datetime) -> QuerySet[Metadata]:
    """Feed metadata that a newer version replaced a while ago. Roots and targets are few and stay."""
    newer = Metadata.objects.filter(
        publisher=OuterRef("publisher"),
        role=OuterRef("role"),
        version__gt=OuterRef("version"),
        accepted_at__lt=now - FEEDS_KEPT,
    )
    return Metadata.objects.filter(Exists(newer), list__isnull=False)


def empty_bodies(now: datetime) -> int:
    """The roles' names stay."""
    decided = Commit.objects.filter(decided_at__lt=now - BODIES_KEPT).exclude(state=Commit.State.PENDING)
    # Signed metadata always has signatures; what was emptied before is not read again.
    full = decided.annotate(text=Cast("roles", TextField())).filter(text__contains="signatures")
    count = 0
    while rows := list(full.only("pk", "roles")[:BATCH]):
        for row in rows:
            row.roles = dict.fromkeys(row.roles, "")
        count += Commit.objects.bulk_update(rows, ["roles"])
    return count


def prune_commits(now: datetime) -> int:
    """Commits without a release, each with its job; how many."""
    decided = Commit.objects.filter(decided_at__lt=now - COMMITS_KEPT, release=None, list__isnull=False)
    gone = list(decided.exclude(state=Commit.State.PENDING).values_list("pk", flat=True))
    Commit.objects.filter(pk__in=gone).delete()
    return len(gone)


def orphaned_jobs(now: datetime) -> QuerySet[Job]:
    """Finished ones whose commit was removed, or that never had one of their own."""
    return Job.objects.filter(finished_at__lt=now - JOBS_KEPT, commit=None)

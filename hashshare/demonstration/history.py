"""The releases that led to each list's head, with the jobs and commits behind them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hashshare.demonstration.lists import Head
from hashshare.models import Commit, Job, OrganisationKey, Release
from hashshare.wire.vocabulary import REASONS

BATCH: Final = 2_000
FIRST_SHARE: Final = 0.35
"""How much of a list its first release had; the rest came evenly."""


def make_history(
    *, heads: list[Head], machines: dict[str, OrganisationKey], weeks: int, dice: random.Random, now: datetime
) -> None:
    """Every release of every list; the newest of images was rejected once before. List by list, so that no more than
    one list's are in memory.
    """
    for head in heads:
        rows = list(_releases(head, weeks, dice, now))
        commits = [_commit(row, machines.get(head.list.publisher.organisation.slug)) for row in rows]
        for row, commit in zip(rows, commits, strict=True):
            row.commit = commit
        Job.objects.bulk_create([commit.job for commit in commits], batch_size=BATCH)
        Commit.objects.bulk_create(commits, batch_size=BATCH)
        Release.objects.bulk_create(rows, batch_size=BATCH)


def _commit(row: Release, key: OrganisationKey | None) -> Commit:
    return Commit(
        publisher=row.list.publisher,
        list=row.list,
        job=_job(row),
        roles={row.list.tuf_id: "{}"},
        state=Commit.State.ACCEPTED if row.published_at else Commit.State.REJECTED,
        problem=None if row.published_at else row.reasons[0],
        submitted_by=key,
        submitted_at=row.created_at,
        decided_at=row.created_at + timedelta(seconds=4),
    )


def _releases(head: Head, weeks: int, dice: random.Random, now: datetime) -> Iterator[Release]:
    """Evenly in time; the last is the head that is served. Sums come out at the head's entries."""
    newest, total = head.list.published_at or now, head.list.entries
    step = timedelta(weeks=weeks) / head.releases
    taken = [0, *(_withdrawals(dice) for _ in range(head.releases - 1))]
    grown = _shares(total + sum(taken), head.releases, dice)
    held = 0
    for number in range(1, head.releases + 1):
        at = newest - step * (head.releases - number)
        held += grown[number - 1] - taken[number - 1]
        if number == head.releases and head.list.slug == "images":
            yield _rejected(head, number, at - timedelta(minutes=20))
        yield Release(
            list=head.list,
            version=number,
            role_version=number,
            state=Release.State.PUBLISHED,
            manifest_digest=head.manifest.sha256 if number == head.releases else f"{dice.getrandbits(256):064x}",
            entries=held,
            upserts=grown[number - 1],
            withdrawals=taken[number - 1],
            withdrawal_reasons=_reasons(taken[number - 1], dice),
            created_at=at - timedelta(seconds=dice.randrange(3, 9)),
            published_at=at,
        )


def _rejected(head: Head, number: int, at: datetime) -> Release:
    return Release(
        list=head.list,
        version=number,
        role_version=number,
        state=Release.State.REJECTED,
        manifest_digest="0" * 64,
        reasons=[
            {
                "type": "missing-object",
                "title": "An object is missing",
                "detail": f"{head.list.tuf_id}/delta-{number - 1}-{number}.parquet was not uploaded.",
            }
        ],
        created_at=at,
    )


def _job(row: Release) -> Job:
    done = row.state == Release.State.PUBLISHED
    return Job(
        id=uuid.uuid4(),
        kind=Job.Kind.VERIFY_RELEASE,
        organisation=row.list.publisher.organisation,
        state=Job.State.DONE if done else Job.State.FAILED,
        attempts=1,
        progress_done=4 if done else 1,
        progress_total=4,
        worker="worker@north.example",
        result={"list": row.list.name, "version": row.version} if done else None,
        problem=None if done else row.reasons[0],
        created_at=row.created_at,
        started_at=row.created_at,
        finished_at=row.created_at + timedelta(seconds=3),
    )


def _withdrawals(dice: random.Random) -> int:
    """In most releases none."""
    return dice.choice((0, 0, 0, 0, 1, 1, 2, 3, 6))


def _shares(total: int, count: int, dice: random.Random) -> list[int]:
    """`total` over so many releases: a large first one, then some more and some less."""
    first = int(total * FIRST_SHARE) if count > 1 else total
    weights = [dice.uniform(0.4, 1.8) for _ in range(count - 1)]
    rest = [int((total - first) * weight / sum(weights)) for weight in weights]
    return [total - sum(rest), *rest]


def _reasons(number: int, dice: random.Random) -> dict[str, int]:
    found: dict[str, int] = {}
    for _ in range(number):
        reason = dice.choices(REASONS, weights=(5, 3, 1, 2))[0]
        found[reason] = found.get(reason, 0) + 1
    return found

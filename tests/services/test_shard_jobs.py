"""A base of several shards is judged by a job per shard, by any worker, in any order; published once or not at all."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hashshare.models import Job, Release
from hashshare.selectors.jobs import job as job_of
from hashshare.services import jobs, parts, shards
from hashshare.services.jobs import Claim, LostClaim, claim_job, sweep_jobs
from hashshare.services.parts import finish_part
from hashshare.services.work import run_job, run_part
from hashshare.wire import errors
from hashshare.wire.baseindex import Shard
from hashshare.wire.checks import check_guard
from hashshare.wire.engine import open_engine
from hashshare.wire.segments import verify_segment, write_base
from tests import builders as b
from tests.services.test_all_or_nothing import at_once

pytestmark = pytest.mark.django_db

SHARDS = 4


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Jobs that the broker was told of."""
    found: list[uuid.UUID] = []
    for module in (jobs, parts):
        monkeypatch.setattr(module, "send", lambda job: found.append(job.pk))
    return found


def divided(feed: b.Feed) -> Job:
    """A first release whose job a worker has divided."""
    made = feed.submit(feed.first([b.entry() for _ in range(60)], shard_entries=15))
    run(made)
    assert made.parts.count() == SHARDS
    return made


def run(job: Job) -> Job:
    run_job(job_id=job.pk, worker="worker@one", task_id="task")
    job.refresh_from_db()
    return job


def part(job: Job, number: int) -> Job:
    return job.parts.get(number=number)


def claimed(job: Job, after: timedelta = timedelta()) -> Claim:
    claim = claim_job(job_id=job.pk, worker="worker@two", task_id="task", now=b.now() + after)
    assert claim is not None
    return claim


def states(job: Job) -> list[str]:
    return list(job.parts.order_by("number").values_list("state", flat=True))


def test_it_waits_in_no_workers_hands_and_shows_how_far_its_parts_are() -> None:
    feed = b.feed(b.publisher())
    made = divided(feed)
    assert (made.state, made.claim, made.leased_until) == (Job.State.WAITING, None, None)
    for number in (2, 0, 3):
        run(part(made, number))
    shown = job_of(caller=feed.publisher.caller, job_id=made.pk)
    assert (shown.shown_state, shown.progress_done, shown.progress_total) == ("running", 3, SHARDS)
    assert shown.progress_message == "Checking the shards of the base"
    assert run(made).state == Job.State.WAITING, "a message for a job that waits does nothing"
    run(part(made, 1))
    made.refresh_from_db()
    assert made.state == Job.State.QUEUED
    assert run(made).state == Job.State.DONE
    assert Release.objects.get().state == "published"


def test_a_part_is_not_shown_to_anybody() -> None:
    feed = b.feed(b.publisher())
    made = divided(feed)
    for caller in (feed.publisher.caller, b.party("hotline", "Borealis").caller):
        with pytest.raises(errors.NotEntitled):
            job_of(caller=caller, job_id=part(made, 0).pk)


def test_the_work_is_done_once_however_often_the_messages_come() -> None:
    made = divided(b.feed(b.publisher()))
    for _ in range(2):
        for number in range(SHARDS):
            run(part(made, number))
    assert [it.attempts for it in made.parts.all()] == [1] * SHARDS
    assert run(made).state == run(made).state == Job.State.DONE


@pytest.mark.django_db(transaction=True)
def test_the_last_of_parts_that_end_at_the_same_moment_wakes_the_job(sent: list[uuid.UUID]) -> None:
    made = divided(b.feed(b.publisher()))
    at_once(*[lambda job=job: run(job) for job in made.parts.all()])
    made.refresh_from_db()
    assert (states(made), made.state, sent.count(made.pk)) == ([Job.State.DONE] * SHARDS, Job.State.QUEUED, 2)
    assert run(made).state == Job.State.DONE


@pytest.mark.django_db(transaction=True)
def test_few_parts_are_with_the_broker_and_each_that_ends_sends_the_next(
    sent: list[uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "SENT_AT_ONCE", 2)
    made = divided(b.feed(b.publisher()))
    ids = [part(made, number).pk for number in range(SHARDS)]
    assert sent[-3:] == [made.pk, *ids[:2]]
    sent.clear()
    run(part(made, 0))
    assert sent == ids[2:3]
    sent.clear()
    assert sweep_jobs(now=b.now() + timedelta(minutes=1)) == 2
    assert set(sent) == set(ids[1:3]), "the sweep sends what was lost, not what has not had its turn"


def test_another_worker_takes_over_a_part_whose_worker_was_killed(sent: list[uuid.UUID]) -> None:
    made = divided(b.feed(b.publisher()))
    dead = claimed(part(made, 1))
    later = b.now() + timedelta(seconds=61)
    sweep_jobs(now=later)
    assert dead.job.pk in sent
    alive = claimed(part(made, 1), timedelta(seconds=61))
    with pytest.raises(LostClaim):
        finish_part(claim=dead, result={}, now=later)
    assert alive.job.attempts == 2
    Job.objects.filter(pk=alive.job.pk).update(leased_until=b.now())
    assert b.worked(made).state == Job.State.WAITING, "number 1 is still held"
    run(part(made, 1))
    assert run(made).state == Job.State.DONE


def test_a_small_release_goes_before_the_parts_of_a_large_base() -> None:
    aurora = b.publisher()
    made, small = divided(b.feed(aurora)), b.feed(aurora, "video")
    release = small.submit(small.first([b.entry()]))
    run_part(job_id=part(made, 0).pk, worker="worker@one", task_id="task")
    release.refresh_from_db()
    assert release.state == Job.State.DONE
    assert states(made)[0] == Job.State.DONE


def forged(feed: b.Feed, *numbers: int) -> Job:
    """A first release, divided, of whose shards those with these numbers hold a row that is guarded."""
    rows = [b.entry() for _ in range(60)]
    with open_engine(write=feed.folder) as engine:
        b.table(engine, rows, feed.fmt, "base")
        written = write_base(engine, "rows", feed.folder, fmt=feed.fmt, version=1, shard_entries=15)
        engine.execute("DROP TABLE rows")
        for number in numbers:
            path = written[number].path
            engine.execute(f"CREATE OR REPLACE TABLE rows AS FROM read_parquet('{path}')")
            engine.execute("UPDATE rows SET md5 = unhex('d41d8cd98f00b204e9800998ecf8427e')")
            (again,) = write_base(engine, "rows", feed.folder, fmt=feed.fmt, version=2)
            path.write_bytes(again.path.read_bytes())
    shards = tuple(
        Shard(it.facts.low, it.facts.high, it.facts.rows, feed.put_file(it.path.name, it.path)) for it in written
    )
    made = feed.submit(feed.base_manifest(shards))
    run(made)
    return made


def test_the_first_fault_in_key_order_is_the_reason_whichever_was_found_first() -> None:
    feed = b.feed(b.publisher())
    made = forged(feed, 1, 2)
    late = claimed(part(made, 3))
    run(part(made, 2))
    assert states(made) == ["queued", "queued", "failed", "stopped"]
    with pytest.raises(LostClaim):
        finish_part(claim=late, result={}, now=b.now())
    assert run(part(made, 3)).state == Job.State.STOPPED
    run(part(made, 1))
    assert states(made) == ["queued", "failed", "failed", "stopped"]
    run(part(made, 0))
    assert run(made).state == Job.State.FAILED
    assert made.problem == part(made, 1).problem
    assert made.problem is not None and made.problem["type"].endswith("/guarded-hash")
    assert Release.objects.get().reasons == [made.problem]
    feed.row.refresh_from_db()
    assert feed.row.version == 0


def test_a_part_that_is_stopped_while_it_runs_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    made = forged(b.feed(b.publisher()), 1)
    compared = list[str]()

    def meanwhile(path: Path, **options: Any) -> Any:
        monkeypatch.setattr(shards, "verify_segment", verify_segment)
        run(part(made, 1))
        return verify_segment(path, **options)

    def guard(engine: Any, path: Path, **options: Any) -> None:
        compared.append(path.name)
        check_guard(engine, path, **options)

    monkeypatch.setattr(shards, "verify_segment", meanwhile)
    monkeypatch.setattr(shards, "check_guard", guard)
    run(part(made, 3))
    assert states(made) == ["queued", "failed", "stopped", "stopped"]
    assert ["0001" in name for name in compared] == [True], "number 3 was not compared any more"


def test_trouble_of_the_hubs_own_is_tried_again_and_ends_the_release_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed = b.feed(b.publisher())
    made = divided(feed)
    with monkeypatch.context() as patched:
        patched.setattr("hashshare.services.work.judge_shard", lambda **_: 1 / 0)
        assert run(part(made, 0)).state == Job.State.QUEUED
        for _ in range(3):
            run(part(made, 0))
    assert states(made) == ["failed", "stopped", "stopped", "stopped"]
    assert run(made).state == Job.State.FAILED
    assert made.problem is not None and "could not verify" in made.problem["detail"]
    assert b.worked(feed.submit(feed.first([b.entry()]))).state == Job.State.DONE, "the list is free for the next"


@pytest.mark.parametrize(
    "change",
    [
        {"result": {"sha256": "0" * 64}},
        {"result": None},
        {"state": Job.State.STOPPED},
        {"target": uuid.UUID(int=0)},
    ],
    ids=lambda change: "-".join(map(str, change)),
)
def test_nothing_is_published_but_what_the_parts_judged(change: dict[str, object]) -> None:
    feed = b.feed(b.publisher())
    made = divided(feed)
    for number in range(SHARDS):
        run(part(made, number))
    made.parts.filter(number=1).update(**change)
    assert run(made).state == Job.State.FAILED
    assert made.problem is not None and made.problem["type"].endswith("/conflict")
    feed.row.refresh_from_db()
    assert feed.row.version == 0


def test_a_renewed_base_of_several_shards_is_judged_in_parts_too() -> None:
    feed = b.feed(b.publisher())
    held = [b.entry() for _ in range(60)]
    feed.publish(feed.first(held))
    following = feed.renewed(feed.next([b.upsert(b.entry()), b.withdraw(held[0])]), 2, shard_entries=15)
    made = feed.submit(following)
    assert run(made).state == Job.State.WAITING
    assert b.worked(made).state == Job.State.DONE
    feed.row.refresh_from_db()
    assert (feed.row.version, feed.row.entries) == (2, 60)


def test_a_base_from_the_future_is_refused() -> None:
    """It could leave out what has not lapsed yet."""
    feed = b.feed(b.publisher())
    made = feed.first([b.entry()])
    ahead = (b.now() + timedelta(hours=1)).replace(microsecond=0)
    job = feed.release(replace(made, base=replace(made.base, built_at=ahead)))
    assert job.problem is not None and job.problem["type"].endswith("/malformed-manifest")

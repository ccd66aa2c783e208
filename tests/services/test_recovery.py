"""A hub restored from a backup: it changes and signs nothing, then everything above what it ever signed, and of each
publisher only once that has said what its newest is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tuf.api.metadata import Metadata as Signed
from tuf.api.metadata import Targets

from hashshare import tasks
from hashshare.log_keys import log_key
from hashshare.models import HashList, Job, Log, Metadata, Publisher, Release
from hashshare.selectors.metadata import metadata_file
from hashshare.selectors.recovery import awaited_publishers, is_restored
from hashshare.services.recovery import CLOCKS, MOST_PER_SECOND, Recovered, note_restored, recover, safe_jump
from hashshare.services.resumption import accept_as_newest, resume_publisher, standing
from hashshare.services.sealing import publish_checkpoints, seal_logs
from hashshare.services.timestamps import refresh_all, refresh_ending, refresh_timestamps
from hashshare.wire import errors, keys
from hashshare.wire.engine import open_engine
from hashshare.wire.log import Verifier
from hashshare.wire.log.successions import open_succession
from hashshare.wire.manifest import Manifest
from hashshare.wire.segments import write_base
from tests import builders as b
from tests import logs

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry(), b.entry()]))
    return feed


def restored(*, ago: timedelta = HOUR) -> Recovered:
    """As after a restore of a backup that old, and `recover`."""
    note_restored(backup_id="0" * 32, made_at=b.now() - ago, now=b.now())
    return recover(now=b.now())


def versions(role: str) -> list[int]:
    return sorted(Metadata.objects.filter(role=role).values_list("version", flat=True))


def held(feed: b.Feed) -> dict[str, int]:
    rows = Metadata.objects.exclude(role__in=["snapshot", "timestamp"]).order_by("version")
    return dict(rows.values_list("role", "version"))


def resume(feed: b.Feed, roles: dict[str, int], **seen: int) -> Any:
    owner = feed.publisher
    return resume_publisher(caller=owner.caller, domain=owner.domain, roles=roles, seen=seen, now=b.now())


def timestamp(feed: b.Feed) -> Any:
    caller = feed.publisher.caller
    return metadata_file(caller=caller, domain="aurora.example", filename="timestamp.json", now=b.now())


def test_it_signs_nothing_until_it_recovers(images: b.Feed) -> None:
    before = (versions("snapshot"), versions("timestamp"), Log.objects.get(kind="delivery").checkpoint)
    note_restored(backup_id="0" * 32, made_at=b.now(), now=b.now())
    assert is_restored()
    for name in ("sweep_jobs", "refresh_ending", "refresh_timestamps", "expire_due", "seal_logs", "erase_openings"):
        getattr(tasks, name)()
    assert before == (versions("snapshot"), versions("timestamp"), Log.objects.get(kind="delivery").checkpoint)
    with pytest.raises(errors.HubRestored):
        timestamp(images)


def test_it_raises_versions_above_any_that_it_can_have_signed(images: b.Feed) -> None:
    (stamp,), snap = versions("timestamp"), versions("snapshot")[-1]
    assert restored(ago=30 * HOUR).jump >= 30 * 3600 * MOST_PER_SECOND
    resume(images, held(images))
    assert versions("timestamp")[0] > stamp + 30 * 3600 * MOST_PER_SECOND
    assert versions("snapshot")[-1] > snap + 30 * 3600 * MOST_PER_SECOND


def test_the_jump_holds_over_a_second_restore_of_the_same_backup() -> None:
    """What was signed after the first restore counts from where that one jumped to."""
    made = datetime(2026, 11, 1, tzinfo=UTC)
    first, second = made + timedelta(days=3), made + timedelta(days=9)
    highest = safe_jump(made_at=made, now=first) + int((second - first).total_seconds()) * MOST_PER_SECOND
    assert safe_jump(made_at=made, now=second) >= highest
    with pytest.raises(errors.UsageError, match="future"):
        safe_jump(made_at=made, now=made - CLOCKS - HOUR)


def test_it_serves_nothing_as_newest_before_the_publisher_said_so(images: b.Feed) -> None:
    restored()
    assert [publisher.domain for publisher in awaited_publishers()] == ["aurora.example"]
    before = versions("timestamp")
    assert (refresh_timestamps(now=b.now()), refresh_ending(now=b.now() + 40 * HOUR)) == (0, 0)
    assert refresh_all(now=b.now()) == 0
    with pytest.raises(errors.HubRestored, match="waits for aurora"):
        timestamp(images)
    with pytest.raises(errors.VersionConflict, match="publisher has 9"):
        resume(images, held(images) | {images.list_id: 9})
    with pytest.raises(errors.VersionConflict):
        resume(images, {})
    assert versions("timestamp") == before
    assert standing(caller=images.publisher.caller, domain="aurora.example").awaited is True
    resume(images, held(images))
    assert timestamp(images).content
    assert awaited_publishers() == []


def test_the_publisher_s_own_evidence_raises_the_floor(images: b.Feed) -> None:
    """Where the hub's clock was wrong, what the publisher has seen signed still stays below."""
    done = restored()
    resume(images, held(images), timestamp=done.jump * 3)
    assert versions("timestamp")[0] == done.jump * 3 + 1
    assert not resume(images, {}).awaited  # said twice


def test_a_floor_by_hand_needs_no_clock(images: b.Feed) -> None:
    note_restored(backup_id="0" * 32, made_at=b.now() + timedelta(days=30), now=b.now())
    with pytest.raises(errors.UsageError, match="future"):
        recover(now=b.now())
    with pytest.raises(errors.NotFound):
        recover(now=b.now(), floors={"other.example": 1})
    assert is_restored()
    recover(now=b.now(), floors={"aurora.example": 5000})
    accept_as_newest(domain="aurora.example", now=b.now())
    assert versions("timestamp") == [5001]


def test_the_operator_accepts_nothing_before_versions_are_raised(images: b.Feed) -> None:
    """Of a backup that was made while the publisher was awaited."""
    restored()
    note_restored(backup_id="1" * 32, made_at=b.now() - HOUR, now=b.now())
    before = versions("timestamp")
    with pytest.raises(errors.HubRestored):
        accept_as_newest(domain="aurora.example", now=b.now())
    assert versions("timestamp") == before
    recover(now=b.now())
    accept_as_newest(domain="aurora.example", now=b.now())
    assert versions("timestamp") > before


def test_another_hotline_cannot_speak_for_it(images: b.Feed) -> None:
    restored()
    borealis = b.party("hotline", "Borealis", domains=["borealis.example"])
    with pytest.raises(errors.NotEntitled):
        resume_publisher(caller=borealis.caller, domain="aurora.example", roles={}, seen={}, now=b.now())


def test_it_takes_again_what_it_lost(images: b.Feed) -> None:
    """Versions 2 to 4 were published after the backup; the publisher sends the newest, with a merged segment."""
    lost = lose_after(images, releases=3)
    job = images.publisher.commit({images.list_id: lost}, if_match=1)
    assert job.state == Job.State.DONE, job.problem
    images.row.refresh_from_db()
    assert (images.row.version, images.row.role_version, images.row.entries) == (4, 4, 5)
    assert list(Release.objects.order_by("version").values_list("version", "upserts")) == [(1, 2), (4, 3)]
    resume(images, held(images))
    images.role_version = 4
    images.publish(images.next([b.upsert(b.entry())]))


def test_it_takes_nothing_older_or_forged(images: b.Feed) -> None:
    owner, other = images.publisher, keys.generate()
    lost = lose_after(images, releases=2)
    forged = images.signed(images.manifest, version=9, signers=[keys.tuf_signer(other)])  # type: ignore[arg-type]
    with pytest.raises(errors.BadSignature):
        owner.submit(forged, if_match=1)
    same = images.signed(images.manifest, version=1)  # type: ignore[arg-type]
    with pytest.raises(errors.VersionConflict):
        owner.submit(same, if_match=1)
    with pytest.raises(errors.MalformedMetadata, match="one role at a time"):
        owner.submit({images.list_id: lost, "targets": owner.targets}, if_match=1)


def test_a_new_base_takes_no_more_from_it_than_from_any_other_hub() -> None:
    """With versions lost no segment has to say what went; the hub holds the base against what it has."""
    feed, rows = large()
    restored()
    job = left_with(feed, rows[150:])
    assert (job.state, (job.problem or {}).get("type", "").rpartition("/")[2]) == (Job.State.FAILED, "major-required")
    assert (job.problem or {})["lost"] == 150
    feed.row.refresh_from_db()
    assert (feed.row.version, feed.row.entries) == (1, 400)


def test_what_went_in_each_lost_week_may_go_again() -> None:
    """Else a hotline could not send again what an honest hub had taken week by week."""
    feed, rows = large()
    restored(ago=timedelta(days=13))
    assert left_with(feed, rows[201:]).state == Job.State.FAILED
    assert left_with(feed, rows[200:]).state == Job.State.DONE
    feed.row.refresh_from_db()
    assert (feed.row.version, feed.row.entries) == (3, 200)


def large() -> tuple[b.Feed, list[b.Row]]:
    rows = [b.entry() for _ in range(400)]
    feed = b.feed(b.publisher())
    feed.publish(feed.first(rows))
    return feed, rows


def test_two_sign_anew_for_losses_whose_majors_are_lost() -> None:
    """The way out for a publisher whose majors are gone with the hub: a new one for just what it sends again."""
    feed, rows = large()
    assert feed.publisher.delegate_major().state == Job.State.DONE
    restored()
    later = without(feed, rows[150:])
    refused = b.worked(feed.submit(later, version=3)).problem or {}
    assert (refused["total"], refused["lost"]) == (150, 150)
    for follows, lost, state in ((0, 10, Job.State.FAILED), (1, 150, Job.State.DONE)):
        feed.publisher.major = feed.publisher.sign_major(feed.major(later, lost=lost))
        assert feed.publisher.commit({"major": feed.publisher.major}, if_match=follows).state == Job.State.DONE
        assert b.worked(feed.submit(later, version=3)).state == state
    feed.row.refresh_from_db()
    assert (feed.row.version, feed.row.entries) == (3, 250)


def left_with(feed: b.Feed, kept: list[b.Row]) -> Job:
    """What becomes of version 3, a new base of these entries alone, where version 2 is lost."""
    return b.worked(feed.submit(without(feed, kept), version=3))


def without(feed: b.Feed, kept: list[b.Row]) -> Manifest:
    """Version 3 as a new base of these entries alone."""
    assert feed.manifest is not None
    with open_engine(write=feed.folder) as engine:
        b.table(engine, kept, feed.fmt, "base")
        written = write_base(engine, "rows", feed.folder, fmt=feed.fmt, version=3, shard_entries=1_000_000)
    later = replace(feed.manifest, version=3, entries=len(kept))
    return feed.with_base(later, 3, feed.put_shards(written))


def lose_after(feed: b.Feed, *, releases: int) -> bytes:
    """Publish so many releases, then have the hub forget them, as a restore does; the newest feed metadata."""
    for _ in range(releases):
        feed.publish(feed.next([b.upsert(b.entry())]))
    newest = Metadata.objects.get(role=feed.list_id, version=1 + releases).content
    first = Release.objects.get(version=1)
    Release.objects.filter(version__gt=1).delete()
    Metadata.objects.filter(role=feed.list_id, version__gt=1).delete()
    HashList.objects.filter(pk=feed.row.pk).update(
        version=1, role_version=1, entries=first.entries, manifest_digest=first.manifest_digest
    )
    restored()
    return newest


def test_a_publisher_may_begin_while_it_is_awaited() -> None:
    """The hub cannot know that it had not begun before the loss, so its word is awaited all the same."""
    party = b.party("hotline", "Aurora", domains=["aurora.example"])
    restored()
    owner = b.Publisher(party, "aurora.example")
    assert owner.init().state == Job.State.DONE
    assert versions("timestamp") == []
    resume_publisher(
        caller=owner.caller, domain="aurora.example", roles={"root": 1, "targets": 1}, seen={}, now=b.now()
    )
    assert len(versions("timestamp")) == 1


# --- logs --------------------------------------------------------------------------------------------------------


def test_it_supersedes_its_logs_openly(images: b.Feed) -> None:
    log = Log.objects.get(kind="delivery")
    logs.leaves(log, 300)
    seal_logs(now=b.now())
    publish_checkpoints(now=b.now() + HOUR)
    log.refresh_from_db()
    old, size, shown = log.origin, log.size, log.public_size
    restored()
    log.refresh_from_db()
    assert log.origin == f"{old}/2"
    assert (log.size, log.public_size) == (size, shown)
    [closed] = log.predecessors
    said = open_succession(closed["statement"], Verifier(old, log_key().public))
    assert (said.origin, said.size, said.root, said.successor) == (old, size, bytes(log.root), log.origin)
    public = open_succession(closed["public_statement"], Verifier(old, log_key().public))
    assert public.size == shown
    logs.leaves(log, 10, first=300)
    seal_logs(now=b.now())
    publish_checkpoints(now=b.now() + 2 * HOUR)
    log.refresh_from_db()
    logs.check(log)


def test_a_second_recovery_needs_a_second_restore(images: b.Feed) -> None:
    restored()
    with pytest.raises(errors.UsageError, match="not restored"):
        recover(now=b.now())
    assert Publisher.objects.get().version_floor > 0


def test_majors_are_sent_again_between_targets_and_lists(images: b.Feed) -> None:
    """What the backup does not have of them; a document that is lost for good keeps nobody waiting."""
    owner, before = images.publisher, images.manifest
    assert before is not None
    following = images.next([b.upsert(b.entry())])
    assert owner.delegate_major().state == Job.State.DONE
    stands = held(images)
    restored()
    first = images.major(following, lost=500)
    older = images.major(before, lost=200)
    images.row.objects_stored.filter(name=older.ref.name).delete()
    owner.major = owner.sign_major(older, first)
    with pytest.raises(errors.BadSignature):
        owner.submit({"major": owner.sign_major(first, by=[owner.feed, owner.feed])}, if_match=0)
    job = owner.commit({"major": owner.major}, if_match=0)
    assert job.state == Job.State.DONE, job.problem
    with pytest.raises(errors.VersionConflict, match="major"):
        resume(images, stands)
    assert not resume(images, stands | {"major": 1}).awaited
    assert metadata_file(caller=owner.caller, domain="aurora.example", filename="1.major.json", now=b.now()).content


def test_targets_that_are_sent_again_keep_the_major_role(images: b.Feed) -> None:
    owner = images.publisher
    assert owner.delegate_major().state == Job.State.DONE
    restored()
    without = Signed[Targets].from_bytes(owner.targets)
    assert without.signed.delegations is not None and without.signed.delegations.roles is not None
    del without.signed.delegations.roles["major"]
    without.signed.version += 1
    without.sign(keys.tuf_signer(owner.officer))
    with pytest.raises(errors.MalformedMetadata, match="major role was removed"):
        owner.submit({"targets": without.to_bytes()}, if_match=without.signed.version - 1)

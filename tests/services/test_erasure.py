"""After its time nothing tells whose a leaf was, and the tree over it is as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hashshare.models import Acknowledgement, Delivery, Leaf, Log
from hashshare.selectors.audits import audit
from hashshare.selectors.logs import consistency
from hashshare.selectors.receipts import receipts
from hashshare.services import erasure
from hashshare.services.erasure import erase_openings, erased_before
from hashshare.services.sealing import publish_checkpoints, seal_logs
from hashshare.wire.log import ErasureRow, read_row, verify_consistency
from tests import builders as b
from tests import logs
from tests.services.statements import deliver, state

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
OLD = timedelta(days=3 * 366 + 2)


@pytest.fixture
def images(db: None) -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    feed.publish(feed.next([b.upsert(b.entry())]))
    return feed


def lived(feed: b.Feed) -> tuple[b.Party, Log]:
    """A member with two deliveries and statements of long ago, and one delivery of today."""
    cobalt, then = b.member(), b.now() - OLD
    b.subscribed(cobalt, feed)
    for version in (1, 2):
        deliver(cobalt, feed, version, now=then)
        state(cobalt, feed, version, now=then + timedelta(hours=version))
    seal_logs(now=then)
    publish_checkpoints(now=b.now() + timedelta(hours=1))
    deliver(cobalt, feed, 2)
    seal_logs(now=b.now())
    return cobalt, Log.objects.get(publisher=feed.row.publisher)


def test_it_erases_what_is_older_and_the_tree_stays(images: b.Feed) -> None:
    cobalt, log = lived(images)
    before, held = logs.checkpoint(log), logs.check(log)
    assert erase_openings(now=b.now()) == {"openings": 4, "deliveries": 2, "acknowledgements": 1, "deeds": 0}
    assert logs.check(log)[:-1] == held
    assert logs.checkpoint(log).size == before.size + 1
    old = Leaf.objects.filter(log=log, index__lt=4)
    assert {(leaf.row, leaf.nonce, leaf.organisation_id, leaf.list_id, leaf.delivery_id) for leaf in old} == {
        (None, None, None, None, None)
    }
    assert Delivery.objects.get().version == 2
    assert Acknowledgement.objects.get().version == 2  # the newest tells how things stand
    # What is told of today's stays provable, and only that.
    (mine,) = receipts(caller=cobalt.caller, name="aurora.example/images", after=-1, limit=10).receipts
    assert mine.index == 256
    assert mine.receipt


def test_it_logs_that_it_was_done(images: b.Feed) -> None:
    _, log = lived(images)
    size, root = log.size, logs.checkpoint(log).root
    moment = b.now()
    waiting = logs.leaves(log, 3)
    erase_openings(now=moment)
    logs.check(log)  # sealed with it, and what waited before it
    assert not Leaf.objects.filter(log=log, index=None).exists()
    assert log.size == size + len(waiting) + 1
    proof = consistency(log=log, old=size)
    after = logs.checkpoint(log)
    verify_consistency(size, old_root=root, new_size=after.size, new_root=after.root, proof=proof)
    told = audit(caller=images.publisher.caller, domain="aurora.example", start=0, limit=1000).leaves
    assert [leaf.kind for leaf in told[:4]] == ["delivery", "acknowledgement"] * 2
    assert all((leaf.erased, leaf.row, leaf.nonce, leaf.statement) == (True, None, None, None) for leaf in told[:4])
    assert not any(leaf.erased for leaf in told[4:])
    row = read_row(told[-1].row or "")
    assert isinstance(row, ErasureRow)
    assert (row.count, row.until) == (4, erased_before(moment))


def test_it_runs_again_without_harm(images: b.Feed) -> None:
    lived(images)
    erase_openings(now=b.now())
    assert erase_openings(now=b.now()) == {"openings": 0, "deliveries": 0, "acknowledgements": 0, "deeds": 0}
    assert Leaf.objects.filter(kind="erasure").count() == 1


def test_what_tells_of_an_erasure_is_never_erased(images: b.Feed) -> None:
    """It names nobody, and without it nobody could tell how many openings may be missing."""
    _, log = lived(images)
    erase_openings(now=b.now())
    later = b.now() + OLD + DAY
    assert erase_openings(now=later)["openings"] == 1
    told = audit(caller=images.publisher.caller, domain="aurora.example", start=0, limit=1000).leaves
    rows = [read_row(leaf.row or "") for leaf in told if leaf.kind == "erasure"]
    assert [row.count for row in rows if isinstance(row, ErasureRow)] == [4, 1]
    assert sum(leaf.erased for leaf in told) == 5
    logs.check(log)


def test_a_log_that_cannot_be_written_keeps_no_other_from_it(images: b.Feed, caplog: pytest.LogCaptureFixture) -> None:
    _, log = lived(images)
    other = b.feed(b.publisher("Borealis", "borealis.example"))
    other.publish(other.first([b.entry()]))
    cobalt = b.member("Granite")
    b.subscribed(cobalt, other)
    deliver(cobalt, other, 1, now=b.now() - OLD)
    seal_logs(now=b.now())
    Log.objects.filter(pk=log.pk).update(root=bytes(32))
    assert erase_openings(now=b.now())["openings"] == 1
    assert f"The log {log.pk} could not be sealed" in caplog.text
    assert Leaf.objects.filter(log=log, index__lt=4, row=None).count() == 0


def test_a_run_that_is_killed_between_its_steps_is_made_up_for(images: b.Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    _, log = lived(images)
    with monkeypatch.context() as broken:
        broken.setattr(erasure, "deleted", lambda rows: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase_openings(now=b.now())
    assert Delivery.objects.count() == 3
    assert erase_openings(now=b.now()) == {"openings": 0, "deliveries": 2, "acknowledgements": 1, "deeds": 0}
    logs.check(log)


def test_what_waits_to_be_sealed_is_not_erased(images: b.Feed) -> None:
    cobalt, log = b.member(), Log.objects.get(publisher=images.row.publisher)
    b.subscribed(cobalt, images)
    deliver(cobalt, images, 1, now=b.now() - OLD)
    assert erase_openings(now=b.now())["openings"] == 0
    assert Delivery.objects.count() == 1
    seal_logs(now=b.now())
    assert erase_openings(now=b.now())["openings"] == 1
    logs.check(log)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22 14:05", "2023-11-22"),
        ("2028-02-29 00:00", "2025-02-28"),
    ],
)
def test_the_time_is_counted_in_years(now: str, until: str) -> None:
    moment = datetime.strptime(now, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert erased_before(moment) == datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=UTC)

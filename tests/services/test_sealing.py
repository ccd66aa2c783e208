"""Every leaf gets one place, under a root that the definition of the tree gives too, whoever else is at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from hashshare.models import Leaf, Log, LogTile, Metadata, Publisher
from hashshare.selectors.logs import consistency, publication_log, tile_reader
from hashshare.services import sealing
from hashshare.services.logs import begin_logs, log_of
from hashshare.services.sealing import seal_log, seal_logs
from hashshare.wire.log import EMPTY_ROOT, publication_entry, verify_consistency
from tests import builders as b
from tests import logs

HOUR = timedelta(hours=1)


@pytest.fixture
def log(db: None) -> Log:
    """Aurora's, empty."""
    _, domain = b.party("hotline", "Aurora", domains=["aurora.example"]), "aurora.example"
    return log_of(Publisher.objects.get(domain=domain), now=b.now())


def indexes(log: Log) -> list[int | None]:
    return list(Leaf.objects.filter(log=log).order_by("pk").values_list("index", flat=True))


def test_a_log_begins_with_a_signed_checkpoint_of_nothing(log: Log) -> None:
    signed = logs.checkpoint(log)
    assert (signed.origin, signed.size, signed.root) == ("127.0.0.1:8000/log/aurora.example", 0, EMPTY_ROOT)
    assert log.public_checkpoint == log.checkpoint
    assert log_of(Publisher.objects.get(domain="aurora.example"), now=b.now()) == log


@pytest.mark.parametrize("counts", [[1], [255, 1, 1], [256, 256], [700, 1, 90], [3, 0, 2000]])
def test_it_places_leaves_in_the_order_they_came(log: Log, counts: list[int]) -> None:
    for number in counts:
        logs.leaves(log, number, first=log.size)
        before = logs.checkpoint(log)
        assert seal_logs(now=b.now()) == number
        log.refresh_from_db()
        after = logs.checkpoint(log)
        proof = consistency(log=log, old=before.size)
        verify_consistency(before.size, old_root=before.root, new_size=after.size, new_root=after.root, proof=proof)
        assert after.size == before.size + number
    logs.check(log)
    assert indexes(log) == list(range(sum(counts)))
    assert not Leaf.objects.filter(entry__isnull=False).exists()


def test_it_takes_them_in_batches(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 100)
    monkeypatch.setattr(sealing, "TILES_AT_ONCE", 2)
    logs.leaves(log, 1050)
    assert seal_logs(now=b.now()) == 1050
    logs.check(log)
    assert indexes(log) == list(range(1050))


def test_it_leaves_other_logs_alone(log: Log) -> None:
    b.party("hotline", "Borealis", domains=["borealis.example"])
    other = log_of(Publisher.objects.get(domain="borealis.example"), now=b.now())
    logs.leaves(other, 3)
    assert seal_log(log.pk, now=b.now()) == 0
    assert seal_logs(now=b.now()) == 3
    assert [logs.check(row) == [] for row in (log, other)] == [True, False]


def test_a_log_that_fails_keeps_no_other_from_being_sealed(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    b.party("hotline", "Borealis", domains=["borealis.example"])
    other = log_of(Publisher.objects.get(domain="borealis.example"), now=b.now())
    for each in (log, other):
        logs.leaves(each, 2)
        seal_log(each.pk, now=b.now())
        logs.leaves(each, 2)
    LogTile.objects.filter(log=log).delete()
    assert seal_logs(now=b.now()) == 2
    assert f"The log {log.pk} could not be sealed" in caplog.text
    logs.check(other)
    assert indexes(log) == [0, 1, None, None]


def test_a_log_whose_tiles_were_changed_is_not_signed_further(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """Else the worker would put its signature under a tree that contradicts the last one."""
    logs.leaves(log, 300)
    seal_logs(now=b.now())
    log.refresh_from_db()
    edge = LogTile.objects.get(log=log, level=0, index=1)
    LogTile.objects.filter(pk=edge.pk).update(body=bytes([bytes(edge.body)[0] ^ 1]) + bytes(edge.body)[1:])
    logs.leaves(log, 1)
    before = log.checkpoint
    assert seal_logs(now=b.now()) == 0
    assert "do not lead to the root that was signed at 300 leaves" in caplog.text
    log.refresh_from_db()
    assert log.checkpoint == before
    LogTile.objects.filter(pk=edge.pk).update(body=bytes(edge.body))
    assert seal_logs(now=b.now()) == 1
    logs.check(log)


def test_a_log_is_not_signed_by_another_key_than_before(
    log: Log, caplog: pytest.LogCaptureFixture, settings: Any, tmp_path: Path
) -> None:
    """A machine to which log.pem was not copied makes one of its own, and must not seal with it."""
    logs.leaves(log, 300)
    seal_logs(now=b.now())
    log.refresh_from_db()
    before, right = log.checkpoint, settings.HASHSHARE_KEYS
    logs.leaves(log, 2)
    settings.HASHSHARE_KEYS = tmp_path / "keys"
    assert seal_logs(now=b.now()) == 0
    assert "was signed by another key than the log.pem of this machine" in caplog.text
    log.refresh_from_db()
    assert log.checkpoint == before
    settings.HASHSHARE_KEYS = right
    assert seal_logs(now=b.now()) == 2
    logs.check(log)


def test_a_lost_key_is_replaced_only_on_purpose(log: Log, settings: Any, tmp_path: Path) -> None:
    logs.leaves(log, 300)
    sealing.publish_checkpoints(now=b.now() + HOUR)
    logs.leaves(log, 2)
    seal_logs(now=b.now())
    log.refresh_from_db()
    before, shown = logs.checkpoint(log), logs.opened(log, log.public_checkpoint)
    settings.HASHSHARE_KEYS = tmp_path / "keys"
    with pytest.raises(CommandError, match="Every client refuses the logs by name"):
        call_command("replace_log_key")
    call_command("replace_log_key", "--yes")
    log.refresh_from_db()
    assert (logs.checkpoint(log), logs.opened(log, log.public_checkpoint)) == (before, shown)
    logs.leaves(log, 1)
    assert seal_logs(now=b.now()) == 1


def test_a_worker_that_fails_half_way_has_done_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.leaves(log, 300)
    seal_logs(now=b.now())
    logs.leaves(log, 300)
    before = list(LogTile.objects.order_by("pk").values_list("level", "index", "body"))

    def unable(*_: Any, **__: Any) -> str:
        raise OSError("the key is out of reach")

    with monkeypatch.context() as broken:
        broken.setattr(sealing, "sign_checkpoint", unable)
        assert seal_logs(now=b.now()) == 0
    assert indexes(log) == [*range(300), *[None] * 300]
    assert [(lv, i, bytes(x)) for lv, i, x in LogTile.objects.order_by("pk").values_list("level", "index", "body")] == [
        (lv, i, bytes(x)) for lv, i, x in before
    ]
    logs.check(log)
    assert seal_logs(now=b.now()) == 300
    logs.check(log)


# --- Several at once ---------------------------------------------------------------------------------------------


def at_once(*works: Callable[[], Any]) -> None:
    """Each in a thread with a connection of its own, all begun at the same moment."""
    start, failed = threading.Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], Any]) -> None:
        try:
            start.wait()
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 37)
    b.party("hotline", "Aurora", domains=["aurora.example"])
    log = log_of(Publisher.objects.get(domain="aurora.example"), now=b.now())
    over = threading.Event()

    def deliver() -> None:
        for number in range(40):
            logs.leaves(log, 25, first=25 * number)
        over.set()

    def seal() -> None:
        while not over.is_set():
            seal_logs(now=b.now())

    at_once(deliver, seal, seal)
    seal_logs(now=b.now())
    assert Leaf.objects.filter(log=log).count() == 1000
    assert len(logs.check(log)) == 1000


@pytest.mark.django_db(transaction=True)
def test_a_delivery_waits_for_no_worker() -> None:
    """The log's row is locked while a batch is sealed, but not against rows that refer to it."""
    b.party("hotline", "Aurora", domains=["aurora.example"])
    log = log_of(Publisher.objects.get(domain="aurora.example"), now=b.now())

    def deliver() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        logs.leaves(log, 1)

    def pass_over() -> None:
        assert sealing.seal_batch(log.pk, now=b.now()) == 0

    logs.leaves(log, 2)
    with transaction.atomic():
        assert sealing.seal_batch(log.pk, now=b.now()) == 2
        at_once(deliver, pass_over)
    assert sealing.seal_batch(log.pk, now=b.now()) == 1
    logs.check(log)


@pytest.mark.django_db(transaction=True)
def test_a_log_is_begun_once() -> None:
    b.party("hotline", "Aurora", domains=["aurora.example"])
    publisher = Publisher.objects.get(domain="aurora.example")
    at_once(*[lambda: log_of(publisher, now=b.now())] * 4, *[lambda: begin_logs(now=b.now())] * 4)
    assert Log.objects.count() == 2


# --- What was published ------------------------------------------------------------------------------------------


def test_every_accepted_root_targets_and_feed_metadata_is_in_the_publication_log(db: None) -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    refused = feed.release(feed.next([b.upsert(b.entry())], growth=7))
    assert refused.problem
    feed.publish(feed.next([b.upsert(b.entry())]))
    begin_logs(now=b.now())
    seal_logs(now=b.now())
    log = publication_log()
    assert log is not None
    accepted = Metadata.objects.exclude(role__in=["snapshot", "timestamp"]).order_by("accepted_at", "pk")
    assert logs.entries(log) == [publication_entry(row.content) for row in accepted]
    assert len(logs.entries(log)) == 5
    assert (log.public_size, log.public_checkpoint) == (log.size, log.checkpoint)
    assert logs.opened(log, log.checkpoint).size == 5
    assert tile_reader(log)(0, 0, 5)

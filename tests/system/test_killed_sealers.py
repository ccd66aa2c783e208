"""kill -9 of the worker while it seals the logs: no leaf is lost, none is there twice, and the tree is right."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from config import postgres
from config.environment import broker
from config.postgres.cluster import USER
from hashshare.wire import keys
from hashshare.wire.log import (
    ENTRIES,
    Checkpoint,
    Opening,
    PaddingRow,
    Verifier,
    entry_of,
    new_opening,
    open_checkpoint,
    padding_nonce,
    padding_secret,
    read_entries,
    verify_consistency,
)
from tests.logs import row
from tests.system.hub import ROOT, clean_environment, wait_for
from tests.wire.log.naive import mth, proof

pytestmark = pytest.mark.slow

KILLS = 20
"""How many must land inside the sealing."""

MORE = 10_000
"""Leaves that are added before each kill: sealing them takes some tenths of a second."""

LEFT = "SELECT count(*) FROM hashshare_leaf WHERE index IS NULL"

BEGIN = """
from django.utils import timezone
from hashshare.models import Publisher
from hashshare.services.invitations import invite_organisation
from hashshare.services.logs import log_of
now = timezone.now()
invite_organisation(kind="hotline", name="Aurora", country="NL", domains=["aurora.example"], now=now)
print(log_of(Publisher.objects.get(), now=now).origin)
"""

SEALING = """
    SELECT 1 FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
"""Nobody else writes: the test's own connection is left out."""


@dataclass
class Hub:
    """Its database, its key, and one worker that is started anew after each kill; beat is the test."""

    data: Path
    database: psycopg.Connection[tuple[object, ...]]
    worker: subprocess.Popen[bytes] | None = None
    checkpoints: list[Checkpoint] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.data / "worker.log"

    def start(self) -> None:
        ready = self.ready()
        with self.log.open("ab") as output:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency", "2", "--loglevel", "INFO",
                 "--without-gossip", "--without-mingle", "--without-heartbeat"],
                cwd=ROOT, env=clean_environment(HASHSHARE_DATA=str(self.data)), stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        wait_for("the worker to be ready", lambda: self.ready() > ready)

    def ready(self) -> int:
        return self.log.read_text().count("ready.") if self.log.exists() else 0

    def kill(self) -> None:
        if self.worker is not None:
            os.killpg(self.worker.pid, signal.SIGKILL)
            self.worker.wait()

    def seal(self) -> None:
        """What beat does every minute; twice, so that both processes of the worker are at it."""
        url, options = broker("", folder=self.data / "broker")
        with Celery(broker=url) as app:
            app.conf.update(broker_transport_options=options, task_default_queue="hashshare")
            for _ in range(2):
                app.send_task("hashshare.tasks.seal_logs")

    def seals(self) -> bool:
        return bool(self.database.execute(SEALING).fetchall())

    def number(self, query: str) -> int:
        (found,) = self.database.execute(query).fetchone() or (0,)
        assert isinstance(found, int)
        return found

    def add(self, count: int) -> None:
        """So many leaves, as deliveries leave them; and the hour is over, so that padding is due too."""
        first = self.number("SELECT count(*) FROM hashshare_leaf")
        openings = [new_opening(row(number).to_row()) for number in range(first, first + count)]
        into = "hashshare_leaf (log_id, kind, nonce, row, entry, created_at)"
        log_id = self.number("SELECT id FROM hashshare_log WHERE kind = 'delivery'")
        with self.database.transaction(), self.database.cursor() as cursor:
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for it in openings:
                    copy.write_row((log_id, "delivery", it.nonce, it.row, entry_of(it), "2026-11-22T12:00:00Z"))
            cursor.execute("UPDATE hashshare_log SET published_at = published_at - interval '2 hours'")

    def checkpoint(self) -> Checkpoint:
        """The log as it is signed now, for readers; the signature is verified."""
        query = "SELECT origin, checkpoint FROM hashshare_log WHERE kind = 'delivery'"
        ((origin, note),) = self.database.execute(query).fetchall()
        key = keys.public_bytes(keys.load(self.data / "keys" / "log.pem"))
        return open_checkpoint(str(note), Verifier(str(origin), key), origin=str(origin))

    def entries(self) -> list[bytes]:
        rows = self.database.execute(
            "SELECT body FROM hashshare_logtile JOIN hashshare_log ON hashshare_log.id = log_id "
            "WHERE kind = 'delivery' AND level = %s ORDER BY index",
            [ENTRIES],
        )
        return [entry for (body,) in rows for entry in read_entries(bytes(body))]  # type: ignore[call-overload]


@pytest.fixture
def hub() -> Iterator[Hub]:
    data = Path(tempfile.mkdtemp(prefix="hashshare-sealers-"))
    data.chmod(0o711)
    environment = clean_environment(HASHSHARE_DATA=str(data))
    for words in (["migrate", "--verbosity", "0"], ["shell", "-v", "0", "-c", BEGIN]):
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)
    with psycopg.connect(f"host={postgres.join(data)} user={USER} dbname={USER}", autocommit=True) as database:
        made = Hub(data, database)
        try:
            yield made
        finally:
            made.kill()
    postgres.leave(data)
    postgres.destroy(data)
    shutil.rmtree(data, ignore_errors=True)


def begun(hub: Hub) -> float:
    """When the worker, told to seal, began to."""
    hub.seal()
    until = time.monotonic() + 60
    while not hub.seals():
        assert time.monotonic() < until, "the sealing did not begin"
    return time.monotonic()


def seconds_to_seal(hub: Hub) -> float:
    """How long it takes to seal MORE leaves here and now, undisturbed."""
    hub.add(MORE)
    hub.start()
    start = begun(hub)
    while hub.number(LEFT) or hub.seals():
        time.sleep(0.002)
    seconds = time.monotonic() - start
    hub.kill()
    return seconds


def killed(hub: Hub, moment: float) -> bool:
    """Kill the worker so many seconds after it has begun to seal; whether it was at it at that moment."""
    hub.start()
    time.sleep(max(0.0, begun(hub) + moment - time.monotonic()))
    inside = hub.seals()
    hub.kill()
    wait_for("PostgreSQL to have ended what the worker began", lambda: not hub.seals())
    return inside


def test_it_loses_no_leaf_and_places_none_twice(hub: Hub) -> None:
    moments, whole, landed, tries = random.Random(4), seconds_to_seal(hub), 0, 0
    while landed < KILLS:
        hub.add(MORE)
        tries += 1
        landed += killed(hub, moments.uniform(0.0, whole * hub.number(LEFT) / MORE))
        hub.checkpoints.append(hub.checkpoint())
        print(f"kill {tries}: {landed} landed, {hub.number(LEFT):,} leaves wait, {hub.checkpoint().size:,} are sealed")
        assert tries <= 3 * KILLS, f"of {tries} kills only {landed} came while the worker was sealing"
    hub.start()
    hub.seal()
    wait_for("the rest to be sealed", lambda: not hub.number(LEFT) and not hub.seals())
    every_leaf_is_in_its_place(hub, (1 + tries) * MORE)
    every_checkpoint_was_kept_to(hub)


def every_leaf_is_in_its_place(hub: Hub, count: int) -> None:
    """All that were added are there once; whatever else is there is padding."""
    rows = hub.database.execute("SELECT index, nonce, row FROM hashshare_leaf WHERE kind = 'delivery'").fetchall()
    assert len(rows) == count
    openings = {index: Opening(bytes(nonce), str(text)) for index, nonce, text in rows}  # type: ignore[call-overload]
    assert len(openings) == count, "two leaves have one place"
    entries, origin = hub.entries(), hub.checkpoint().origin
    assert len(set(entries)) == len(entries) == hub.checkpoint().size
    secret = padding_secret(keys.load(hub.data / "keys" / "log.pem"))
    for index, entry in enumerate(entries):
        padding = Opening(padding_nonce(secret, origin=origin, index=index), PaddingRow(index).to_row())
        assert entry == entry_of(openings.pop(index, padding)), index
    assert not openings


def every_checkpoint_was_kept_to(hub: Hub) -> None:
    """The tree of its definition has the signed root, and each root that was signed in between."""
    entries, last = hub.entries(), hub.checkpoint()
    assert mth(entries) == last.root
    assert sorted(seen.size for seen in hub.checkpoints) == [seen.size for seen in hub.checkpoints]
    for seen in {it.size: it for it in hub.checkpoints}.values():
        assert mth(entries[: seen.size]) == seen.root
        verify_consistency(
            seen.size,
            old_root=seen.root,
            new_size=last.size,
            new_root=last.root,
            proof=proof(seen.size, entries) if 0 < seen.size < last.size else [],
        )

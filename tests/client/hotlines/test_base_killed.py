"""SIGKILL at random moments while a base is built, sent and adopted: the next runs converge, and lose nothing.

Real processes; the moments are counted from the first trace that the work leaves on the disk.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hashshare.client.bases import BaseFolder
from hashshare.client.publisher import find_list
from hashshare.client.store import ListStore
from hashshare.client.verify import verify_list
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North
from tests.client.hotlines.proof import Prover

ROOT = Path(__file__).parents[3]
RENEW = ("publisher", "renew-base", LIST, "--now")


def kill(desk: Desk, *words: str | Path, begun: Callable[[], bool], within: float, moments: random.Random) -> bool:
    """Start `hashshare words...` and kill it at most `within` seconds after `begun`; whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hashshare", *map(str, words), "--json"],
        cwd=ROOT,
        env={**os.environ, "HASHSHARE_HOME": str(desk.home.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while process.poll() is None and not begun() and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(moments.uniform(0, within))
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


@pytest.fixture
def feed(images: Desk, north: North, tmp_path: Path) -> Desk:
    north.verdict = Prover(north, tmp_path / "proof")
    images.json("publish", LIST, images.csv(entries(range(20_000)), header=HEADER))
    images.json("publish", LIST, images.csv(entries(range(20_010)), header=HEADER))
    return images


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_it_converges(feed: Desk, north: North, seed: int) -> None:
    moments, own = random.Random(seed), find_list(feed.home, LIST)
    record = BaseFolder(own).path / "prepared.json"
    record_written = record.exists
    hits = 0
    for _ in range(4):
        hits += kill(feed, *RENEW, begun=record_written, within=0.25, moments=moments)
        if (prepared := BaseFolder(own).read()) and prepared.is_ready:
            BaseFolder(own).drop()
    number = 20_010
    for _ in range(4):
        feed.json(*RENEW)
        number += 1
        file = feed.csv([("upsert", *entry(number))], header=("op", *HEADER), name="changes.csv")
        work = own.publisher.work_folder(own.list_id)
        words = ("publish", LIST, file, "--changes", "--no-renew-base")
        hits += kill(feed, *words, begun=work.exists, within=0.6, moments=moments)
        feed.json(*words)
    assert hits, "no process was killed at work"
    done = feed.json("publish", LIST, feed.csv(entries(range(number + 1)), header=HEADER), "--no-renew-base")
    assert done["entries"] == number + 1
    manifest = north.shelf.manifests[own.list_id]
    assert manifest.base.version > 1
    assert manifest.entries == number + 1
    store = ListStore(feed.home, own.list_id)
    assert verify_list(store).entries == number + 1
    assert not BaseFolder(own).path.exists()
    assert not own.publisher.work_folder(own.list_id).exists()

"""Messages as files: whole or not there, each taken by one of many."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import kombu
import pytest
from kombu.exceptions import ChannelError

from config import file_broker
from config.environment import broker

MESSAGES = 300
TAKERS = 4


@contextmanager
def channel_at(folder: Path) -> Iterator[Any]:
    url, options = broker("", folder=folder)
    with kombu.Connection(url, transport="config.file_broker:Transport", transport_options=options) as connection:
        yield connection.default_channel


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Any]:
    with channel_at(tmp_path) as opened:
        yield opened


def test_it_keeps_order_and_queues_apart(channel: Any) -> None:
    for number in range(3):
        channel._put("jobs", {"number": number})
        channel._put("timetable", {"number": -number})
    assert [channel._get("jobs")["number"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get("jobs")
    assert channel._size("timetable") == 3


def test_each_message_goes_to_one_of_those_who_take(tmp_path: Path) -> None:
    """While they are being sent, so that none is met half written."""
    sent = threading.Event()

    def take(_: int) -> list[int]:
        found: list[int] = []
        with channel_at(tmp_path) as opened:
            while True:
                done = sent.is_set()
                try:
                    found.append(opened._get("jobs")["number"])
                except Empty:
                    if done:
                        return found

    with ThreadPoolExecutor(TAKERS) as pool, channel_at(tmp_path) as opened:
        taken = [pool.submit(take, taker) for taker in range(TAKERS)]
        for number in range(MESSAGES):
            opened._put("jobs", {"number": number, "filling": "x" * 20_000})
        sent.set()
        found = [number for each in taken for number in each.result(timeout=60)]
    assert sorted(found) == list(range(MESSAGES))
    assert list((tmp_path / "queue").iterdir()) == []


def leave(folder: Path, *, number: int) -> None:
    """What processes that were killed leave: drafts, and messages taken and not yet removed."""
    for place in range(number):
        (folder / f".{place}.draft").write_text("{")
        (folder / f".{place}_x.jobs.msg.taken").write_text('{"number": -1}')


def test_what_was_left_by_a_kill_is_swept_and_nothing_else(
    tmp_path: Path, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, control = tmp_path / "queue", tmp_path / "control"
    for folder in (queue, control):
        leave(folder, number=2)
    channel._put("jobs", {"number": 1})
    kombu.Queue("jobs", kombu.Exchange("jobs"), routing_key="jobs")(channel).declare()
    later = time.time() + 2 * file_broker.LEFT_SECONDS
    kept = [path for path in control.iterdir() if not path.name.startswith(".")]
    assert channel._get("jobs") == {"number": 1}
    assert len(list(queue.glob(".*"))) == 4, "none is old yet"
    monkeypatch.setattr(time, "time", lambda: later)
    channel.next_sweep = 0.0
    with pytest.raises(Empty):
        channel._get("jobs")
    assert list(queue.iterdir()) == []
    assert sorted(control.iterdir()) == sorted(kept) != []


def test_a_message_that_waited_for_long_is_not_swept_while_it_is_taken(tmp_path: Path) -> None:
    message = tmp_path / "1_x.jobs.msg"
    message.write_text("{}")
    os.utime(message, (0, 0))
    message.rename(tmp_path / f".{message.name}.taken")
    file_broker.sweep_leftovers(tmp_path, now=time.time())
    assert len(list(tmp_path.iterdir())) == 1


def test_many_may_sweep_at_once_while_messages_come_and_go(tmp_path: Path) -> None:
    with channel_at(tmp_path) as opened:
        queue = tmp_path / "queue"
        leave(queue, number=MESSAGES)
        now = max(path.stat().st_ctime for path in queue.iterdir()) + 0.01 + file_broker.LEFT_SECONDS
        time.sleep(0.03)  # what comes from here on is younger
        ready = threading.Barrier(TAKERS + 1)

        def sweep(_: int) -> None:
            ready.wait(timeout=30)
            file_broker.sweep_leftovers(queue, now=now)

        with ThreadPoolExecutor(TAKERS) as pool:
            swept = [pool.submit(sweep, number) for number in range(TAKERS)]
            ready.wait(timeout=30)
            for number in range(20):
                opened._put("timetable", {"number": number})
            for each in swept:
                each.result(timeout=60)
        assert [opened._get("timetable")["number"] for _ in range(20)] == list(range(20))
        assert list(queue.iterdir()) == []


def test_a_message_that_is_swept_under_the_hands_of_who_takes_it_is_lost_without_an_error(
    tmp_path: Path, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood still for so long that others took it for dead."""
    for number in (1, 2):
        channel._put("jobs", {"number": number})
    rename = Path.rename

    def swept(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        if moved.read_text() == '{"number": 1}':
            moved.unlink()
        return moved

    monkeypatch.setattr(Path, "rename", swept)
    assert channel._get("jobs") == {"number": 2}


def test_queues_declared_at_once_are_all_bound(tmp_path: Path) -> None:
    together = threading.Barrier(TAKERS)

    def declare(taker: int) -> None:
        with channel_at(tmp_path) as opened:
            together.wait(timeout=30)
            for number in range(10):
                name = f"queue-{taker}-{number}"
                kombu.Queue(name, kombu.Exchange("shared"), routing_key=name)(opened).declare()

    with ThreadPoolExecutor(TAKERS) as pool:
        list(pool.map(declare, range(TAKERS)))
    with channel_at(tmp_path) as opened:
        bound = {row.queue for row in opened.get_table("shared")}
    assert bound == {f"queue-{taker}-{number}" for taker in range(TAKERS) for number in range(10)}


def test_a_name_that_leads_elsewhere_binds_nothing(channel: Any) -> None:
    with pytest.raises(ChannelError):
        channel._queue_bind("../elsewhere", "key", "", "queue")

"""Messages as files: whole or not there, each taken by one of many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

import kombu
import pytest
from kombu.exceptions import ChannelError

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

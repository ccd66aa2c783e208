"""A disk without room, met by the real program: it says so, and what was there stays in use.

A limit on the size of files (RLIMIT_FSIZE) stands for the full disk: every write beyond it fails, as it does there.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.bases import BaseFolder
from hashshare.client.publisher import find_list
from hashshare.client.store import Held, ListStore
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North

ROOT = Path(__file__).parents[3]


def run(desk: Desk, *words: str | Path, room: int = resource.RLIM_INFINITY) -> tuple[int, Any]:
    """`hashshare words... --json` as a process that may write files of at most `room` bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "hashshare", *map(str, words), "--json"],
        cwd=ROOT,
        env={**os.environ, "HASHSHARE_HOME": str(desk.home.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(2000)), header=HEADER))
    return images


def held(desk: Desk) -> Held:
    now = ListStore(desk.home, find_list(desk.home, LIST).list_id).held()
    assert now is not None
    return now


def test_a_publication_says_so_and_leaves_the_list_as_it_was(published: Desk, north: North) -> None:
    before, objects = held(published), dict(north.shelf.objects)
    file = published.csv(entries(range(4000)), header=HEADER)
    status, answer = run(published, "publish", LIST, file, room=60_000)
    assert status == 1
    assert "The disk is full" in answer["error"]["detail"]
    assert "Make room" in answer["error"]["next_step"]
    assert (held(published), north.shelf.objects) == (before, objects)
    status, answer = run(published, "publish", LIST, file)
    assert (status, answer["version"], answer["entries"]) == (0, 2, 4000)


def test_a_base_says_so_and_is_built_later(published: Desk, north: North) -> None:
    file = published.csv(entries(range(2010)), header=HEADER)
    published.json("publish", LIST, file)
    before = held(published)
    status, answer = run(published, "publisher", "renew-base", LIST, "--now", room=60_000)
    assert status == 1
    assert "The disk is full" in answer["error"]["detail"]
    assert held(published) == before
    status, answer = run(published, "publisher", "renew-base", LIST, "--now")
    assert (status, answer["version"], answer["built"]) == (0, 2, True)


def test_a_publication_is_told_although_its_base_found_no_room(published: Desk, north: North) -> None:
    file = published.csv(entries(range(2500)), header=HEADER)
    status, answer = run(published, "publish", LIST, file, room=120_000)
    assert (status, answer["published"], answer["version"]) == (0, True, 2)
    assert "The disk is full" in answer["new_base"]["error"]["detail"]
    prepared = BaseFolder(find_list(published.home, LIST)).read()
    assert prepared is None or not prepared.is_written

"""A new base that the hub refuses: kept while something else may be at fault, and never lost again in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from hashshare.client.bases import BaseFolder
from hashshare.client.publisher import find_list
from hashshare.wire.errors import GuardedHash, WrongFold
from hashshare.wire.manifest import Manifest
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North

CHANGES = ("op", "reason", *HEADER)
RENEW = ("publisher", "renew-base", LIST)


@pytest.fixture
def feed(images: Desk) -> Desk:
    """A list of 100 and one more in a segment, so that a base can be built."""
    images.json("publish", LIST, images.csv(entries(range(100)), header=HEADER))
    add(images, 100)
    return images


def add(desk: Desk, number: int, *, exit_code: int = 0) -> Any:
    file = desk.csv([("upsert", "", *entry(number))], header=CHANGES, name="changes.csv")
    return desk.json("publish", LIST, file, "--changes", "--no-renew-base", exit_code=exit_code)


def refuse_bases(manifest: Manifest) -> None:
    if manifest.base.version != 1:
        raise WrongFold("It is not the fold of what it replaces.")


def refuse_all(manifest: Manifest) -> None:
    raise GuardedHash("1 row has a sha256 known to be that of harmless files.")


def test_it_is_kept_when_the_release_is_refused_without_it_too(feed: Desk, north: North) -> None:
    feed.json(*RENEW, "--now")
    folder = BaseFolder(find_list(feed.home, LIST))
    accept = north.verdict
    north.verdict = refuse_all
    assert add(feed, 101, exit_code=6)["error"]["type"] == "guarded-hash"
    prepared = folder.read()
    assert prepared is not None
    assert prepared.is_ready
    north.verdict = accept
    done = add(feed, 102)
    assert (done["adopted_base"], done["refused_base"]) == (2, None)


def test_the_list_goes_on_without_it_and_says_so(feed: Desk, north: North) -> None:
    feed.json(*RENEW, "--now")
    north.verdict = refuse_bases
    file = feed.csv([("upsert", "", *entry(101))], header=CHANGES, name="changes.csv")
    result = feed.run("publish", LIST, file, "--changes", "--no-renew-base")
    assert result.exit_code == 0
    assert "The hub refused the new base of aurora.example/images at v2 (job job-" in result.stderr
    assert "not the fold" in result.stderr


@pytest.mark.parametrize("last", ["publish", "refresh"])
def test_the_second_in_a_row_is_a_failure(feed: Desk, north: North, last: str) -> None:
    north.verdict = refuse_bases
    feed.json(*RENEW, "--now")
    add(feed, 101)
    feed.json(*RENEW, "--now")
    if last == "publish":
        done = add(feed, 102, exit_code=4)
        assert (done["published"], done["version"]) == (True, 4)
    else:
        done = feed.json("publisher", "refresh", LIST, "--now", exit_code=4)["lists"][0]
        assert done["adopted_base"] is None
    assert (done["refused_base"]["times"], done["refused_base"]["version"]) == (2, 3)


def test_then_none_is_built_until_the_next_night_unless_asked(feed: Desk, north: North) -> None:
    accept = north.verdict
    north.verdict = refuse_bases
    for number in (101, 102):
        feed.json(*RENEW, "--now")
        add(feed, number, exit_code=0 if number == 101 else 4)
    more = feed.csv([("upsert", "", *entry(n)) for n in range(200, 240)], header=CHANGES, name="changes.csv")
    said = feed.run("publish", LIST, more, "--changes")
    assert said.exit_code == 0
    assert "Building a new base" not in said.stdout
    failed = feed.json(*RENEW, exit_code=4)["error"]
    assert "refused the last 2 new bases" in failed["detail"]
    assert "renew-base aurora.example/images --now" in failed["next_step"]
    north.verdict = accept
    assert feed.json(*RENEW, "--now")["built"]
    assert add(feed, 300)["adopted_base"] is not None
    assert feed.json(*RENEW)["why"] is None


def test_the_next_night_tries_again(feed: Desk, north: North, tmp_path: Path) -> None:
    north.verdict = refuse_bases
    more = feed.csv([("upsert", "", *entry(n)) for n in range(200, 240)], header=CHANGES, name="more.csv")
    feed.json("publish", LIST, more, "--changes", "--no-renew-base")
    for number in (101, 102):
        feed.json(*RENEW)
        add(feed, number, exit_code=0 if number == 101 else 4)
    feed.json(*RENEW, exit_code=4)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=21)):
        north.seal()
        assert feed.json(*RENEW)["built"]
        assert add(feed, 103, exit_code=4)["refused_base"]["times"] == 3

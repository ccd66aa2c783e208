"""What changed since a version, across a renewal of the base: borrowed from the hub, verified, and not kept."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.store import Held
from hashshare.wire.errors import MissingObject
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North
from tests.client.members.test_sync import sync


@pytest.fixture
def renewed(cobalt: Cobalt, aurora: Aurora, north: North) -> list[Item]:
    """Cobalt came by deltas to version 6; the base is of version 5, so that 6 alone is held. Withdrawn: 3 and 4."""
    first = items(40)
    aurora.release(first)
    sync(cobalt, aurora)
    aurora.release(items(2), first[:1], reason="incorrect")
    aurora.release(items(2), first[1:2])
    sync(cobalt, aurora)
    aurora.release(items(1))
    aurora.renew_base()
    aurora.release(items(1))
    sync(cobalt, aurora)
    assert [(part.from_version, part.to_version) for part in held(cobalt, aurora).deltas] == [(5, 6)]
    north.requests.clear()
    return first


def held(cobalt: Cobalt, aurora: Aurora) -> Held:
    state = cobalt.store(aurora).held()
    assert state is not None
    return state


def files(cobalt: Cobalt) -> dict[str, int]:
    """Everything in the home but the locks, the token and what is remembered of the hub and the log, with sizes."""
    found = (path for path in cobalt.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    aside = ("token.json", "contact.json", "asked", "acknowledgement.json", "aurora.example.json")
    return {str(path): path.stat().st_size for path in found if path.name not in aside}


def changes(cobalt: Cobalt, aurora: Aurora, tmp_path: Path, since: int) -> dict[str, dict[str, str]]:
    path = tmp_path / "changes.csv"
    done = cobalt.run("changes", aurora.name, "--since", str(since), "-o", str(path))
    assert done.status == 0, done.err
    with path.open(newline="") as file:
        return {row["sha256"]: row for row in csv.DictReader(file)}


def refused(cobalt: Cobalt, aurora: Aurora, tmp_path: Path, since: int = 2) -> tuple[int, Any]:
    """Exit code and problem; nothing was written, and nothing is left behind."""
    before, path = files(cobalt), tmp_path / "changes.csv"
    done = cobalt.run("changes", aurora.name, "--since", str(since), "-o", str(path), "--json")
    assert list(tmp_path.glob("*changes*")) == []
    assert files(cobalt) == before
    return done.status, done.json["error"]


@pytest.mark.parametrize(("since", "rows", "withdrawn"), [(2, 8, 2), (3, 5, 1), (4, 2, 0), (5, 1, 0), (6, 0, 0)])
def test_it_tells_what_changed_before_the_base(
    cobalt: Cobalt,
    aurora: Aurora,
    north: North,
    renewed: list[Item],
    tmp_path: Path,
    since: int,
    rows: int,
    withdrawn: int,
) -> None:
    before = files(cobalt)
    found = changes(cobalt, aurora, tmp_path, since)
    gone = {key for key, row in found.items() if row["op"] == "withdraw"}
    assert (len(found), len(gone)) == (rows, withdrawn)
    assert gone <= {item.sha256.hex() for item in renewed[:2]}
    asked = [path for path in north.paths() if "/targets/" in path]
    assert len(asked) == max(0, 5 - since)
    assert files(cobalt) == before
    assert not list(cobalt.store(aurora).borrowed_folder.glob("*"))


def test_it_tells_a_member_that_began_with_the_base(cobalt: Cobalt, aurora: Aurora, tmp_path: Path) -> None:
    first = items(40)
    aurora.release(first)
    aurora.release((), first[:3])
    aurora.renew_base()
    aurora.release(items(1))
    sync(cobalt, aurora)
    assert len(changes(cobalt, aurora, tmp_path, 2)) == 4
    assert len(changes(cobalt, aurora, tmp_path, 1)) == 41


def test_without_the_hub_it_says_what_to_do(
    cobalt: Cobalt, aurora: Aurora, north: North, renewed: list[Item], tmp_path: Path
) -> None:
    config = cobalt.folder / "config.json"
    config.write_text(config.read_text().replace(f":{north.port}", ":9"))
    status, error = refused(cobalt, aurora, tmp_path)
    assert (status, error["type"]) == (5, "network")
    assert "before version 5 is no longer held here" in error["detail"]
    assert "hashshare export" in error["next_step"]
    assert len(changes(cobalt, aurora, tmp_path, 5)) == 1


def test_above_the_floor_of_the_chain_it_says_what_to_do(
    cobalt: Cobalt, aurora: Aurora, north: North, tmp_path: Path
) -> None:
    aurora.release(items(5))
    aurora.renew_base()
    aurora.drop_segments()
    aurora.release(items(1))
    sync(cobalt, aurora)
    north.requests.clear()
    status, error = refused(cobalt, aurora, tmp_path, since=1)
    assert (status, error["since"], error["first"]) == (2, 1, 2)
    assert "hashshare export" in error["next_step"]
    assert north.requests == []


@pytest.mark.parametrize("hostile", ["other bytes", "too short", "too long", "another segment"])
def test_bytes_that_were_not_signed_are_refused(
    cobalt: Cobalt, aurora: Aurora, north: North, renewed: list[Item], tmp_path: Path, hostile: str
) -> None:
    path = aurora.object_path("delta-3-4")
    right = aurora.objects[path]
    aurora.objects[path] = {
        "other bytes": right[:-1] + bytes([right[-1] ^ 1]),
        "too short": right[:-10],
        "too long": right + bytes(1 << 20),
        "another segment": aurora.objects[aurora.object_path("delta-2-3")],
    }[hostile]
    status, error = refused(cobalt, aurora, tmp_path)
    assert (status, error["type"]) == (4, "wrong-digest")


def test_signed_bytes_that_are_no_segment_are_refused(
    cobalt: Cobalt, aurora: Aurora, north: North, tmp_path: Path
) -> None:
    """The feed's own key may sign nonsense; a base past it means that no sync has looked at it."""
    aurora.release(items(40))
    ref = aurora.put(f"{aurora.list_id}/delta-1-2.parquet", b"PAR1 nonsense PAR1")
    only = aurora.segments[0]
    aurora.segments = (type(only)(1, 2, only.upserts, only.withdrawals, ref),)
    aurora.renew_base()
    aurora.release(items(1))
    sync(cobalt, aurora)
    status, error = refused(cobalt, aurora, tmp_path, since=1)
    assert (status, error["type"]) == (4, "malformed-segment")


def test_a_segment_that_the_hub_no_longer_serves_is_named(
    cobalt: Cobalt, aurora: Aurora, north: North, renewed: list[Item], tmp_path: Path
) -> None:
    del aurora.objects[aurora.object_path("delta-3-4")]
    status, error = refused(cobalt, aurora, tmp_path)
    assert (status, error["type"]) == (4, MissingObject.slug)
    assert "Sync" in error["next_step"]


def test_a_changed_manifest_is_not_asked_what_to_fetch(
    cobalt: Cobalt, aurora: Aurora, north: North, renewed: list[Item], tmp_path: Path
) -> None:
    path = cobalt.store(aurora).manifest_path(held(cobalt, aurora).manifest_sha256)
    document = json.loads(path.read_bytes())
    document["segments"][1]["object"] = document["segments"][2]["object"]
    path.write_text(json.dumps(document))
    status, error = refused(cobalt, aurora, tmp_path)
    assert (status, error["type"]) == (4, "wrong-digest")
    assert north.requests == []


def test_what_a_killed_run_borrowed_goes_with_the_next_sync(
    cobalt: Cobalt, aurora: Aurora, north: North, renewed: list[Item], tmp_path: Path
) -> None:
    before = files(cobalt)
    north.faults.append(Fault("delta-4-5", delay=1))
    running = cobalt.start("changes", aurora.name, "--since", "2", "-o", str(tmp_path / "changes.csv"))
    folder = cobalt.store(aurora).borrowed_folder
    deadline = time.monotonic() + 30
    while len(list(folder.glob("*/*.parquet"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    running.communicate()
    assert list(folder.glob("*/*.parquet"))
    assert cobalt.run("sync").status == 0
    assert not folder.exists()
    assert files(cobalt).keys() == before.keys()

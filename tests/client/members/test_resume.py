"""Syncs that are killed, cut off or doubled: the next one goes on where it stopped, and nothing half-done is seen."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hashshare.client import download
from hashshare.client.session import Session
from hashshare.client.sync import heads, sync_list
from hashshare.client.verify import verify_list
from hashshare.wire.errors import NetworkError, WrongDigest
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North
from tests.client.members.test_sync import held_keys, sync


def ranges(north: North) -> list[str]:
    return [headers["Range"] for _, _, headers in north.requests if "Range" in headers]


def impatient(cobalt: Cobalt) -> Session:
    session = cobalt.session
    session.wait = lambda _: None
    return session


def parts(cobalt: Cobalt, aurora: Aurora) -> list[Path]:
    return list((cobalt.store(aurora).folder / "objects").glob("*.part"))


def until(condition: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_sync_is_resumed_by_the_next(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(5))
    sync(cobalt, aurora)
    before = set(aurora.live)
    aurora.release(items(5_000))
    north.faults.append(Fault("delta-2-3", delay=0.4))
    process = cobalt.start("sync")
    until(lambda: any(path.stat().st_size for path in parts(cobalt, aurora)))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert held_keys(cobalt, aurora) == before
    have = parts(cobalt, aurora)[0].stat().st_size
    north.requests.clear()
    assert sync(cobalt, aurora).version == 3
    assert [int(re.sub(r"\D", "", text)) for text in ranges(north)] == [have]
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_a_connection_that_breaks_is_taken_up_in_the_same_run(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(2_000))
    north.faults.append(Fault("delta-1-2", cut=30_000, times=3))
    head = heads(cobalt.session, cobalt.home)[0]
    assert sync_list(impatient(cobalt), cobalt.home, head).entries == 2_000
    assert ranges(north) == ["bytes=30000-", "bytes=60000-", "bytes=90000-"]


def test_a_hub_that_breaks_off_for_good_is_a_network_error(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(2_000))
    north.faults.append(Fault("delta-1-2", cut=0, times=100))
    head = heads(cobalt.session, cobalt.home)[0]
    with pytest.raises(NetworkError):
        sync_list(impatient(cobalt), cobalt.home, head)
    assert cobalt.store(aurora).held() is None


def test_a_damaged_part_is_fetched_again(
    cobalt: Cobalt, aurora: Aurora, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    aurora.release(items(500))
    north.faults.append(Fault("delta-1-2", cut=10_000, times=100))
    head = heads(cobalt.session, cobalt.home)[0]
    monkeypatch.setattr(download, "RESUMPTIONS", 1)
    with pytest.raises(NetworkError):
        sync_list(impatient(cobalt), cobalt.home, head)
    north.faults.clear()
    part = parts(cobalt, aurora)[0]
    part.write_bytes(b"\0" * part.stat().st_size)
    assert sync(cobalt, aurora).entries == 500


def test_a_hub_that_ignores_ranges_is_borne(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(500))
    whole = aurora.objects[aurora.object_path("delta-1-2")]
    north.faults.append(Fault("delta-1-2", cut=10_000))
    north.faults.append(Fault("delta-1-2", status=200, body=whole))
    head = heads(cobalt.session, cobalt.home)[0]
    session = impatient(cobalt)
    assert sync_list(session, cobalt.home, head).entries == 500


def test_an_object_that_the_hub_holds_truncated_does_not_verify(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(500))
    path = aurora.object_path("delta-1-2")
    aurora.objects[path] = aurora.objects[path][:20_000]
    with pytest.raises(WrongDigest):
        sync(cobalt, aurora)


def test_killed_at_any_moment_it_leaves_one_good_state(cobalt: Cobalt, aurora: Aurora) -> None:
    good = [set(aurora.live)]
    sync(cobalt, aurora)
    for moment in (0.45, 0.55, 0.65, 0.75, 0.85):
        aurora.release(items(300))
        good.append(set(aurora.live))
        process = cobalt.start("sync")
        time.sleep(moment)
        process.kill()
        process.wait()
        assert held_keys(cobalt, aurora) in good
    sync(cobalt, aurora)
    assert held_keys(cobalt, aurora) == good[-1]


def test_two_at_once_do_the_work_once(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(3_000))
    north.faults.append(Fault("delta-1-2", delay=0.1))
    both = [cobalt.start("sync", "--json") for _ in range(2)]
    answers = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert sum("delta-1-2" in path for path in north.paths()) == 1
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_interrupting_it_leaves_quietly(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(5_000))
    north.faults.append(Fault("delta-1-2", delay=0.5))
    process = cobalt.start("sync")
    until(lambda: any(path.stat().st_size for path in parts(cobalt, aurora)))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_full_disk_leaves_the_last_good_state(cobalt: Cobalt, aurora: Aurora) -> None:
    """A bound on file size stands in for a full disk: writing fails the same way, in the middle."""
    aurora.release(items(5))
    sync(cobalt, aurora)
    before = set(aurora.live)
    aurora.release(items(5_000))
    done = limited(cobalt, 100_000)
    assert done.returncode == 1
    assert "The disk is full" in done.stderr
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert held_keys(cobalt, aurora) == before
    assert sync(cobalt, aurora).version == 3


def test_a_disk_that_fills_while_a_segment_is_made_leaves_the_last_good_state(
    cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    for _ in range(4):
        aurora.release(items(200))
        sync(cobalt, aurora)
    before = cobalt.store(aurora).held()
    aurora.merge(1, 5)
    aurora.release(items(1))
    done = limited(cobalt, 50_000)
    assert done.returncode == 1
    assert "The disk is full" in done.stderr
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert cobalt.store(aurora).held() == before
    assert not cobalt.store(aurora).making_folder.exists()
    north.requests.clear()
    assert sync(cobalt, aurora).made == 1
    assert not any("delta" in path for path in north.paths())
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_a_sync_that_is_killed_while_it_makes_a_segment_is_repeated(cobalt: Cobalt, aurora: Aurora) -> None:
    for _ in range(2):
        aurora.release(items(2_000))
        sync(cobalt, aurora)
    aurora.merge(1, 3)
    aurora.release(items(1))
    process = cobalt.start("sync")
    until(lambda: cobalt.store(aurora).making_folder.exists() or process.poll() is not None)
    process.kill()
    process.wait()
    held = cobalt.store(aurora).held()
    assert held is not None
    assert all(map(cobalt.store(aurora).has, held.objects))
    assert sync(cobalt, aurora).version == 4
    assert not cobalt.store(aurora).making_folder.exists()
    assert held_keys(cobalt, aurora) == set(aurora.live)


def test_two_at_once_make_a_segment_once(cobalt: Cobalt, aurora: Aurora) -> None:
    for _ in range(2):
        aurora.release(items(500))
        sync(cobalt, aurora)
    aurora.merge(1, 3)
    aurora.release(items(1))
    both = [cobalt.start("sync", "--json") for _ in range(2)]
    answers = [json.loads(process.communicate()[0])["lists"][0] for process in both]
    assert sorted(answer["made"] for answer in answers) == [0, 1]
    assert verify_list(cobalt.store(aurora)).version == 4


def limited(cobalt: Cobalt, size: int) -> subprocess.CompletedProcess[str]:
    """A sync that can write no file longer than `size` bytes."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
    code += "from hashshare.client.cli.app import main; main(['sync'])"
    return subprocess.run(
        [sys.executable, "-c", code], env=cobalt.environment(), capture_output=True, text=True, check=False
    )

"""A hotline without tooling publishes in the browser: the hub signs, and members verify with the unmodified program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.analysts import hotline, subscriber
from tests.system.hub import RunningHub, StartHub, wait_for
from tests.system.machines import digests, write


@pytest.mark.slow
def test_a_hosted_list_is_published_and_verified(running_hub: RunningHub, tmp_path: Path) -> None:
    machine, desk = hotline(running_hub, tmp_path, "--hosted")
    keys = digests(2_000)
    first = desk.approved("upload", write(tmp_path / "a.csv", keys))
    assert desk.reaches(first, "published", "failed")["version"] == 1
    member = subscriber(running_hub, tmp_path, machine, desk)
    synced = member.run("sync")
    assert [row["entries"] for row in synced["lists"]] == [2_000]
    verified = member.run("verify")["lists"][0]
    assert (verified["ok"], verified["hosted"]) == (True, True)
    assert member.run("status")["lists"][0]["hosted"] is True
    assert [row["hosted"] for row in member.run("lists")["lists"] if row["name"] == desk.name] == [True]

    withdrawn = desk.approved("withdraw", " ".join(keys[:3]))
    assert desk.reaches(withdrawn, "published", "failed")["version"] == 2
    assert member.run("sync")["lists"][0]["entries"] == 1_997
    kept = machine.run("publisher", "refresh")["lists"][0]
    assert (kept["hosted"], kept["version"]) == (True, 2)
    said = [row["says"] for row in machine.run("doctor")["findings"] if row.get("subject") == desk.name]
    assert any("is hosted" in text for text in said), said
    # The hotline's own machine holds no key for it, and is told so instead of signing in vain.
    refused = machine.run("publish", desk.name, write(tmp_path / "b.csv", keys), exit_code=2)
    assert "unhost" in refused["error"]["next_step"]

    machine.run("publisher", "list", "unhost", desk.name)
    assert desk.do("look", withdrawn)["hosted"] is False
    keys = [*keys[3:], *digests(5)]
    machine.run("publish", desk.name, write(tmp_path / "c.csv", keys))
    assert member.run("sync")["lists"][0]["entries"] == 2_002
    assert member.run("verify")["lists"][0]["hosted"] is False

    machine.run("publisher", "list", "host", desk.name)
    more = desk.approved("upload", write(tmp_path / "d.csv", [*keys, *digests(50)]))
    done = desk.reaches(more, "published", "failed")
    assert done["version"] == 4, done
    member.run("sync")
    assert member.run("verify")["lists"][0]["hosted"] is True
    # Another key of the hub's, as after a theft.
    machine.run("publisher", "list", "host", desk.name, "--new-key")
    member.run("sync")
    assert member.run("verify")["ok"] is True


@pytest.mark.slow
def test_it_publishes_once_though_workers_are_killed(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_TIMETABLE="sweep_jobs=1", HASHSHARE_JOB_LEASE="3")
    machine, desk = hotline(hub, tmp_path, "--hosted")
    keys = digests(30_000)
    draft = desk.approved("upload", write(tmp_path / "a.csv", keys))
    for _ in range(6):
        hub.kill_workers()
        wait_for("the workers to be back", lambda: len(hub.workers()) == 2)
    assert desk.reaches(draft, "published", "failed", seconds=180)["version"] == 1
    releases = machine.run("release", "status", desk.name)["releases"]
    assert [row["state"] for row in releases] == ["published"]


@pytest.mark.slow
def test_the_hotlines_machine_signs_what_analysts_agreed_to(running_hub: RunningHub, tmp_path: Path) -> None:
    machine, desk = hotline(running_hub, tmp_path)
    keys = digests(500)
    draft = desk.approved("upload", write(tmp_path / "a.csv", keys))
    assert desk.do("look", draft)["state"] == "approved"
    waiting = machine.run("publish", "--approved", "--dry-run")
    assert waiting["dry_run"] is True
    assert machine.run("publish", "--approved", desk.name)["version"] == 1
    assert desk.do("look", draft)["version"] == 1
    assert machine.run("publish", "--approved", desk.name)["approved"] == []


@pytest.mark.slow
def test_the_hub_renews_the_base_of_a_hosted_list_by_itself(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_TIMETABLE="sweep_jobs=1,tend_hosted_lists=2")
    machine, desk = hotline(hub, tmp_path, "--hosted")
    keys = digests(1_000)
    for number, rows in enumerate([keys, [*keys, *digests(400)]], start=1):
        draft = desk.approved("upload", write(tmp_path / f"{number}.csv", rows))
        assert desk.reaches(draft, "published", "failed")["version"] == number

    def renewed() -> bool:
        versions = [row["version"] for row in machine.run("release", "status", desk.name)["releases"]]
        return 3 in versions

    wait_for("the base to be renewed\n" + hub.worker_log()[-2000:], renewed, seconds=120)
    member = subscriber(hub, tmp_path, machine, desk)
    assert member.run("sync")["lists"][0]["entries"] == 1_400
    assert member.run("verify")["ok"] is True

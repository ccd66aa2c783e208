"""The doctor as a whole: what it says of a machine that is well, its exit code, and that it changes nothing."""

from __future__ import annotations

from pathlib import Path

from tests.client.members.aurora import Aurora
from tests.client.members.conftest import Cobalt
from tests.client.members.doctor.conftest import doctor
from tests.client.members.north import North


def test_it_finds_nothing_wrong_with_a_machine_that_is_well(healthy: Cobalt) -> None:
    told = doctor(healthy)
    assert (told.status, told.ran.json["ok"], told.ran.json["bad"], told.ran.json["warn"]) == (0, True, 0, 0)
    for check in ("enrolment", "key", "disk", "hub", "clock", "account", "root", "list", "store", "log"):
        assert told.of(check, state="good"), check


def test_it_speaks_plainly(healthy: Cobalt, north: North) -> None:
    north.revoked.update(north.keys)
    ran = healthy.call("doctor")
    assert ran.status == 3
    [line] = [line for line in ran.out.splitlines() if line.startswith("x bad")]
    assert line == (
        "x bad      account: The hub refuses this machine's key: it was revoked, it has ended, or your organisation is "
        "suspended."
    )
    assert "hashshare key add" in ran.out
    quiet = healthy.call("doctor", "--quiet")
    assert "+ good" not in quiet.out and line in quiet.out


def test_the_gravest_of_several_faults_is_its_exit_code(healthy: Cobalt, aurora: Aurora, north: North) -> None:
    held = healthy.store(aurora).held()
    assert held is not None
    healthy.store(aurora).object_path(held.objects[-1].sha256).unlink()
    north.revoked.update(north.keys)
    told = doctor(healthy)
    assert (told.status, told.ill) == (4, {"account", "store"})


def test_it_changes_nothing(healthy: Cobalt, aurora: Aurora) -> None:
    def everything() -> dict[Path, tuple[int, bytes]]:
        paths = sorted(path for path in healthy.folder.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}

    (healthy.store(aurora).folder / "current.json").write_text("{")
    healthy.folder.chmod(0o755)
    before = everything()
    assert doctor(healthy).status != 0
    assert everything() == before
    assert healthy.folder.stat().st_mode & 0o777 == 0o755


def test_it_asks_nobody_when_offline(healthy: Cobalt, north: North) -> None:
    before = len(north.requests)
    told = doctor(healthy, "--offline")
    assert (told.status, len(north.requests)) == (0, before)
    assert {row["check"] for row in told.ran.json["findings"] if row["state"] == "skipped"} == {
        "hub",
        "clock",
        "account",
    }


def test_it_works_on_a_machine_that_was_never_enrolled(tmp_path: Path, north: North) -> None:
    told = doctor(Cobalt(tmp_path / "new", north))
    assert told.status == 3
    assert "hashshare enroll" in told.bad("enrolment")["next_step"]
    assert not (tmp_path / "new").exists()


def test_one_check_that_fails_leaves_the_others(healthy: Cobalt, aurora: Aurora) -> None:
    (healthy.home.publisher_dir(aurora.domain) / "trust.json").write_text("{")
    told = doctor(healthy)
    assert "could not be checked" in told.bad("root")["says"]
    assert told.of("store", state="good")

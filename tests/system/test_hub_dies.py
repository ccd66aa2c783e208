"""Hub North dies; South, which mirrors Aurora and is named in her root, takes over; her tools and her members follow;
and when North comes back all converge. Real processes throughout.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.system.hub import RunningHub, StartHub
from tests.system.machines import Machine, enrolled, random_csv
from tests.system.two_hubs import ROOT, acquaint, die, grant, name_of, slug_of, wait_for_version

DOMAIN = "aurora.example"
LIST = f"{DOMAIN}/images"
WHY = "its machine room burnt down; spoke with Anna"


@pytest.mark.slow
def test_a_standby_hub_takes_over_and_everybody_follows(start_hub: StartHub, tmp_path: Path) -> None:
    north, south = start_hub(), start_hub()
    aurora = _begun(north, tmp_path)
    acquaint(north, south, DOMAIN)
    grant(north, DOMAIN, slug_of(south))
    wait_for_version(south, DOMAIN, 1)
    assert "does not name this hub's key" in _refused(south)
    _name_standby(aurora, south)
    wait_for_version(south, DOMAIN, 2, of=ROOT)
    assert "is alive and signs for" in _refused(south)
    cobalt, echo = _member(north, tmp_path, "Cobalt"), _member(north, tmp_path, "Echo")
    code = south.manage("invite", "--kind", "member", "--name", "Cobalt", "--country", "NL").stdout.strip()
    cobalt.run("hub", "add", south.url, "--code", code)
    grant(south, DOMAIN, "cobalt")
    assert _synced(cobalt) == (1, name_of(north))

    die(north)
    assert _synced(cobalt, "--force") == (1, name_of(south))
    assert _synced(echo, exit_code=5) is None

    assert "Nothing was changed" in _refused(south, "borealis.example")
    told = south.manage("take_over", DOMAIN, "--reason", WHY, "--yes", DOMAIN)
    assert "is at home here from now on" in told.stdout
    code = south.manage("invite", "--organisation", "aurora-example").stdout.strip()
    _move_and_kill(aurora, south, code)
    done = aurora.run("publish", LIST, random_csv(tmp_path / "second.csv", 5), "--changes")
    assert done["version"] == 2
    assert _synced(cobalt) == (2, name_of(south))
    assert aurora.run("publisher", "status", DOMAIN, exit_code=7)["hub_keys"]["urgent"] is False
    aurora.run("publisher", "rotate", "hub", DOMAIN)
    assert aurora.run("publisher", "status", DOMAIN)["standby_hub"] is None
    aurora.run("publish", LIST, random_csv(tmp_path / "third.csv", 5), "--changes")
    assert _synced(cobalt) == (3, name_of(south))

    _north_comes_back(north, south, aurora, cobalt, echo)


def _north_comes_back(north: RunningHub, south: RunningHub, aurora: Machine, cobalt: Machine, echo: Machine) -> None:
    """It serves what it had: nobody is rolled back, and once it has handed over its members have it all."""
    north.start()
    # Its keys are in the root no more, so that what it signs is refused, and told, until it hands over.
    assert _synced(cobalt, exit_code=4) == (3, name_of(south))
    assert _synced(echo) == (1, None)
    south.manage("peer", "agree", name_of(north), "out", DOMAIN)
    grant(south, DOMAIN, slug_of(north))
    north.manage("hand_over", DOMAIN, "--to", name_of(south), "--reason", WHY, "--yes", DOMAIN)
    wait_for_version(north, DOMAIN, 3)
    assert _synced(echo) == (3, None)
    assert _synced(cobalt, "--force") == (3, name_of(north))
    assert echo.run("verify")["ok"] is True
    assert aurora.run("hub", "list")["hubs"][0]["url"] == south.url


def _refused(south: RunningHub, typed: str = DOMAIN) -> str:
    """Why South may not take over now."""
    done = south.manage("take_over", DOMAIN, "--reason", WHY, "--yes", typed, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def _begun(north: RunningHub, tmp_path: Path) -> Machine:
    """Aurora at North, with 300 entries that hubs may pass on."""
    aurora = enrolled(north, tmp_path / "aurora", kind="hotline", name="Aurora", domain=DOMAIN)
    aurora.run("publisher", "init", DOMAIN, "--no-passphrase")
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--redistribution", "federation")
    aurora.run("publisher", "list", "create", LIST, *words)
    aurora.run("publish", LIST, random_csv(tmp_path / "first.csv", 300))
    return aurora


def _name_standby(aurora: Machine, south: RunningHub) -> None:
    """As the operator of South reads it out by telephone."""
    shown = aurora.run("publisher", "standby-hub", DOMAIN, "--hub", south.url, exit_code=2)
    name, *lines = south.manage("standby_fingerprint").stdout.splitlines()
    assert shown["offered"]["hub"] == name == name_of(south)
    aurora.run("publisher", "standby-hub", DOMAIN, "--hub", south.url, "--fingerprint", " ".join(lines))


def _member(hub: RunningHub, tmp_path: Path, name: str) -> Machine:
    member = enrolled(hub, tmp_path / name.lower(), kind="member", name=name)
    grant(hub, DOMAIN, name.lower())
    member.run("sync")
    return member


def _synced(member: Machine, *words: str, exit_code: int = 0) -> tuple[int, Any] | None:
    """The version held afterwards, and which hub brought it."""
    rows = member.run("sync", *words, exit_code=exit_code).get("lists")
    return (rows[0]["version"], rows[0].get("hub")) if rows else None


def _move_and_kill(aurora: Machine, south: RunningHub, code: str) -> None:
    """Killed at several moments, and run again each time: the code is good until it has worked."""
    for seconds in (0.6, 1.0, 1.4, 2.0):
        process = aurora.start("move", "--to", south.url, "--code", code)
        time.sleep(seconds)
        process.kill()
        process.communicate()
    first = aurora.run("hub", "list")["hubs"][0]["url"]
    if first != south.url:
        done = aurora.run("move", "--to", south.url, "--code", code)
        assert (done["publishers"], done["lacking"]) == ([DOMAIN], [])
    assert aurora.run("hub", "list")["hubs"][0]["url"] == south.url

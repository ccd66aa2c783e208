"""A hotline's day with the real program against a real hub: nothing is pretended, processes are killed for real."""

from __future__ import annotations

import random
import secrets
import time
from pathlib import Path

import pytest

from tests.system.hub import RunningHub
from tests.system.machines import Machine, digests, enrolled, write

LIST = "images"


@pytest.fixture
def aurora(running_hub: RunningHub, tmp_path: Path) -> tuple[Machine, str]:
    """A hotline with keys and an empty list, and the list's name."""
    domain = f"aurora-{secrets.token_hex(4)}.example"
    machine = enrolled(running_hub, tmp_path / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain)
    machine.run("publisher", "init", domain, "--no-passphrase")
    name = f"{domain}/{LIST}"
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
    machine.run("publisher", "list", "create", name, *declared)
    return machine, name


def test_it_publishes_changes_and_withdraws(aurora: tuple[Machine, str], tmp_path: Path) -> None:
    machine, name = aurora
    keys = digests(2_000)
    first = machine.run("publish", name, write(tmp_path / "a.csv", keys))
    assert (first["version"], first["entries"]) == (1, 2_000)
    assert first["job"]["worker"]
    assert first["job"]["task_id"]
    second = machine.run("publish", name, write(tmp_path / "b.csv", keys + digests(10)))
    assert (second["before"], second["version"], second["added"], second["entries"]) == (1, 2, 10, 2_010)
    third = machine.run("withdraw", name, keys[0], "--reason", "incorrect")
    assert (third["version"], third["withdrawn"], third["entries"]) == (3, 1, 2_009)
    refused = machine.run("publish", name, write(tmp_path / "c.csv", keys), "--changes", exit_code=6)
    assert refused["error"]["type"] == "withdrawn-key"
    back = machine.run("publish", name, write(tmp_path / "c.csv", keys), "--changes", "--reinstate", keys[0])
    assert (back["version"], back["reinstated"]) == (4, 1)
    status = machine.run("release", "status", name)
    assert [row["state"] for row in status["releases"]] == ["published"] * 4


def test_it_grants_what_a_member_asked_for(
    aurora: tuple[Machine, str], running_hub: RunningHub, tmp_path: Path
) -> None:
    machine, name = aurora
    machine.run("publish", name, write(tmp_path / "a.csv", digests(100)))
    cobalt = enrolled(running_hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    cobalt.run("subscribe", name, "--accept-terms")
    asked = machine.run("requests", name)["subscriptions"]
    slug = asked[0]["organisation"]["slug"]
    assert asked[0]["state"] == "requested"
    granted = machine.run("grant", name, slug, "--until", "2999-12-31")
    assert granted["subscription"]["state"] == "active"
    synced = cobalt.run("sync")
    assert synced
    revoked = machine.run("revoke", name, slug, "--reason", "left")
    assert revoked["subscription"]["state"] == "revoked"


def test_it_finishes_what_was_killed(aurora: tuple[Machine, str], tmp_path: Path) -> None:
    """SIGKILL at random moments, more entries each time; in the end the list is what the last file says."""
    machine, name = aurora
    keys = digests(5_000)
    machine.run("publish", name, write(tmp_path / "a.csv", keys))
    moments = random.Random(20261122)
    for _ in range(8):
        keys += digests(50)
        process = machine.start("publish", name, write(tmp_path / "a.csv", keys))
        time.sleep(moments.uniform(0.3, 3.0))
        process.kill()
        process.communicate()
    done = machine.run("publish", name, tmp_path / "a.csv")
    assert done["entries"] == len(keys)
    again = machine.run("publish", name, tmp_path / "a.csv")
    assert (again["published"], again["unchanged"]) == (False, len(keys))
    states = {row["state"] for row in machine.run("release", "status", name)["releases"]}
    assert states == {"published"}


def test_it_renews_every_signature_and_publishes_on(aurora: tuple[Machine, str], tmp_path: Path) -> None:
    machine, name = aurora
    keys = digests(100)
    machine.run("publish", name, write(tmp_path / "a.csv", keys))
    refreshed = machine.run("publisher", "refresh", name, "--now")["lists"][0]
    assert refreshed["role_version"] == 2
    renewed = machine.run("publisher", "renew", name.partition("/")[0], "--root")
    assert {role: facts["version"] for role, facts in renewed["roles"].items()} == {"root": 2, "targets": 3}
    done = machine.run("publish", name, write(tmp_path / "b.csv", keys + digests(5)))
    assert (done["version"], done["entries"]) == (2, 105)
    assert len(machine.run("release", "status", name)["releases"]) == 2


def test_it_says_in_the_hubs_words_why_a_release_was_rejected(
    running_hub: RunningHub, aurora: tuple[Machine, str], tmp_path: Path
) -> None:
    machine, name = aurora
    (harmless,) = digests(1)
    guard = f"guard_digest(algorithm_name='sha256', text='{harmless}', note='a logo', now=timezone.now())"
    imports = "from django.utils import timezone; from hashshare.services.guards import guard_digest"
    running_hub.manage("shell", "-c", f"{imports}; {guard}")
    failed = machine.run("publish", name, write(tmp_path / "a.csv", [*digests(10), harmless]), exit_code=6)
    assert failed["error"]["type"] == "guarded-hash"
    assert machine.run("release", "status", name)["releases"][0]["state"] == "rejected"
    assert machine.run("publish", name, write(tmp_path / "a.csv", digests(10)))["version"] == 1

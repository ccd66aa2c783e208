"""A list that Aurora publishes at hub North reaches Cobalt, a member of hub South; what Cobalt says of it comes back.

Everything by the commands that people type, with two real hubs; what is copied is compared byte for byte.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.system.hub import ROOT, RunningHub, StartHub, clean_environment, wait_for
from tests.system.machines import Machine, enrolled, random_csv
from tests.system.two_hubs import name_of

DOMAIN: Final = "aurora.example"
LIST: Final = f"{DOMAIN}/images"
EXAMPLE: Final = ROOT / "docs" / "examples" / "fetch_with_tuf.py"
QUICK: Final = {
    "HASHSHARE_MIRROR_SECONDS": "2",
    "HASHSHARE_TIMETABLE": "mirror_peers=2,send_reports=2,relay_requests=2",
}


@dataclass(frozen=True, slots=True)
class Coalition:
    """North with hotline Aurora, South with member Cobalt."""

    north: RunningHub
    south: RunningHub
    aurora: Machine
    cobalt: Machine
    hashes: list[str]


def peer(hub: RunningHub, *words: str) -> Any:
    """`manage.py peer WORDS` at a hub."""
    return json.loads(hub.manage("peer", *words, "--json").stdout)


def acquainted(north: RunningHub, south: RunningHub) -> None:
    """Each operator introduces the other hub and types the fingerprint that the other reads out."""
    for here, there in ((north, south), (south, north)):
        assert peer(here, "introduce", there.url)["state"] == "introduced"
        read_out = peer(there, "fingerprint")["fingerprint"]
        assert peer(here, "accept", name_of(there), read_out, "--country", "SE")["state"] == "active"
    peer(north, "agree", name_of(south), "out", DOMAIN)
    peer(south, "agree", name_of(north), "in", DOMAIN)


def published(north: RunningHub, folder: Path) -> tuple[Machine, list[str]]:
    aurora = enrolled(north, folder / "aurora", kind="hotline", name="Aurora", domain=DOMAIN)
    aurora.run("publisher", "init", DOMAIN, "--no-passphrase")
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--redistribution", "federation")
    aurora.run("publisher", "list", "create", LIST, *words)
    file = random_csv(folder / "first.csv", 300)
    aurora.run("publish", LIST, file)
    return aurora, [line.partition(",")[0] for line in file.read_text().splitlines()[1:]]


def crossed(north: RunningHub, south: RunningHub, folder: Path) -> Coalition:
    """South is granted the list and lets Cobalt have it, whom Aurora granted it too."""
    aurora, hashes = published(north, folder)
    acquainted(north, south)
    digest = peer(south, "ask", name_of(north), LIST)["terms_digest"]
    assert peer(south, "ask", name_of(north), LIST, "--accept-terms", digest)["state"] == "requested"
    [asking] = [row["organisation"]["slug"] for row in aurora.run("requests", LIST)["subscriptions"]]
    aurora.run("grant", LIST, asking, "--until", "2999-12-31")
    cobalt = enrolled(south, folder / "cobalt", kind="member", name="Cobalt")
    wait_for("the list at South", lambda: offered(cobalt), seconds=120)
    cobalt.run("subscribe", LIST, "--accept-terms")
    wait_for("Cobalt's request at North", lambda: asked_from_afar(aurora), seconds=60)
    aurora.run("grant", LIST, f"cobalt@{name_of(south)}", "--until", "2999-12-31")
    wait_for("the grant at South", lambda: granted(cobalt), seconds=60)
    fingerprint = aurora.run("publisher", "status", DOMAIN)["fingerprint"]
    cobalt.run("pin", DOMAIN, fingerprint)
    return Coalition(north, south, aurora, cobalt, hashes)


def offered(cobalt: Machine) -> bool:
    return any(row["name"] == LIST for row in cobalt.run("lists")["lists"])


def asked_from_afar(aurora: Machine) -> bool:
    return any(hub["requests"] for hub in aurora.run("requests", LIST)["peers"])


def granted(cobalt: Machine) -> bool:
    return any(row["subscription"]["state"] == "active" for row in cobalt.run("lists")["lists"])


def synced(machine: Machine) -> int:
    rows = machine.run("sync", "--now")["lists"]
    return int(rows[0]["version"]) if rows else 0


def repository(hub: RunningHub, machine: Machine, folder: Path) -> dict[str, bytes]:
    """Every file that the unmodified `tuf.ngclient` verifies at a hub from the publisher's root, by its name."""
    key = machine.run("request", "POST", "access-keys", "--data", '{"name": "tuf", "days": 1}')["body"]["key"]
    list_id = machine.run("request", "GET", f"lists/{LIST}")["body"]["id"]
    folder.mkdir()
    root = machine.home / "publishers" / DOMAIN / "root.json"
    done = subprocess.run(
        [sys.executable, "-P", EXAMPLE, hub.url, DOMAIN, list_id, root, folder],
        env=clean_environment(HASHSHARE_ACCESS_KEY=key), text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_list_crosses_and_what_members_say_of_it_comes_back(start_hub: StartHub, tmp_path: Path) -> None:
    north, south = start_hub(**QUICK), start_hub(**QUICK)
    there = crossed(north, south, tmp_path)
    assert synced(there.cobalt) == 1
    assert there.cobalt.run("verify")["ok"] is True

    added = there.aurora.run("publish", LIST, random_csv(tmp_path / "second.csv", 20), "--changes")
    wrong = there.hashes[0]
    withdrawn = there.aurora.run("withdraw", LIST, wrong, "--reason", "incorrect")
    assert (added["version"], withdrawn["version"]) == (2, 3)
    wait_for("version 3 at Cobalt", lambda: synced(there.cobalt) == 3, seconds=60)
    assert there.cobalt.run("lookup", wrong)["hashes"][0]["matches"] == []
    seen = wait_for("what Aurora sees of South", lambda: applied_at(there.aurora, south), seconds=60)
    assert (seen["entitled"], seen["applied"]) == (1, 1)

    ember = enrolled(north, tmp_path / "ember", kind="member", name="Ember")
    ember.run("subscribe", LIST, "--accept-terms")
    there.aurora.run("grant", LIST, "ember", "--until", "2999-12-31")
    assert synced(ember) == 3
    assert repository(south, there.cobalt, tmp_path / "at-south") == repository(north, ember, tmp_path / "at-north")

    peer(north, "suspend", name_of(south), "--reason", "the key leaked")
    refused = south.manage("peer", "catalogue", name_of(north), check=False)
    assert refused.returncode != 0
    assert "That hub refuses this one" in refused.stderr
    unasked = north.manage("peer", "catalogue", name_of(south), check=False)
    assert "nothing is asked of it" in unasked.stderr
    peer(north, "resume", name_of(south))
    assert peer(south, "catalogue", name_of(north))["lists"]


def applied_at(aurora: Machine, hub: RunningHub) -> Any:
    """What the newest withdrawal's row says of a hub, once a member of it has applied it."""
    newest = aurora.run("propagation", LIST)["withdrawals"][0]
    found = next((each for each in newest["hubs"] if each["hub"] == name_of(hub)), None)
    return found if found and found["applied"] else None


@pytest.mark.slow
def test_killed_at_any_moment_it_converges(start_hub: StartHub, tmp_path: Path) -> None:
    """Either hub dies again and again while the list is copied; what it started by itself comes back by itself."""
    north, south = start_hub(**QUICK), start_hub(**QUICK)
    there = crossed(north, south, tmp_path)
    dice = random.Random(7)
    for round_ in range(4):
        there.aurora.run("publish", LIST, random_csv(tmp_path / f"{round_}.csv", 2_000), "--changes")
        for _ in range(2):
            time.sleep(dice.uniform(0.1, 1.5))
            hub = dice.choice((north, south))
            hub.kill(dice.choice([name for name in hub.pids() if name.startswith(("worker", "timetable", "web"))]))
    wait_for("all that was published at Cobalt", lambda: version_at(there.cobalt) == 5, seconds=180)
    held = there.cobalt.run("status")["lists"][0]["entries"]
    assert held == 300 + 4 * 2_000
    assert there.cobalt.run("verify")["ok"] is True


def version_at(cobalt: Machine) -> int:
    """0 where a hub is not there at this moment."""
    process = cobalt.start("sync", "--now", "--json")
    output, _ = process.communicate(timeout=180)
    rows = json.loads(output).get("lists") if output.strip() else None
    return int(rows[0]["version"]) if rows and "version" in rows[0] else 0

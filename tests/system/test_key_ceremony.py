"""Two of three officers with real processes: their machines never open a socket, and members trust what they signed."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

import pytest

from tests.system.hub import RunningHub
from tests.system.machines import Machine, enrolled, random_csv

OFFLINE = '''
import os, sys

def probes(frame):
    """urllib3 looks, when it is imported, whether this machine knows IPv6: a socket that is bound to ::1 and closed."""
    while frame is not None:
        if frame.f_code.co_name == "_has_ipv6":
            return True
        frame = frame.f_back
    return False

def refuse(event, arguments):
    if event.startswith("socket.") and not probes(sys._getframe()):
        print(f"touched the network: {event}", file=sys.stderr, flush=True)
        os._exit(99)

sys.addaudithook(refuse)
'''
"""A machine without a network: the program is ended the moment it makes a socket or resolves a name (PEP 578)."""


def offline(folder: Path, name: str) -> Machine:
    """An officer's machine, where keys are under a passphrase."""
    (folder / name / "site").mkdir(parents=True)
    (folder / name / "site" / "sitecustomize.py").write_text(OFFLINE)
    environment = {"PYTHONPATH": str(folder / name / "site"), "HASHSHARE_PASSPHRASE": f"the words of {name}"}
    return Machine(folder / name / "home", environment)


def carry(request: str, stick: Path) -> Path:
    return Path(shutil.copy(request, stick))


def test_a_machine_without_network_is_one(tmp_path: Path) -> None:
    """The guard itself: a command that needs the hub is ended by it."""
    machine = offline(tmp_path, "anna")
    process = machine.start("enroll", "http://127.0.0.1:9", "AAAA-BBBB-CCCC")
    assert "touched the network" in process.communicate(timeout=60)[1]
    assert process.returncode == 99


@pytest.mark.slow
def test_two_of_three_officers_found_a_publisher_that_members_trust(running_hub: RunningHub, tmp_path: Path) -> None:
    domain = f"aurora-{secrets.token_hex(4)}.example"
    name, stick = f"{domain}/images", tmp_path / "stick.json"
    aurora = enrolled(
        running_hub, tmp_path / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain,
        HASHSHARE_PASSPHRASE="quiet water",
    )  # fmt: skip
    officers = [offline(tmp_path, who) for who in ("anna", "ben", "carol")]
    made = [officer.start("publisher", "officer", officer.home.parent.name, "--json") for officer in officers]
    cards = [Machine.finish(process) for process in made]

    begun = aurora.run("publisher", "init", domain, *(word for card in cards for word in ("--officer", card["card"])))
    assert [card["fingerprint"] for card in begun["officers"]] == [card["fingerprint"] for card in cards]
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category")
    request = aurora.run("publisher", "list", "create", name, *declared)["request"]
    carry(request, stick)
    first = officers[0].run("publisher", "sign", stick, "--yes")
    assert {need["role"] for need in first["missing"]} == {"root", "targets"}
    assert aurora.run("publisher", "submit", stick, exit_code=6)["job"] is None
    second = officers[2].run("publisher", "sign", stick, "--yes")
    assert second["missing"] == []
    done = aurora.run("publisher", "submit", stick)
    assert done["job"]
    assert done["fingerprint"] == second["fingerprint"]

    published = aurora.run("publish", name, random_csv(tmp_path / "a.csv", 100))
    assert published["version"] == 1
    cobalt = enrolled(running_hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    cobalt.run("pin", domain, *_read_out(second["fingerprint"]))
    cobalt.run("subscribe", name, "--accept-terms")
    slug = aurora.run("requests", name)["subscriptions"][0]["organisation"]["slug"]
    aurora.run("grant", name, slug, "--until", "2999-12-31")
    cobalt.run("sync")
    verified = cobalt.run("verify")["lists"][0]
    assert (verified["entries"], verified["trust"]) == (100, "confirmed")

    renewal = aurora.run("publisher", "renew", domain, "--root")
    copies = [carry(renewal["request"], tmp_path / f"{number}.json") for number in (1, 2)]
    signing = [
        officer.start("publisher", "sign", copy, "--yes", "--json")
        for officer, copy in zip(officers[1:], copies, strict=True)
    ]
    assert all(Machine.finish(process)["signed_with"] for process in signing)
    assert aurora.run("publisher", "submit", *copies)["job"]
    assert aurora.run("publish", name, random_csv(tmp_path / "b.csv", 100), "--changes")["version"] == 2
    assert cobalt.run("sync")["lists"][0]["version"] == 2


def _read_out(fingerprint: str) -> list[str]:
    from hashshare.wire.fingerprints import spoken

    return spoken(fingerprint).split()


def test_making_keys_survives_being_killed(tmp_path: Path) -> None:
    """Killed as soon as the first key shows: run again it ends with a whole pair."""
    machine = offline(tmp_path, "anna")
    keys = machine.home / "officer"
    process = machine.start("publisher", "officer", "Anna")
    while process.poll() is None and not any(keys.glob("root.*")):
        time.sleep(0.001)
    process.kill()
    process.communicate()
    made = machine.run("publisher", "officer", "Anna")
    assert sorted(path.name for path in keys.iterdir()) == [
        "anna.card.json", "root.json", "root.pem", "targets.json", "targets.pem",
    ]  # fmt: skip
    assert made["root"] != made["targets"]

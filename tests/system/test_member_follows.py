"""A member's days with the real program against a real hub: subscribe, sync, be killed, verify, use, lose the right."""

from __future__ import annotations

import csv
import hashlib
import secrets
import time
from pathlib import Path

import pytest

from tests.system.hub import RunningHub
from tests.system.machines import Machine, enrolled, make_list


@pytest.fixture
def aurora(running_hub: RunningHub, tmp_path: Path) -> tuple[Machine, str]:
    """A hotline with an empty list keyed by sha256, and the list's name."""
    domain = f"aurora-{secrets.token_hex(4)}.example"
    machine = enrolled(running_hub, tmp_path / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain)
    make_list(machine, f"{domain}/images")
    return machine, f"{domain}/images"


@pytest.fixture
def cobalt(running_hub: RunningHub, aurora: tuple[Machine, str], tmp_path: Path) -> Machine:
    """A member that receives Aurora's list, whose root it has pinned."""
    machine, name = aurora
    member = enrolled(running_hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    fingerprint = trust_of(machine, name)
    asked = member.run("subscribe", name, "--accept-terms", "--root", fingerprint)
    assert asked["publisher"]["trust"] == "confirmed"
    [row] = machine.run("requests", name)["subscriptions"]
    machine.run("grant", name, row["organisation"]["slug"], "--until", "2999-12-31")
    return member


def trust_of(machine: Machine, name: str) -> str:
    """The fingerprint as Aurora itself would read it out: of root version 1 in its own home."""
    root = machine.home / "publishers" / name.partition("/")[0] / "root.json"
    return hashlib.sha256(root.read_bytes()).hexdigest()


def write(path: Path, contents: list[bytes]) -> Path:
    rows = [f"{hashlib.sha256(content).hexdigest()},A\n" for content in contents]
    path.write_text("sha256,category\n" + "".join(rows))
    return path


def keys_of(path: Path) -> set[str]:
    with path.open(newline="") as file:
        return {row["sha256"] for row in csv.DictReader(file)}


def digests(contents: list[bytes]) -> set[str]:
    return {hashlib.sha256(content).hexdigest() for content in contents}


def test_it_follows_a_list_from_the_first_release_on(
    aurora: tuple[Machine, str], cobalt: Machine, tmp_path: Path
) -> None:
    machine, name = aurora
    contents = [secrets.token_bytes(40) for _ in range(3_000)]
    machine.run("publish", name, write(tmp_path / "a.csv", contents))
    [first] = cobalt.run("sync")["lists"]
    assert (first["entries"], first["full"], first["trust"]) == (3_000, True, "confirmed")

    more = [secrets.token_bytes(40) for _ in range(7)]
    machine.run("publish", name, write(tmp_path / "b.csv", contents + more))
    gone = contents.pop()
    machine.run("withdraw", name, hashlib.sha256(gone).hexdigest(), "--reason", "incorrect")
    [second] = cobalt.run("sync")["lists"]
    assert (second["before"], second["upserts"], second["withdrawals"]) == (first["version"], 7, 1)
    assert second["bytes"] < first["bytes"] / 10
    [third] = cobalt.run("sync")["lists"]
    assert third["changed"] is False

    assert cobalt.run("verify")["ok"] is True
    cobalt.run("export", name, "-o", tmp_path / "out.csv")
    assert keys_of(tmp_path / "out.csv") == digests(contents + more)
    changes = cobalt.run("changes", name, "--since", first["version"], "-o", tmp_path / "changes.csv")
    assert changes["rows"] == 8

    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "listed").write_bytes(contents[5])
    (folder / "withdrawn").write_bytes(gone)
    (folder / "harmless").write_bytes(b"harmless")
    found = cobalt.run("scan", folder)
    assert [row["path"] for row in found["matches"]] == [str(folder / "listed")]


def test_killed_at_random_it_ends_with_what_was_published(
    aurora: tuple[Machine, str], cobalt: Machine, tmp_path: Path
) -> None:
    machine, name = aurora
    contents: list[bytes] = []
    for round_ in range(4):
        contents += [secrets.token_bytes(40) for _ in range(2_000)]
        machine.run("publish", name, write(tmp_path / "a.csv", contents))
        process = cobalt.start("sync")
        time.sleep(0.5 + 0.4 * round_)
        process.kill()
        process.communicate()
    cobalt.run("sync")
    assert cobalt.run("verify")["ok"] is True
    cobalt.run("export", name, "-o", tmp_path / "out.csv")
    assert keys_of(tmp_path / "out.csv") == digests(contents)


def test_a_revoked_member_gets_nothing_new_and_learns_nothing(
    aurora: tuple[Machine, str], cobalt: Machine, tmp_path: Path
) -> None:
    machine, name = aurora
    contents = [secrets.token_bytes(40) for _ in range(10)]
    machine.run("publish", name, write(tmp_path / "a.csv", contents))
    cobalt.run("sync")
    [row] = machine.run("requests", name)["subscriptions"]
    machine.run("revoke", name, row["organisation"]["slug"], "--reason", "left")
    contents.append(secrets.token_bytes(40))
    machine.run("publish", name, write(tmp_path / "a.csv", contents))
    refused = cobalt.run("sync", name, exit_code=3)
    assert refused["error"]["type"] == "not-entitled"
    [gone] = cobalt.run("sync", exit_code=3)["lists"]
    assert gone["gone"] is True
    status = cobalt.run("status", exit_code=7)
    assert status["lists"][0]["entries"] == 10
    assert status["at_hub"]["subscriptions"][0]["reason"] == "left"


def test_the_catalogue_and_status_tell_who_one_is(aurora: tuple[Machine, str], cobalt: Machine) -> None:
    _, name = aurora
    [row] = [row for row in cobalt.run("lists")["lists"] if row["name"] == name]
    assert row["subscription"]["state"] == "active"
    status = cobalt.run("status")
    assert status["at_hub"]["caller"]["via"] == "token"
    assert status["at_hub"]["subscriptions"][0]["list"] == name
    answer = cobalt.run("request", "POST", "access-keys", "--data", '{"name": "curl", "days": 90}')
    assert answer["body"]["key"].startswith("hsk_")

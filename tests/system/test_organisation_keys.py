"""An organisation's keys with real programs and a real hub: rotated, added, revoked; what the doctor says of them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from tests.system.hub import RunningHub
from tests.system.machines import Machine, enrolled


def ill(machine: Machine, *, exit_code: int) -> set[str]:
    """The checks that found something bad."""
    found = machine.run("doctor", exit_code=exit_code)["findings"]
    return {row["check"] for row in found if row["state"] == "bad"}


def keys_of(machine: Machine) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in machine.run("key", "list")["keys"]}


def test_a_machine_changes_its_key_and_shuts_another_out(running_hub: RunningHub, tmp_path: Path) -> None:
    first = enrolled(running_hub, tmp_path / "first", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    old = first.run("key", "list")["this_machine"]
    first.run("sync")
    done = first.run("key", "rotate", "--name", "sync-01")
    assert (done["old"], done["old_told_to_end"]) == (old, True)
    assert first.run("key", "list")["this_machine"] == done["key"] != old
    first.run("sync")
    assert ill(first, exit_code=0) == set()

    made = first.run("key", "add", "sync-02")
    second = Machine(tmp_path / "second")
    second.run("enroll", running_hub.url, made["code"])
    assert {row["name"] for row in keys_of(second).values() if row["state"] == "active"} >= {"sync-01", "sync-02"}

    gone = first.run("key", "revoke", "sync-02", "--yes")
    assert gone["key"]["state"] == "revoked"
    second.run("sync", exit_code=3)
    assert ill(second, exit_code=3) == {"account"}
    first.run("key", "revoke", old, "--yes")
    refused = first.run("key", "revoke", done["key"], "--yes", exit_code=6)
    assert refused["error"]["type"] == "last-key"
    first.run("sync")

"""The sandbox on a real hub: made by one command, taken at once, scanned with its own files, changed every night."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.system.hub import ROOT, RunningHub, StartHub, clean_environment
from tests.system.machines import Machine, enrolled


@pytest.fixture
def hub(start_hub: StartHub) -> RunningHub:
    return start_hub(HASHSHARE_NAME="North Hub")


def matches(cobalt: Machine, folder: Path) -> set[str]:
    """Files under `folder` that are on the list, by folder and name."""
    found: Any = cobalt.run("scan", folder)["matches"]
    return {"/".join(Path(match["path"]).parts[-2:]) for match in found}


def night(hub: RunningHub) -> str:
    """The nightly job, a day after the last release, in a process like a worker's."""
    code = (
        "from datetime import timedelta; from django.utils import timezone;"
        "from hashshare.services.sandbox import publish_sandbox;"
        "print(publish_sandbox(now=timezone.now() + timedelta(days=1)))"
    )
    return hub.manage("shell", "-v", "0", "-c", code).stdout.strip()


def test_a_member_integrates_against_it(hub: RunningHub, tmp_path: Path) -> None:
    told = hub.manage("sandbox").stdout
    assert told.startswith("sandbox.north-hub/sandbox v1: 200 synthetic entries")
    assert hub.manage("sandbox").stdout == told  # once more changes nothing

    cobalt = enrolled(hub, tmp_path / "cobalt", kind="member", name="Cobalt")
    asked = cobalt.run("subscribe", "sandbox.north-hub/sandbox", "--accept-terms")
    assert asked["subscription"]["state"] == "active"
    [synced] = cobalt.run("sync")["lists"]
    assert (synced["version"], synced["entries"]) == (1, 200)

    archive = tmp_path / "sandbox.zip"
    archive.write_bytes(fetched_zip(cobalt))
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    folder = tmp_path / "hashshare-sandbox"
    first = matches(cobalt, folder)
    assert {name.split("/")[0] for name in first} == {"listed", "withdrawn"}
    assert len(first) == 32 + 8

    assert [night(hub), night(hub)] == ["True", "True"]
    [synced] = cobalt.run("sync")["lists"]
    assert (synced["version"], synced["upserts"], synced["withdrawals"]) == (3, 10, 4)
    then = matches(cobalt, folder)
    assert len(then) == 32 + 4 + 10
    assert len({name for name in then if name.startswith("arriving/")}) == 10
    assert not any(name.startswith("never-listed/") for name in then)


def test_it_says_what_to_do_when_its_keys_are_elsewhere(hub: RunningHub) -> None:
    hub.manage("sandbox")
    (hub.data / "sandbox").rename(hub.data / "gone")
    assert night(hub) == "False"
    refused = hub.manage("sandbox", check=False)
    assert "manage.py sandbox --anew" in refused.stderr
    assert "sandbox-2.north-hub/sandbox v1" in hub.manage("sandbox", "--anew").stdout


def fetched_zip(cobalt: Machine) -> bytes:
    """As a terminal's `>` would have it."""
    return subprocess.run(
        [sys.executable, "-m", "hashshare", "request", "GET", "sandbox/files"],
        cwd=ROOT, env=clean_environment(HASHSHARE_HOME=str(cobalt.home)), capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip

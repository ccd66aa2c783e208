"""A hub whose objects lie in a bucket of a real S3 server: published, verified, synced, and no secret astray."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import requests

from tests.storage.conftest import s3_server
from tests.storage.s3 import RunningS3
from tests.storage.s3_server import KEY_ID
from tests.system.hub import ROOT, RunningHub, StartHub, clean_environment
from tests.system.machines import Machine, enrolled, make_list, random_csv

__all__ = ["s3_server"]

LIST = "aurora.example/images"
ROWS = 20_000


def test_it_publishes_and_syncs_by_way_of_a_bucket(s3_server: RunningS3, start_hub: StartHub, tmp_path: Path) -> None:
    settings = s3_server.environment()
    hub = start_hub(**settings)
    aurora = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    cobalt = enrolled(hub, tmp_path / "cobalt", kind="member", name="Cobalt")
    make_list(aurora, LIST)
    aurora.run("publish", LIST, random_csv(tmp_path / "first.csv", ROWS))
    cobalt.run("subscribe", LIST, "--accept-terms")
    aurora.run("grant", LIST, "cobalt", "--until", "2099-01-01")

    before = len(s3_server.requests())
    assert cobalt.run("sync")["lists"][0]["entries"] == ROWS
    sent = s3_server.requests(after=before)
    # The member's own requests; the hub fetches nothing that it has a copy of.
    fetched = [line for line in sent if line["path"].endswith(".parquet") and line["method"] == "GET"]
    assert [line["code"] for line in fetched] == ["OK"]
    assert all("authorization" not in line["headers"] and "cookie" not in line["headers"] for line in fetched)
    assert all(line["code"] == "OK" for line in sent)

    aurora.run("publish", LIST, random_csv(tmp_path / "more.csv", 100), "--changes")
    assert cobalt.run("sync")["lists"][0]["entries"] == ROWS + 100
    assert cobalt.run("verify")

    assert not list((hub.data / "objects").rglob("*.parquet"))
    assert_a_client_of_ones_own_fetches_it(hub, aurora, cobalt, tmp_path)
    assert_no_secret_astray(hub, s3_server)


def assert_a_client_of_ones_own_fetches_it(hub: RunningHub, aurora: Machine, cobalt: Machine, folder: Path) -> None:
    """The documentation's example, and curl's way: follow the redirect without the key."""
    answer = cobalt.run("request", "POST", "access-keys", "--data", '{"name": "tuf", "days": 1}')
    key = answer["body"]["key"]
    list_id = cobalt.run("request", "GET", f"lists/{LIST}")["body"]["id"]
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(ROOT / "docs" / "examples" / "fetch_with_tuf.py", elsewhere)
    shutil.copy(aurora.home / "publishers" / "aurora.example" / "root.json", elsewhere)
    done = subprocess.run(
        [sys.executable, "-P", "fetch_with_tuf.py", hub.url, "aurora.example", list_id, "root.json", "out"],
        cwd=elsewhere, env=clean_environment(HASHSHARE_ACCESS_KEY=key),
        text=True, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (shard,) = [elsewhere / line for line in done.stdout.splitlines() if "base" in line and line.endswith(".parquet")]
    digest = hashlib.sha256(shard.read_bytes()).hexdigest()
    targets = f"{hub.url}/api/v1/tuf/aurora.example/targets"
    followed = requests.get(
        f"{targets}/{list_id}/{digest}.base-1-0000.parquet", headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    assert (followed.status_code, followed.history[0].status_code) == (200, 307)
    assert hashlib.sha256(followed.content).hexdigest() == digest


def assert_no_secret_astray(hub: RunningHub, server: RunningS3) -> None:
    """Not in what the hub prints, not in the arguments of its programs, not in its database or files."""
    said = hub.output()
    for secret in (server.secret, KEY_ID, "X-Amz-Signature"):
        assert secret not in said
    for pid in hub.pids().values():
        assert server.secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    for path in hub.data.rglob("*"):
        if path.is_file() and not path.is_socket():
            assert server.secret.encode() not in path.read_bytes(), path

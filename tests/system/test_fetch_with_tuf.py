"""docs/examples/fetch_with_tuf.py as the documentation tells it: TUF's own client, an access key, the root file."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from tuf.api.metadata import Metadata, Root

from hashshare.wire import keys
from tests.system.hub import ROOT, RunningHub, clean_environment
from tests.system.machines import enrolled, make_list, random_csv

EXAMPLE = ROOT / "docs" / "examples" / "fetch_with_tuf.py"


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody with the program, the publisher's root file and a key, in a folder away from this tree."""

    hub: str
    publisher: str
    list_id: str
    folder: Path
    key: str

    def fetch(self, out: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the example; its files land in the folder `out`."""
        said = {"hub": self.hub, "publisher": self.publisher, "list_id": self.list_id, "root": "root.json"} | changes
        key = said.pop("key", self.key)
        return subprocess.run(
            [sys.executable, "-P", "fetch_with_tuf.py", *said.values(), out],
            cwd=self.folder, env=clean_environment(HASHSHARE_ACCESS_KEY=key),
            text=True, capture_output=True, check=False, timeout=120,
        )  # fmt: skip


@pytest.fixture(scope="module")
def outsider(running_hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Outsider:
    """Entitled to a list of Aurora's: 500 entries at version 1, 20 more at version 2."""
    domain = f"aurora-{secrets.token_hex(4)}.example"
    name, homes, folder = f"{domain}/images", tmp_path_factory.mktemp("homes"), tmp_path_factory.mktemp("elsewhere")
    machine = enrolled(running_hub, homes / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain)
    make_list(machine, name)
    machine.run("publish", name, random_csv(homes / "list.csv", 500))
    machine.run("publish", name, random_csv(homes / "more.csv", 20), "--changes")
    member = enrolled(running_hub, homes / "cobalt", kind="member", name=f"Cobalt {domain}")
    member.run("subscribe", name, "--accept-terms")
    [row] = machine.run("requests", name)["subscriptions"]
    machine.run("grant", name, row["organisation"]["slug"], "--until", "2999-12-31")
    answer = member.run("request", "POST", "access-keys", "--data", '{"name": "tuf", "days": 1}')
    list_id = member.run("request", "GET", f"lists/{name}")["body"]["id"]
    shutil.copy(EXAMPLE, folder)
    shutil.copy(machine.home / "publishers" / domain / "root.json", folder)
    return Outsider(running_hub.url, domain, list_id, folder, answer["body"]["key"])


def test_it_fetches_and_verifies_a_list(outsider: Outsider) -> None:
    done = outsider.fetch("out")
    assert done.returncode == 0, done.stderr
    files = [outsider.folder / line for line in done.stdout.splitlines()]
    assert [path.suffix for path in files] == [".json", ".json", ".parquet", ".parquet"]
    assert [duckdb.read_parquet(str(path)).count("*").fetchall() for path in files[2:]] == [[(500,)], [(20,)]]


def test_it_fetches_again_over_what_it_has(outsider: Outsider) -> None:
    assert outsider.fetch("out").stdout == outsider.fetch("out").stdout != ""


def test_it_keeps_no_segment_that_was_tampered_with(running_hub: RunningHub, outsider: Outsider) -> None:
    first = outsider.fetch("first")
    honest = (outsider.folder / first.stdout.splitlines()[-1]).read_bytes()
    digest = hashlib.sha256(honest).hexdigest()
    [stored] = [path for path in running_hub.data.rglob(f"*{digest}*") if path.is_file()]
    stored.chmod(0o600)
    stored.write_bytes(honest[:-9] + secrets.token_bytes(9))
    done = outsider.fetch("again")
    stored.write_bytes(honest)
    assert done.returncode != 0
    assert "LengthOrHashMismatchError" in done.stderr
    assert not [path for path in (outsider.folder / "again").rglob("*") if digest in path.name]


def test_it_gets_nothing_with_a_wrong_key(outsider: Outsider) -> None:
    assert "DownloadHTTPError" in outsider.fetch("refused", key="hsk_wrong").stderr
    assert not list((outsider.folder / "refused").rglob("*.parquet"))


def test_it_gets_nothing_under_a_root_that_is_not_the_publishers(outsider: Outsider) -> None:
    """A hub's own signatures don't help it: these are a stranger's officers, with the very same hub keys."""
    root: Metadata[Root] = Metadata.from_file(str(outsider.folder / "root.json"))
    stranger = keys.tuf_signer(keys.generate())
    for role in ("root", "targets"):
        for key_id in list(root.signed.roles[role].keyids):
            root.signed.revoke_key(key_id, role)
        root.signed.add_key(stranger.public_key, role)
        root.signed.roles[role].threshold = 1
    root.sign(stranger)
    root.to_file(str(outsider.folder / "stranger.json"))
    done = outsider.fetch("strange", root="stranger.json")
    assert done.returncode != 0
    assert "UnsignedMetadataError" in done.stderr
    assert not list((outsider.folder / "strange").rglob("*.parquet"))

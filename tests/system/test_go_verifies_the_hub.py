"""Go's own packages verify the logs of a running hub, and notice what its operator does to them in the database."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from hashshare.wire.log import Opening, entry_of, verifier_key
from tests.system.go import GoVerifier
from tests.system.hub import ROOT, Hubs, RunningHub, wait_for
from tests.system.machines import Machine, enrolled, make_list, random_csv

NAME = "aurora.example/images"

FLIPPED = """
from hashshare.models import LogTile
tile = LogTile.objects.get(log__kind="{kind}", level={level}, index=0)
body = bytearray(tile.body)
body[{at}] ^= 1
LogTile.objects.filter(pk=tile.pk).update(body=bytes(body))
"""

PUBLISHED = """
from datetime import timedelta
from django.utils import timezone
from hashshare.services.sealing import publish_checkpoints
print(publish_checkpoints(now=timezone.now() + timedelta(hours=1)))
"""

REWRITTEN = """
from django.utils import timezone
from hashshare.models import Log, LogTile
from hashshare.selectors.logs import tile_reader
from hashshare.services.sealing import grow, publish
from hashshare.wire.log import EMPTY_ROOT, publication_entry, read_entries
log = Log.objects.get(kind="publication")
entries = read_entries(tile_reader(log)(-1, 0, log.size))
entries[0] = publication_entry(b"a root that was never there")
LogTile.objects.filter(log=log).delete()
log.size, log.root = 0, EMPTY_ROOT
grow(log, entries, timezone.now())
publish(log, timezone.now())
"""
"""What only the operator can do: another history, whole and signed with the log's own key."""


@pytest.fixture(scope="module")
def hub() -> Iterator[RunningHub]:
    hubs = Hubs()
    try:
        yield hubs.start(HASHSHARE_TIMETABLE="seal_logs=5")
    finally:
        hubs.stop_all()


@pytest.fixture(scope="module")
def member(hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Holds the second version of a list of Aurora's."""
    folder = tmp_path_factory.mktemp("homes")
    aurora = enrolled(hub, folder / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    make_list(aurora, NAME)
    aurora.run("publish", NAME, random_csv(folder / "list.csv", 20))
    cobalt = enrolled(hub, folder / "cobalt", kind="member", name="Cobalt")
    cobalt.run("subscribe", NAME, "--accept-terms")
    [row] = aurora.run("requests", NAME)["subscriptions"]
    aurora.run("grant", NAME, row["organisation"]["slug"], "--until", "2999-12-31")
    cobalt.run("sync")
    aurora.run("publish", NAME, random_csv(folder / "more.csv", 5), "--changes")
    cobalt.run("sync")
    return cobalt


def address(hub: RunningHub, name: str) -> str:
    return f"{hub.url}/log/{name}"


def key_of(hub: RunningHub, name: str) -> str:
    """The verifier key, from what the hub says of itself to anybody."""
    with urlopen(f"{hub.url}/.well-known/hashshare", timeout=30) as answer:
        public = base64.b64decode(json.load(answer)["log_key"])
    return verifier_key(f"{hub.url.partition('://')[2]}/log/{name}", public)


def checkpoint(hub: RunningHub, name: str) -> str:
    with urlopen(f"{address(hub, name)}/checkpoint", timeout=30) as answer:
        return str(answer.read().decode())


def size_of(hub: RunningHub, name: str) -> int:
    return int(checkpoint(hub, name).splitlines()[1])


@pytest.mark.slow
def test_its_publication_log(go: GoVerifier, hub: RunningHub, member: Machine, tmp_path: Path) -> None:
    """Sealed by the hub's own worker; then a byte is flipped in a tile, then history is rewritten and signed anew."""
    key, url, kept = key_of(hub, "publication"), address(hub, "publication"), tmp_path / "kept"
    wait_for("root, targets and two releases to be sealed", lambda: size_of(hub, "publication") >= 4, seconds=120)
    assert f"size {size_of(hub, 'publication')}" in go.accepts("-key", key, url)
    kept.write_text(checkpoint(hub, "publication"))
    go.accepts("-key", key, "-old", str(kept), url)

    for level, at in ((0, 40), (-1, 60)):
        flip = FLIPPED.format(kind="publication", level=level, at=at)
        hub.manage("shell", "-c", flip)
        go.refuses("-key", key, url)
        hub.manage("shell", "-c", flip)
    go.accepts("-key", key, url)

    hub.manage("shell", "-c", REWRITTEN)
    go.accepts("-key", key, url)
    assert "does not extend" in go.refuses("-key", key, "-old", str(kept), url)


@pytest.mark.slow
def test_its_delivery_log_and_a_receipt(go: GoVerifier, hub: RunningHub, member: Machine, tmp_path: Path) -> None:
    """The public sees whole tiles; the member proves its own leaf."""
    name = "aurora.example"
    key, kept, receipt = key_of(hub, name), tmp_path / "kept", tmp_path / "receipt"
    kept.write_text(checkpoint(hub, name))
    before = size_of(hub, name)
    hub.manage("shell", "-c", PUBLISHED)
    size = size_of(hub, name)
    assert size % 256 == 0
    assert size > before
    told = go.accepts("-key", key, "-old", str(kept), address(hub, name))
    assert f"{size} entries, extends size {before}" in told

    member.run("receipts")
    [file] = (member.home / "receipts").glob("*.ndjson")
    found = [json.loads(line) for line in file.read_text().splitlines()]
    kinds = [json.loads(row["row"])["kind"] for row in found]
    assert kinds.count("delivery") == kinds.count("acknowledgement") == 2
    for row in found:
        opening = Opening(base64.b64decode(row["nonce"]), row["row"])
        receipt.write_text(row["receipt"])
        told = go.accepts("-key", key, "-receipt", str(receipt), "-entry", entry_of(opening).hex())
        assert f"leaf {row['index']} of {size}" in told
    member.run("receipts", name + "/images", "--export", str(tmp_path / "out"))
    files = sorted(map(str, (tmp_path / "out").glob("*.tlog-proof")))
    words = [sys.executable, "-P", str(ROOT / "docs" / "examples" / "verify_receipts.py"), key, *files]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.splitlines()) == len(found)

    hub.manage("shell", "-c", FLIPPED.format(kind="delivery", level=0, at=8_000))
    go.refuses("-key", key, address(hub, name))

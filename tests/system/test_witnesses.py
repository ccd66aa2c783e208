"""Real hubs South and East that witness one another, and North, which shows each of them another history of its log and
later another root of Aurora. What North did is named at South, with evidence that needs nobody's word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import requests

from hashshare.wire import keys
from hashshare.wire.fingerprints import spoken_lines
from hashshare.wire.log import Cosigner, Verifier, cosignatures, open_checkpoint, publication_entry, verifier_key
from hashshare.wire.log.notes import decode_base64
from tests.federation.builders import Hub
from tests.federation.builders_witness import HubLog, PublicHub, serving
from tests.system.go import GoVerifier
from tests.system.hub import Hubs, RunningHub, wait_for

pytestmark = pytest.mark.slow
AURORA = "aurora.example"
WATCH = "from django.utils import timezone; from federation.services.watching import watch_peers; watch_peers(now="
MIRROR = """
import sys
from datetime import timedelta
from hashlib import sha256
from django.utils import timezone
from federation.models import MirroredPublisher, Peer
from hashshare.models import Metadata, Organisation, Publisher
body = open({path!r}, "rb").read()
digest, peer, now = sha256(body).hexdigest(), Peer.objects.get(name={peer!r}), timezone.now()
hotline = Organisation.objects.create(slug="aurora", name="Aurora", kind="hotline", country="SE", state="mirrored")
publisher = Publisher.objects.create(
    organisation=hotline, domain="aurora.example", root_fingerprint=digest, mirrored_from=peer.organisation
)
MirroredPublisher.objects.create(publisher=publisher, peer=peer, root=digest)
Metadata.objects.create(
    publisher=publisher, role="root", version=1, body=body, sha256=digest, expires_at=now + timedelta(days=90)
)
"""


@pytest.fixture(scope="module")
def hubs() -> Iterator[Hubs]:
    started = Hubs()
    yield started
    started.stop_all()


def watch(hub: RunningHub) -> list[dict[str, Any]]:
    """As its timetable does every ten minutes; what it has found by then."""
    hub.manage("shell", "-c", f"{WATCH}timezone.now())")
    found: list[dict[str, Any]] = json.loads(hub.manage("findings", "list", "--json").stdout)["findings"]
    return found


SHOWN = """
from datetime import timedelta
from django.utils import timezone
from hashshare.services.sealing import publish_checkpoints, seal_logs
seal_logs(now=timezone.now())
publish_checkpoints(now=timezone.now() + timedelta(hours=1))
"""
"""What the public is shown in an hour."""


def descriptor(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/.well-known/hashshare", timeout=30) as answer:
        said: dict[str, Any] = json.loads(answer.read())
    return said


def make_peers(here: RunningHub, url: str, fingerprint: Sequence[str]) -> None:
    here.manage("peer", "introduce", url)
    here.manage("peer", "accept", url.partition("//")[2], *" ".join(fingerprint).split(), "--country", "SE")


def own_fingerprint(hub: RunningHub) -> Sequence[str]:
    document = json.loads(hub.manage("peer", "fingerprint", "--json").stdout)
    return spoken_lines(document["fingerprint"])


def test_a_hub_that_shows_two_histories_and_replaces_a_root_is_named(
    hubs: Hubs, go: GoVerifier, tmp_path: Path
) -> None:
    south, east = (hubs.start(HASHSHARE_TIMETABLE="have_cosigned=2") for _ in range(2))
    make_peers(south, east.url, own_fingerprint(east))
    make_peers(east, south.url, own_fingerprint(south))

    # South's public log is cosigned by East, and Go verifies both signatures.
    said, witness = descriptor(south.url), descriptor(east.url)
    cosigner = Cosigner(f"{witness['hub']}/witness", decode_base64(witness["witness_key"], what="key"))
    log = f"{south.url}/log/publication"
    south.manage("shell", "-c", SHOWN)
    note = wait_for("East's cosignature", lambda: cosigned_by(log, cosigner), seconds=120)
    verifier = Verifier(f"{said['hub']}/log/publication", decode_base64(said["log_key"], what="key"))
    assert open_checkpoint(note, verifier, origin=verifier.name).size > 0
    told = go.accepts("-key", verifier_key(verifier.name, verifier.public), "-witness", cosigner.to_text(), log)
    assert f"cosigned by {cosigner.name}" in told

    north = PublicHub(Hub("", "SE", "North", ""))
    with serving(north) as url:
        north.hub.name, north.hub.url = url.partition("//")[2], url
        north.files["/.well-known/hashshare"] = json.dumps(north.hub.document()).encode()
        for hub in (south, east):
            make_peers(hub, url, spoken_lines(north.hub.descriptor.fingerprint))
        split_view(south, east, north, go, tmp_path)
        replaced_root(south, north, tmp_path)


def split_view(south: RunningHub, east: RunningHub, north: PublicHub, go: GoVerifier, tmp_path: Path) -> None:
    """Each witness alone cosigns what it is shown, and is right to; together they know."""
    root = b'{"of": "aurora"}'
    one = HubLog(north.hub).grow(290).add([publication_entry(root)]).grow(9)
    other = one.fork(200, to=295)
    for hub, shown in ((south, one), (east, other)):
        body = shown.ask(0).to_text().encode()
        assert requests.post(f"{hub.url}/witness/add-checkpoint", body, timeout=60).status_code == 200
    contradicts = other.fork(295, to=320).ask(300).to_text().encode()
    refused = requests.post(f"{south.url}/witness/add-checkpoint", contradicts, timeout=60)
    assert refused.status_code == 422

    north.show(one)
    found, (at_east,) = watch(south), watch(east)
    assert {(row["kind"], row["subject"], row["peer"]) for row in (*found, at_east)} == {
        ("split_view", one.origin, north.hub.name)
    }
    folder = tmp_path / "evidence"
    south.manage("findings", "export", found[0]["id"], str(folder))
    verifier = Verifier(one.origin, keys.public_bytes(north.hub.log))
    notes = [path.read_text() for path in folder.glob("*.txt")]
    roots = {open_checkpoint(note, verifier, origin=one.origin).root for note in notes}
    assert roots >= {one.checkpoint().root, other.checkpoint().root}, "both signed by North's own key"
    south.manage("findings", "settle", found[0]["id"], "--reason", "North has explained itself.")


def replaced_root(south: RunningHub, north: PublicHub, tmp_path: Path) -> None:
    """South mirrors Aurora from North, which one day serves another root, and says nothing of it."""
    path, address = tmp_path / "1.root.json", f"/api/v1/tuf/{AURORA}/metadata/1.root.json"
    path.write_bytes(b'{"of": "aurora"}')
    path.chmod(0o644)
    north.files[address] = path.read_bytes()
    south.manage("shell", "-c", MIRROR.format(path=str(path), peer=north.hub.name))
    kinds = {row["kind"] for row in watch(south)}
    assert "root_replaced" not in kinds, "the root it began with is in North's public log"
    north.files[address] = b'{"of": "somebody else"}'
    (named,) = [row for row in watch(south) if row["kind"] == "root_replaced"]
    assert (named["subject"], named["peer"]) == (AURORA, north.hub.name)
    assert [document["text"] for document in named["documents"]] == ['{"of": "aurora"}', '{"of": "somebody else"}']


def cosigned_by(log: str, cosigner: Cosigner) -> str:
    """The public checkpoint once it has the cosignature."""
    with urlopen(f"{log}/checkpoint", timeout=30) as answer:
        note = str(answer.read().decode())
    return note if cosignatures(note, [cosigner]) else ""

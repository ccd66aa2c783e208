"""This hub's public checkpoints go to every peer for a cosignature, and are shown with what came back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.models import Cosigning, Peer
from federation.services.cosigning import have_cosigned
from hashshare.log_keys import log_key
from hashshare.models import Log
from hashshare.services.cosigning import keep_cosignatures
from hashshare.services.logs import log_of_publications, sign_logs_anew
from hashshare.services.sealing import publish_checkpoints, seal_logs
from hashshare.services.successions import supersede_logs
from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, WrongProof
from hashshare.wire.log import Cosigner, Verifier, cosign, cosignatures, open_checkpoint
from hashshare.wire.log.notes import read_note
from tests import logs
from tests.api.parties import CLIENT
from tests.builders import now, publisher
from tests.federation.builders_witness import PublicHub
from tests.federation.conftest import Showing

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def log(db: None) -> Log:
    """The publication log with three leaves that the public is shown."""
    made = log_of_publications(now=now())
    logs.leaves(made, 3)
    seal_logs(now=now())
    return Log.objects.get(pk=made.pk)


def grown(log: Log, count: int = 2) -> Log:
    logs.leaves(log, count)
    seal_logs(now=now())
    return Log.objects.get(pk=log.pk)


def shown() -> str:
    return str(CLIENT.get("/log/publication/checkpoint", SERVER_NAME="127.0.0.1").content.decode())


def listed() -> list[str]:
    answer: Any = CLIENT.get("/log/publication/cosigned", SERVER_NAME="127.0.0.1").json()
    return list(answer["checkpoints"])


def by(note: str, *hubs: PublicHub) -> list[str]:
    """Whose verified cosignatures are under it."""
    return [made.cosigner.name for made in cosignatures(note, [hub.cosigner for hub in hubs])]


def test_each_peer_cosigns_and_the_public_sees_it(log: Log, showing: Showing) -> None:
    south, east = showing("south.example"), showing("east.example")
    assert have_cosigned(now=now()) == 2
    assert by(shown(), south, east) == ["east.example/witness", "south.example/witness"]
    assert open_checkpoint(shown(), Verifier(log.origin, log_key().public), origin=log.origin).size == 3
    assert listed() == [shown()]


def test_a_newer_checkpoint_does_not_take_cosignatures_of_the_older(log: Log, showing: Showing) -> None:
    south = showing("south.example")
    have_cosigned(now=now())
    older = shown()
    log = grown(log)
    assert shown() == log.public_checkpoint
    assert listed() == [older], "the older one is still to be had, as a whole"
    have_cosigned(now=now())
    assert by(shown(), south) == ["south.example/witness"]
    assert read_note(shown())[0].split("\n")[1] == "5"
    assert listed() == [shown()]


def test_an_older_one_stays_for_whom_a_witness_of_it_is_missing(log: Log, showing: Showing) -> None:
    south, east = showing("south.example"), showing("east.example")
    have_cosigned(now=now())
    both = shown()
    grown(log)
    east.faults["/witness"] = (503, b"{}")
    have_cosigned(now=now())
    assert by(shown(), south, east) == ["south.example/witness"]
    assert listed() == [shown(), both]
    east.faults.clear()
    have_cosigned(now=now() + HOUR)
    assert listed() == [shown()]
    assert by(shown(), south, east) == ["south.example/witness", "east.example/witness"]


def test_it_is_asked_once_and_again_after_an_hour(log: Log, showing: Showing) -> None:
    south = showing("south.example")
    at = now()
    assert [have_cosigned(now=at + n * timedelta(minutes=1)) for n in range(3)] == [1, 0, 0]
    assert len(south.asked) == 1
    south.at = int((at + HOUR).timestamp())
    assert have_cosigned(now=at + HOUR) == 1
    assert [made.at for made in cosignatures(shown(), [south.cosigner])] == [south.at]


def test_it_goes_on_from_the_size_that_the_witness_tells(log: Log, showing: Showing) -> None:
    """As after a restore of the witness's row here, or of the witness."""
    south = showing("south.example")
    have_cosigned(now=now())
    grown(log, 500)
    Cosigning.objects.update(size=0, checkpoint="")
    assert have_cosigned(now=now()) == 1
    grown(log, 500)
    south.known.clear()
    assert have_cosigned(now=now()) == 1
    assert by(shown(), south) == ["south.example/witness"]


def test_a_peer_that_fails_keeps_no_other_from_cosigning(log: Log, showing: Showing) -> None:
    bad = {name: showing(f"{name}.example") for name in ("angry", "empty", "false", "long", "other", "down")}
    bad["angry"].faults["/witness"] = (403, b"{}")
    bad["empty"].faults["/witness"] = (200, b"")
    stranger = cosign(read_note(log.public_checkpoint)[0], name="x.example", key=keys.generate(), at=1).line
    bad["other"].faults["/witness"] = (200, stranger.encode())
    bad["long"].faults["/witness"] = (200, stranger.encode() * 1000)
    line = bad["false"].cosign(log.public_checkpoint.replace("\n3\n", "\n4\n"))
    bad["false"].faults["/witness"] = (200, line.encode())
    Peer.objects.filter(name="down.example").update(url="http://127.0.0.1:9")
    south = showing("south.example")
    assert have_cosigned(now=now()) == 1
    assert by(shown(), south, *bad.values()) == ["south.example/witness"]
    troubles = {row.witness.partition("/")[0]: row.trouble for row in Cosigning.objects.exclude(trouble__isnull=True)}
    assert set(troubles) == {f"{name}.example" for name in bad}
    assert {name for name, trouble in troubles.items() if trouble and trouble["out_of_reach"]} == {"down.example"}


def test_one_out_of_reach_is_left_alone_for_a_while(log: Log, showing: Showing) -> None:
    south = showing("south.example")
    south.faults["/witness"] = (500, b"")
    at = now()
    for minute in range(4):
        have_cosigned(now=at + timedelta(minutes=minute))
    assert len(south.asked) == 1
    south.faults.clear()
    assert have_cosigned(now=at + timedelta(minutes=11)) == 1


def test_a_witness_that_saw_another_history_does_not_cosign(log: Log, showing: Showing) -> None:
    """It says 409 with this very size, or one beyond what the public is shown."""
    south = showing("south.example")
    have_cosigned(now=now())
    Log.objects.update(cosigned=[])
    Cosigning.objects.update(checkpoint="")
    for size in (b"3\n", b"4\n", b"no"):
        south.faults["/witness"] = (409, size)
        assert have_cosigned(now=now()) == 0
        trouble = Cosigning.objects.get().trouble
        assert trouble is not None and trouble["status"] == 409
    assert shown() == log.public_checkpoint


def test_only_active_peers_are_asked(log: Log, showing: Showing) -> None:
    south = showing("south.example")
    Peer.objects.update(state=Peer.State.SUSPENDED)
    assert have_cosigned(now=now()) == 0
    assert south.asked == []


def test_other_witnesses_can_be_named(log: Log, showing: Showing, settings: Any) -> None:
    """An independent one, which is no hub: lines of tlog-policy."""
    free = showing("free.example")
    Peer.objects.update(state=Peer.State.ENDED)
    settings.HASHSHARE_WITNESSES = f"# ours\nwitness free {free.cosigner.to_text()} {free.hub.url}/witness"
    assert have_cosigned(now=now()) == 1
    assert by(shown(), free) == ["free.example/witness"]


def test_delivery_logs_are_cosigned_when_they_are_shown(log: Log, showing: Showing, settings: Any) -> None:
    south = showing("south.example")
    settings.HASHSHARE_OBJECTS = Path(settings.HASHSHARE_DATA) / "objects"
    publisher("Aurora", "aurora.example")
    publish_checkpoints(now=now() + HOUR)
    have_cosigned(now=now())
    note = CLIENT.get("/log/aurora.example/checkpoint", SERVER_NAME="127.0.0.1").content.decode()
    assert by(note, south) == ["south.example/witness"]
    assert "\n256\n" in note


def test_what_was_cosigned_goes_with_the_name_and_the_key(log: Log, showing: Showing) -> None:
    """A log that is superseded, and one that is signed anew, begin without cosignatures."""
    south = showing("south.example")
    have_cosigned(now=now())
    before = shown()
    supersede_logs(now=now())
    assert listed() == []
    assert shown() == before, "the old name is shown as it was last shown, cosignatures too"
    assert have_cosigned(now=now()) == 1
    after = CLIENT.get("/log/publication/2/checkpoint", SERVER_NAME="127.0.0.1").content.decode()
    assert by(after, south) == ["south.example/witness"]
    sign_logs_anew()
    assert listed() == []


def test_nothing_false_is_kept(log: Log) -> None:
    key = keys.generate()
    witness = Cosigner("w.example", keys.public_bytes(key))
    text = read_note(log.public_checkpoint)[0]
    right = cosign(text, name="w.example", key=key, at=int(now().timestamp())).line
    wrong = cosign(text.replace("\n3\n", "\n2\n"), name="w.example", key=key, at=1).line
    keep = {"log_id": log.pk, "by": [witness], "now": now()}
    with pytest.raises(BadSignature):
        keep_cosignatures(checkpoint=log.public_checkpoint, lines=[wrong], **keep)
    with pytest.raises(BadSignature):
        keep_cosignatures(checkpoint=log.public_checkpoint.replace("\n3\n", "\n2\n"), lines=[right], **keep)
    assert keep_cosignatures(checkpoint=log.public_checkpoint, lines=[], **keep) == 0
    Log.objects.update(public_size=2)
    with pytest.raises(WrongProof):
        keep_cosignatures(checkpoint=log.public_checkpoint, lines=[right], **keep)
    Log.objects.update(public_size=3)
    assert keep_cosignatures(checkpoint=log.public_checkpoint, lines=[right], **keep) == 1

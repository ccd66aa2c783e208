"""This hub as a witness, over HTTP: every answer of the specification, and never a cosignature of two histories."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from federation.models import Finding, Peer, WitnessedLog
from federation.selectors.witness import own_cosigner
from hashshare.models import Restoration
from hashshare.wire import keys
from hashshare.wire.log import cosignatures, sign_checkpoint
from hashshare.wire.log.cosignatures import COSIGNATURE, cosign
from hashshare.wire.log.witnessing import MAX_REQUEST, AddCheckpoint
from tests.admin.cast import person
from tests.api.parties import CLIENT
from tests.builders import now
from tests.federation.builders import Hub, hub, introduced, north, south
from tests.federation.builders_witness import HubLog

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> HubLog:
    return HubLog(north()).grow(300)


@pytest.fixture
def operator_address() -> str:
    return str(person("operator").email)


def post(body: bytes | AddCheckpoint) -> Any:
    raw = body.to_text().encode() if isinstance(body, AddCheckpoint) else body
    return CLIENT.post("/witness/add-checkpoint", raw, content_type="text/plain", SERVER_NAME="127.0.0.1")


def cosigned(note: str, answer: Any) -> int:
    """The time of this hub's cosignature in the answer, verified."""
    assert answer.status_code == 200, answer.content
    (found,) = cosignatures(note + answer.content.decode(), [own_cosigner()])
    return found.at


def told(answer: Any) -> int:
    """The size in a 409."""
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "text/x.tlog.size"
    return int(answer.content.decode().removesuffix("\n"))


def test_it_cosigns_a_log_as_it_grows(log: HubLog) -> None:
    before = int(now().timestamp())
    for old, size in ((0, 1), (1, 1), (1, 200), (200, 256), (256, 300)):
        answer = post(log.ask(old, size))
        assert before <= cosigned(log.note(size), answer) <= int(now().timestamp())
        assert answer.content.decode().startswith("\u2014 127.0.0.1:8000/witness ")
    row = WitnessedLog.objects.get()
    assert (row.origin, row.size, bytes(row.root)) == (log.origin, 300, log.checkpoint().root)


def test_it_cosigns_an_empty_log(log: HubLog) -> None:
    cosigned(log.note(0), post(log.ask(0, 0)))
    cosigned(log.note(300), post(log.ask(0, 300)))


def test_it_says_which_size_it_knows(log: HubLog) -> None:
    assert told(post(log.ask(5, 300))) == 0
    cosigned(log.note(256), post(log.ask(0, 256)))
    for old in (0, 1, 255):
        assert told(post(log.ask(old, 300))) == 256
    assert told(post(log.ask(257, 300))) == 256
    cosigned(log.note(300), post(log.ask(256, 300)))


def test_it_refuses_what_is_not_a_request(log: HubLog) -> None:
    text = log.ask(0).to_text()
    for body in (b"", b"old 0\n\n", b"\xff" + text.encode(), text.replace("old 0", "old 00").encode()):
        assert post(body).status_code == 400
    assert post(AddCheckpoint(301, (), log.note(300))).status_code == 400
    assert post(b"x" * (MAX_REQUEST + 1)).status_code == 413
    assert not WitnessedLog.objects.exclude(size=0).exists()


def test_it_knows_only_the_logs_of_active_peers(log: HubLog) -> None:
    strangers = [hub("east.example"), introduced(hub("west.example"))]
    for stranger in strangers:
        assert post(HubLog(stranger).grow(3).ask(0)).status_code == 404
    below = HubLog(log.hub)
    below.name = "publication/extra/deep"
    assert post(below.grow(3).ask(0)).status_code == 404
    cosigned(log.note(), post(log.ask(0)))
    for state in (Peer.State.SUSPENDED, Peer.State.ENDED):
        Peer.objects.filter(name=log.hub.name).update(state=state)
        assert post(log.ask(300)).status_code == 404


def test_one_peer_cannot_sign_for_another(log: HubLog) -> None:
    """South's key under the name of North's log, and North's name over South's."""
    other = south()
    forged = HubLog(Hub(log.hub.name, "SE", "North", "", log=other.log)).grow(3)
    assert post(forged.ask(0)).status_code == 403
    assert post(HubLog(Hub(other.name, "PT", "South", "", log=log.hub.log)).grow(3).ask(0)).status_code == 403
    assert not WitnessedLog.objects.exists()


def test_it_passes_over_signatures_of_unknown_keys(log: HubLog) -> None:
    stranger = keys.generate()
    more = cosign(log.checkpoint().to_text(), name="w.example/1", key=stranger, at=5).line
    asked = log.ask(0)
    cosigned(log.note(), post(AddCheckpoint(asked.old, asked.proof, asked.note + more)))
    assert WitnessedLog.objects.get().checkpoint == log.note()
    only = sign_checkpoint(log.checkpoint(), key=stranger)
    assert post(AddCheckpoint(300, (), only)).status_code == 403


def test_it_refuses_a_wrong_proof_and_keeps_what_it_knew(log: HubLog) -> None:
    cosigned(log.note(250), post(log.ask(0, 250)))
    right = log.ask(250)
    for proof in ((), right.proof[::-1], (*right.proof, bytes(32)), (bytes(32), *right.proof[1:])):
        assert post(AddCheckpoint(250, proof, right.note)).status_code == 422
    fork = log.fork(200, to=300)
    assert post(fork.ask(250)).status_code == 422
    row = WitnessedLog.objects.get()
    assert (row.size, row.disputed) == (250, fork.note())
    assert not Finding.objects.exists(), "a wrong proof alone proves nothing: anybody may send one"
    cosigned(log.note(), post(right))


def test_two_checkpoints_of_one_size_are_refused_and_kept_as_proof(log: HubLog, operator_address: str) -> None:
    cosigned(log.note(), post(log.ask(0)))
    fork = log.fork(299, to=300)
    for old in (300, 0):
        assert told(post(AddCheckpoint(old, (), fork.note()))) == 300
    found = Finding.objects.get()
    assert (found.kind, found.subject, found.peer.name) == ("split_view", log.origin, "north.example")
    assert [document["text"] for document in found.documents] == [log.note(), fork.note()]
    (told_once,) = mail.outbox
    assert told_once.to == [operator_address]
    assert log.origin in told_once.body
    cosigned(log.note(), post(log.ask(300)))


def test_each_log_is_followed_by_itself(log: HubLog) -> None:
    cosigned(log.note(), post(log.ask(0)))
    other = HubLog(log.hub, "aurora.example").grow(5)
    cosigned(other.note(), post(other.ask(0)))
    successor = HubLog(log.hub, "aurora.example/2").grow(4)
    cosigned(successor.note(), post(successor.ask(0)))
    assert WitnessedLog.objects.count() == 3


def test_it_shows_what_it_cosigned(log: HubLog) -> None:
    address = f"/witness/cosigned/{log.origin}"
    assert CLIENT.get(address, SERVER_NAME="127.0.0.1").status_code == 404
    at = cosigned(log.note(), post(log.ask(0)))
    note = CLIENT.get(address, SERVER_NAME="127.0.0.1").content.decode()
    assert note.startswith(log.note())
    assert [made.at for made in cosignatures(note, [own_cosigner()])] == [at]
    post(log.fork(100, to=300).ask(300))
    assert CLIENT.get(address, SERVER_NAME="127.0.0.1").content.decode() == note


def test_it_signs_nothing_while_it_may_have_forgotten(log: HubLog) -> None:
    """A hub that was restored from a backup may have cosigned more than it knows."""
    Restoration.objects.create(made_at=now(), backup="north")
    assert post(log.ask(0)).status_code == 503


def test_only_post_is_answered(log: HubLog) -> None:
    assert CLIENT.get("/witness/add-checkpoint", SERVER_NAME="127.0.0.1").status_code == 405
    assert CLIENT.get("/witness/elsewhere", SERVER_NAME="127.0.0.1").status_code == 404


def test_one_address_cannot_ask_without_end(log: HubLog, settings: Any) -> None:
    settings.HASHSHARE_RATE_LIMIT = "100000/min"
    answers = {post(b"old").status_code for _ in range(245)}
    assert answers == {400, 429}


def test_its_vkey_is_of_the_kind_that_cosigns() -> None:
    cosigner = own_cosigner()
    assert cosigner.to_text().startswith(f"127.0.0.1:8000/witness+{cosigner.key_hash.hex()}+B")
    assert COSIGNATURE == b"\x04"


@pytest.mark.django_db(transaction=True)
def test_of_conflicting_requests_at_once_one_is_signed() -> None:
    """Two histories from the size that it knows, asked for at the same moment, over and over."""
    log = HubLog(north()).grow(8)
    cosigned(log.note(), post(log.ask(0)))
    for turn in range(6):
        size = log.size
        branches = [log.fork(size, to=size + 5 + number) for number in range(4)]
        for number, branch in enumerate(branches):
            branch.add([b"branch %d of turn %d" % (number, turn)])
        answers = at_once([partial(post, branch.ask(size)) for branch in branches])
        good = [number for number, answer in enumerate(answers) if answer.status_code == 200]
        assert len(good) == 1, [answer.status_code for answer in answers]
        assert WitnessedLog.objects.get().size == branches[good[0]].size
        log = branches[good[0]]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    gate, answers = threading.Barrier(len(calls)), dict[int, Any]()

    def run(number: int) -> None:
        gate.wait()
        try:
            answers[number] = calls[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(calls))]

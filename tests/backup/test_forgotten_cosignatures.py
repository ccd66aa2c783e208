"""A witness that was restored from a backup has forgotten what it cosigned since, and contradicts none of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from federation.models import WitnessedLog
from federation.selectors.witness import own_cosigner
from hashshare.backup.making import make_backup
from hashshare.backup.restoring import restore_backup
from hashshare.durable import replace_file
from hashshare.models import Leaf
from hashshare.peering_keys import load_peering_key
from hashshare.selectors.hub import descriptor
from hashshare.wire.log import AddCheckpoint, WitnessKeyReplaced, cosignatures
from tests import builders as b
from tests.api.parties import CLIENT
from tests.backup.archives import WORDS
from tests.federation.builders import north
from tests.federation.builders_witness import HubLog

pytestmark = pytest.mark.django_db(transaction=True)


def post(asked: AddCheckpoint) -> Any:
    body = asked.to_text().encode()
    return CLIENT.post("/witness/add-checkpoint", body, content_type="text/plain", SERVER_NAME="127.0.0.1")


def shown(log: HubLog) -> Any:
    return CLIENT.get(f"/witness/cosigned/{log.origin}", SERVER_NAME="127.0.0.1")


def refused(answer: Any) -> bool:
    return bool(answer.status_code == 503 and answer.json()["type"].endswith("/restored"))


def witness_file() -> Path:
    return Path(settings.HASHSHARE_KEYS) / "witness.pem"


def put_back(key: bytes) -> None:
    replace_file(witness_file(), key)
    load_peering_key.cache_clear()


def test_it_never_cosigns_again_with_the_key_that_cosigned_what_it_forgot(hub: b.Feed, tmp_path: Path) -> None:
    log = HubLog(north()).grow(200)
    assert post(log.ask(0, 100)).status_code == 200
    made = make_backup(tmp_path / "kept.tar", passphrase=WORDS, copy_objects=True)
    assert post(log.ask(100)).status_code == 200
    before, old = own_cosigner(), witness_file().read_bytes()

    restore_backup(made.target, passphrase=WORDS, over=True)
    load_peering_key.cache_clear()
    assert own_cosigner() == before, "the key came back, the 100 leaves more did not"
    assert WitnessedLog.objects.get().size == 100
    fork = log.fork(100, to=150)
    for answer in (post(fork.ask(100)), post(log.ask(100)), shown(log)):
        assert refused(answer)

    told = io.StringIO()
    call_command("recover", stdout=told)
    after = own_cosigner()
    assert after != before
    assert after.to_text() in told.getvalue()
    assert descriptor(now=b.now()).witness_key == after.public
    (leaf,) = Leaf.objects.filter(kind=Leaf.Kind.WITNESS)
    said = WitnessKeyReplaced.read(bytes(leaf.entry or b""))
    assert said is not None and (said.before, said.after) == (before.public.hex(), after.public.hex())

    # It goes on from what it knows, with a key that never said anything else.
    new = witness_file().read_bytes()
    answer = post(log.ask(100))
    assert [one.cosigner for one in cosignatures(log.note() + answer.content.decode(), [after, before])] == [after]
    assert post(fork.ask(200, 150)).status_code == 400
    assert post(log.fork(100, to=250).ask(200)).status_code == 422

    # The old one again, as on a machine that nobody thought of: neither anew, nor under what the other cosigned.
    put_back(old)
    assert own_cosigner() == before
    for answer in (post(log.ask(200)), shown(log)):
        assert refused(answer)
    put_back(new)
    assert shown(log).status_code == 200


def test_a_hub_that_recovers_twice_retires_each_key_that_came_back(hub: b.Feed, tmp_path: Path) -> None:
    log = HubLog(north()).grow(100)
    made = make_backup(tmp_path / "kept.tar", passphrase=WORDS, copy_objects=True)
    used = []
    for size in (60, 80):
        assert post(log.ask(0, size)).status_code == 200
        used.append(own_cosigner())
        restore_backup(made.target, passphrase=WORDS, over=True)
        load_peering_key.cache_clear()
        call_command("recover", stdout=io.StringIO())
    assert post(log.fork(50, to=70).ask(0)).status_code == 200
    assert len({*used, own_cosigner()}) == 3

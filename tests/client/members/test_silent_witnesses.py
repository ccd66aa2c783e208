"""No witness is lost unnoticed: one that cosigns no more, or with another key, is named although the others do."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from hashshare.client import cosigned as cosigned_module
from hashshare.client.cosigned import silent_witnesses
from hashshare.client.doctor.examination import examine
from hashshare.client.witnesses import required
from hashshare.wire import keys
from hashshare.wire.documents import write_time
from hashshare.wire.log import Cosigner, cosign
from hashshare.wire.log.notes import read_note
from tests.client.ledger import Ledger
from tests.client.members.aurora import Aurora
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_witnesses import EAST, HOUR, SOUTH, VKEYS, public, sync
from tests.client.members.test_witnesses import log as log
from tests.vectors.cast import key

RENEWED = Cosigner(SOUTH, keys.public_bytes(key(75)))
"""South after it was restored from a backup."""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cosigned_module, "ASKED_AGAIN", timedelta(0))


def warned(cobalt: Cobalt) -> list[tuple[str, str]]:
    rows = examine(cobalt.home, offline=True, now=datetime.now(UTC))
    return [(row.says, row.next_step) for row in rows if row.check == "witness" and str(row.state) == "warn"]


def with_renewed(north: North, aurora: Aurora, *names: str) -> None:
    """The newest checkpoint, cosigned by these and by South with its new key."""
    shown = public(north, aurora, *names)
    text, now = read_note(shown)[0], int(time.time())
    north.logs.cosigned[aurora.domain] = [shown + cosign(text, name=SOUTH, key=key(75), at=now).line]


def test_one_that_cosigns_no_more_is_named_though_enough_others_do(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "1")
    public(north, aurora, SOUTH, EAST, size=256)
    assert sync(cobalt, aurora).status == 0
    assert warned(cobalt) == []
    # A day later East goes on alone.
    public(north, aurora, EAST, size=256)
    path = cosigned_module.cosigned_path(cobalt.home, aurora.domain)
    path.write_text(path.read_text().replace(f'"{VKEYS[SOUTH]}": "20', f'"{VKEYS[SOUTH]}": "19'))
    assert sync(cobalt, aurora).status == 0, "what is required is there"
    [(says, do)] = warned(cobalt)
    assert f"{SOUTH} cosigned last at 19" in says
    assert f"witness replace {SOUTH} VKEY" in do
    ran = cobalt.call("witness", "list")
    assert (ran.status, f"{SOUTH} cosigned last" in ran.err) == (0, True)
    [row] = cobalt.call("witness", "list", "--json").json["logs"]
    assert [one["name"] for one in row["silent"]] == [SOUTH]


def test_one_that_cosigns_with_another_key_is_replaced_by_a_person_who_asked(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "2")
    with_renewed(north, aurora, EAST)
    ran = sync(cobalt, aurora)
    assert (ran.status, f"{EAST} cosigned the newest" in ran.err) == (7, True)
    [(says, do)] = warned(cobalt)
    assert RENEWED.key_hash.hex() in says
    assert "restored from a backup" in do

    for wrong in (VKEYS[EAST], VKEYS[SOUTH], "x"):
        assert cobalt.call("witness", "replace", SOUTH, wrong).status == 2
    assert cobalt.call("witness", "replace", "nobody", RENEWED.to_text()).status == 2
    assert cobalt.call("witness", "replace", SOUTH, RENEWED.to_text()).status == 0
    assert required(cobalt.home).policy.groups["required"].members == (SOUTH, EAST)
    assert sync(cobalt, aurora).status == 0
    assert silent_witnesses(cobalt.home, aurora.domain) == []
    assert warned(cobalt) == []


def test_another_key_is_told_at_the_next_sync_while_its_last_word_still_counts(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "1")
    public(north, aurora, SOUTH, size=256)
    assert sync(cobalt, aurora).err == ""
    with_renewed(north, aurora)
    ran = sync(cobalt, aurora)
    assert (ran.status, RENEWED.key_hash.hex() in ran.err) == (0, True)
    assert f"hashshare witness replace {SOUTH} VKEY" in ran.err


def test_a_witness_that_was_just_named_is_not_silent_before_somebody_looked(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "1")
    public(north, aurora, SOUTH, EAST, size=256, ago=HOUR)
    assert sync(cobalt, aurora).status == 0
    third = Cosigner("w.example", keys.public_bytes(key(74))).to_text()
    path = cosigned_module.cosigned_path(cobalt.home, aurora.domain)
    asked = json.loads(path.read_text())
    path.write_text(json.dumps(asked | {"asked_at": write_time(datetime.now(UTC) - timedelta(minutes=1))}))
    cobalt.call("witness", "add", third)
    assert silent_witnesses(cobalt.home, aurora.domain) == []
    sync(cobalt, aurora)
    assert [one.name for one in silent_witnesses(cobalt.home, aurora.domain)] == ["w.example"]

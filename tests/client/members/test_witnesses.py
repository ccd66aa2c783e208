"""A member that requires cosignatures: what it was shown of a log must extend a checkpoint that enough witnesses have
cosigned lately. Too few are an alarm, a contradiction is refused; lists stay in use either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hashshare.client import cosigned as cosigned_module
from hashshare.client.cosigned import check_cosigned, cosigned, cosigned_path, unwitnessed
from hashshare.client.doctor.examination import examine
from hashshare.client.home import write_json
from hashshare.client.logs import seen_log
from hashshare.client.witnesses import required, witnesses_path
from hashshare.wire import keys
from hashshare.wire.errors import HashshareError, LogForked
from hashshare.wire.log import Checkpoint, Cosigner, PaddingRow, cosign, sign_checkpoint
from hashshare.wire.log.notes import read_note
from tests.client.ledger import Ledger
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt, Ran
from tests.client.members.north import North
from tests.client.members.test_sync import held_keys
from tests.vectors.cast import key

SOUTH, EAST = "south.example/witness", "east.example/witness"
WITNESSES = {SOUTH: key(71), EAST: key(72)}
VKEYS = {name: Cosigner(name, keys.public_bytes(private)).to_text() for name, private in WITNESSES.items()}
HOUR = 3600


def line(note: str, name: str, *, ago: float = 60) -> str:
    return cosign(read_note(note)[0], name=name, key=WITNESSES[name], at=int(time.time() - ago)).line


def public(north: North, aurora: Aurora, *names: str, size: int | None = None, ago: float = 60) -> str:
    """What the hub shows everybody: its log at that size, with the cosignatures of these."""
    note = north.logs[aurora.domain].note(size)
    shown = note + "".join(line(note, name, ago=ago) for name in names)
    north.logs.cosigned[aurora.domain] = [shown]
    return shown


@pytest.fixture
def log(cobalt: Cobalt, aurora: Aurora, north: North) -> Ledger:
    """Version 2 is held, the log was seen with over 300 leaves. South and East are known as witnesses."""
    cobalt.call("pin", aurora.domain, aurora.fingerprint)
    aurora.release(items(20))
    made = north.logs[aurora.domain]
    made.pad(300)
    made.seal()
    assert cobalt.call("sync").status == 0
    for vkey in VKEYS.values():
        assert cobalt.call("witness", "add", vkey).status == 0
    return made


def sync(cobalt: Cobalt, aurora: Aurora) -> Ran:
    """One that brings something new."""
    aurora.release(items(1))
    before = len(held_keys(cobalt, aurora))
    ran = cobalt.call("sync")
    assert len(held_keys(cobalt, aurora)) == before + 1, "a list is synced whatever the witnesses say"
    return ran


def test_nothing_is_asked_where_nothing_is_required(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    assert sync(cobalt, aurora).status == 0
    assert not any("cosigned" in path for _, path, _ in north.requests)
    assert unwitnessed(cobalt.home, aurora.domain, now=datetime.now(UTC)) is None


def test_enough_cosignatures_are_enough(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    cobalt.call("witness", "require", "2")
    public(north, aurora, SOUTH, EAST, size=256)
    ran = sync(cobalt, aurora)
    assert (ran.status, ran.err) == (0, "")
    kept = cosigned(cobalt.home, aurora.domain)
    seen = seen_log(cobalt.home, aurora.domain)
    assert kept is not None and seen is not None
    assert (kept.size, kept.by) == (256, (EAST, SOUTH))
    assert seen.size > 256, "what is shown to members is newer than what is cosigned"
    assert cobalt.call("status").status == 0


@pytest.mark.parametrize("shown", [(), (SOUTH,)])
def test_too_few_are_an_alarm_and_the_list_stays_in_use(
    shown: tuple[str, ...], log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "2")
    public(north, aurora, *shown, size=256)
    ran = sync(cobalt, aurora)
    assert ran.status == 7
    assert f"of your witnesses, {SOUTH if shown else 'none'} cosigned the newest" in ran.err
    assert "stay in use" in ran.err
    for command in (("status",), ("export", aurora.name, "--output", str(cobalt.folder / "out.csv"))):
        assert cobalt.call(*command).status == 7, command
    public(north, aurora, SOUTH, EAST, size=256)
    assert cobalt.call("sync").status == 0
    assert cobalt.call("status").status == 0


def test_strangers_do_not_count(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    """Another key under South's name, South's key under another name, and South twice."""
    cobalt.call("witness", "require", "2")
    note = log.note(256)
    text = read_note(note)[0]
    now = int(time.time())
    strangers = [
        cosign(text, name=EAST, key=key(73), at=now).line,
        cosign(text, name="x.example", key=WITNESSES[EAST], at=now).line,
        line(note, SOUTH, ago=5),
        line(note, SOUTH, ago=9),
    ]
    north.logs.cosigned[aurora.domain] = [note + "".join(strangers)]
    assert sync(cobalt, aurora).status == 7


def test_old_cosignatures_do_not_count_nor_those_of_the_future(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "1")
    for ago, status in ((27 * HOUR, 7), (25 * HOUR, 0)):
        public(north, aurora, SOUTH, size=256, ago=ago)
        assert sync(cobalt, aurora).status == status
    cosigned_path(cobalt.home, aurora.domain).unlink()
    public(north, aurora, SOUTH, size=256, ago=-HOUR)
    assert sync(cobalt, aurora).status == 7
    cobalt.call("witness", "require", "1", "--within", "48")
    public(north, aurora, SOUTH, size=256, ago=47 * HOUR)
    assert sync(cobalt, aurora).status == 0


def test_what_was_cosigned_yesterday_does_until_it_is_too_old(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    """A checkpoint of this minute that nobody has cosigned yet is no alarm."""
    cobalt.call("witness", "require", "1")
    public(north, aurora, SOUTH, size=256)
    assert sync(cobalt, aurora).status == 0
    public(north, aurora, size=300)
    now = datetime.now(UTC)
    later = now + timedelta(hours=3)
    kept = check_cosigned(cobalt.home, aurora.domain, cobalt.session, now=later)
    assert kept is not None and kept.size == 256 and kept.lacking
    assert unwitnessed(cobalt.home, aurora.domain, now=later) is None
    much = unwitnessed(cobalt.home, aurora.domain, now=now + timedelta(hours=27))
    assert much is not None and "none cosigned the newest" in much.detail


def test_the_hub_is_asked_once_an_hour_while_all_is_well(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "1")
    public(north, aurora, SOUTH, size=256)
    for _ in range(3):
        sync(cobalt, aurora)
    assert sum("/cosigned" in path for _, path, _ in north.requests) == 1


def test_an_older_checkpoint_with_enough_is_taken(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    """As the hub keeps it while one witness is out of reach."""
    cobalt.call("witness", "require", "2")
    older = public(north, aurora, SOUTH, EAST, size=256)
    newer = public(north, aurora, SOUTH, size=300)
    north.logs.cosigned[aurora.domain] = [newer, older]
    assert sync(cobalt, aurora).status == 0


def test_a_hub_that_lists_none_shows_the_newest(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    """Another make of hub, with nothing but what C2SP asks for."""
    cobalt.call("witness", "require", "1")
    north.logs.lists_cosigned = False
    public(north, aurora, SOUTH, size=256)
    assert sync(cobalt, aurora).status == 0


def rewritten_for_others(log: Ledger) -> Ledger:
    """The log as everybody else is shown it."""
    other = Ledger(log.domain, log.hub, log.key, leaves=list(log.leaves), size=log.size)
    other.leaves[17] = Ledger("x.example").add(PaddingRow(1))
    return other


def of_another_history(log: Ledger, size: int) -> str:
    return rewritten_for_others(log).note(size)


def of_a_longer_log(log: Ledger, size: int) -> str:
    """The member is shown less than everybody else."""
    other = Ledger(log.domain, log.hub, log.key, leaves=list(log.leaves))
    other.pad(1_000)
    return other.note(len(other.leaves))


@pytest.mark.parametrize("shown", [of_another_history, of_a_longer_log])
def test_a_log_of_ones_own_is_refused_by_name(
    shown: Callable[[Ledger, int], str], log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    """The split view itself: to this member one log, to the witnesses another."""
    cobalt.call("witness", "require", "1")
    note = shown(log, 256)
    north.logs.cosigned[aurora.domain] = [note + line(note, SOUTH)]
    ran = sync(cobalt, aurora)
    assert ran.status == 4
    assert SOUTH in ran.err
    seen = seen_log(cobalt.home, aurora.domain)
    assert seen is not None and seen.refused is not None
    assert seen.refused["type"] == "log-forked"
    kept = Path(seen.refused["file"]).read_text()
    assert kept == note + line(note, SOUTH) or kept.startswith(note)
    assert cosigned(cobalt.home, aurora.domain) is None


def test_a_false_cosignature_of_a_known_witness_is_refused(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    cobalt.call("witness", "require", "1")
    north.logs.cosigned[aurora.domain] = [log.note(256) + line(log.note(255), SOUTH)]
    assert sync(cobalt, aurora).status == 4


def test_a_checkpoint_of_another_key_is_refused(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    cobalt.call("witness", "require", "1")
    forged = sign_checkpoint(Checkpoint(log.origin, 256, log.tree(256).root()), key=key(9))
    north.logs.cosigned[aurora.domain] = [forged + line(forged, SOUTH)]
    assert sync(cobalt, aurora).status == 4


def test_rubbish_is_an_alarm_and_no_crash(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    cobalt.call("witness", "require", "1")
    rubbish: list[Any] = [[""], ["x"] * 17, [1], [f"{log.origin}\nx"], ["y\n1\nz\n\n"]]
    for notes in rubbish:
        north.logs.cosigned[aurora.domain] = notes
        assert sync(cobalt, aurora).status in (4, 7), notes


def test_doctor_and_list_tell_how_it_stands(log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    def found() -> list[str]:
        rows = list(examine(cobalt.home, offline=True, now=datetime.now(UTC)))
        return [str(row.state) for row in rows if row.check == "witness"]

    assert found() == []
    cobalt.call("witness", "require", "2")
    assert found() == ["bad"]
    public(north, aurora, SOUTH, EAST, size=256)
    sync(cobalt, aurora)
    assert found() == ["good"]
    told = cobalt.call("witness", "list", "--json").json
    assert (told["required"], told["within_hours"]) == (2, 26)
    assert {row["name"]: row["vkey"] for row in told["witnesses"]} == VKEYS
    assert [(row["publisher"], row["size"], row["alarm"]) for row in told["logs"]] == [(aurora.domain, 256, None)]


def test_doctor_names_what_is_lacking_once_and_finds_no_fault_with_the_list(
    log: Ledger, cobalt: Cobalt, aurora: Aurora
) -> None:
    cobalt.call("witness", "require", "2")
    rows = list(examine(cobalt.home, offline=True, now=datetime.now(UTC)))
    assert [(row.check, row.subject) for row in rows if str(row.state) == "bad"] == [("witness", aurora.domain)]
    assert [str(row.state) for row in rows if row.check == "list"] == ["good"]


def test_what_is_required_is_kept_as_a_policy(log: Ledger, cobalt: Cobalt, aurora: Aurora) -> None:
    cobalt.call("witness", "require", "1")
    text = cobalt.call("witness", "policy").out
    assert text.splitlines()[-2:] == [f"group required 1 {SOUTH} {EAST}", "quorum required"]
    file = cobalt.folder / "policy"
    file.write_text(text.replace("required 1", "both 2").replace("quorum required", "quorum both"))
    assert cobalt.call("witness", "policy", str(file)).status == 0
    assert required(cobalt.home).policy.quorum == "both"
    file.write_text("quorum nobody")
    ran = cobalt.call("witness", "policy", str(file))
    assert ran.status == 2
    assert "Line 1" in ran.err


def test_witnesses_come_and_go(log: Ledger, cobalt: Cobalt) -> None:
    def counted() -> tuple[int, str]:
        policy = required(cobalt.home).policy
        return len(policy.witnesses), policy.quorum

    assert counted() == (2, "none")
    assert cobalt.call("witness", "require", "3").status == 2
    assert cobalt.call("witness", "require", "2").status == 0
    assert cobalt.call("witness", "remove", SOUTH).status == 2
    assert cobalt.call("witness", "add", VKEYS[SOUTH]).status == 2, "it is there already"
    assert cobalt.call("witness", "add", VKEYS[SOUTH], "--name", "again").status == 2, "and so is its key"
    third = Cosigner("w.example", keys.public_bytes(key(74))).to_text()
    assert cobalt.call("witness", "add", third, "--name", "third").status == 0
    assert required(cobalt.home).policy.groups["required"].members == (SOUTH, EAST, "third")
    assert cobalt.call("witness", "remove", SOUTH).status == 0
    assert required(cobalt.home).policy.groups["required"].members == (EAST, "third")
    assert cobalt.call("witness", "remove", "nobody").status == 2
    for vkey in ("", "x", "x+00000000+AAAA", VKEYS[SOUTH][:-4]):
        assert cobalt.call("witness", "add", vkey).status == 2
    cobalt.call("witness", "require", "0")
    assert counted() == (2, "none")


def test_a_damaged_policy_is_never_taken_for_none(log: Ledger, cobalt: Cobalt, aurora: Aurora) -> None:
    cobalt.call("witness", "require", "1")
    write_json(witnesses_path(cobalt.home), {"format": "hashshare-witnesses/1", "policy": "quorum x"})
    with pytest.raises(HashshareError):
        required(cobalt.home)
    assert cobalt.call("status").status == 1


def test_a_contradiction_is_found_after_the_fact(
    log: Ledger, cobalt: Cobalt, aurora: Aurora, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same at the same size."""
    cobalt.call("witness", "require", "1")
    sync(cobalt, aurora)
    seen = seen_log(cobalt.home, aurora.domain)
    assert seen is not None
    log.seal()
    cobalt.call("sync", "--force")
    note = rewritten_for_others(log).note(log.size)
    north.logs.cosigned[aurora.domain] = [note + line(note, SOUTH)]
    monkeypatch.setattr(cosigned_module, "ASKED_AGAIN", timedelta(0))
    with pytest.raises(LogForked):
        check_cosigned(cobalt.home, aurora.domain, cobalt.session, now=datetime.now(UTC))

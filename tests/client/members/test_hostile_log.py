"""A hub whose log shrinks, forks or changes its key: refused by name with exit 4, kept as evidence, the list in use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.logs import log_path, seen_log
from hashshare.wire import keys
from hashshare.wire.log import Checkpoint, sign_checkpoint
from tests.client.ledger import Ledger
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_sync import held_keys


@pytest.fixture
def log(cobalt: Cobalt, aurora: Aurora, north: North) -> Ledger:
    """Version 2 is held and the log was seen with 300 leaves; version 3 is on offer, the log has grown."""
    cobalt.call("pin", aurora.domain, aurora.fingerprint)
    aurora.release(items(20))
    log = north.logs[aurora.domain]
    log.pad(300)
    log.seal()
    assert cobalt.call("sync").status == 0
    aurora.release(items(2))
    log.pad(10)
    log.seal()
    return log


def rewritten(log: Ledger, index: int) -> None:
    """What stood there never was."""
    log.leaves[index].entry = b"\0" * len(log.leaves[index].entry)


def shrink(log: Ledger) -> None:
    del log.leaves[200:]
    log.seal()


def fork(log: Ledger) -> None:
    rewritten(log, 17)


def fork_at_the_same_size(log: Ledger) -> None:
    del log.leaves[300:]
    rewritten(log, 299)
    log.seal()


def change_key(log: Ledger) -> None:
    log.key = keys.generate()


def forge(log: Ledger) -> None:
    """The checkpoint's root is changed, not its signature."""
    log.bend = _bending("checkpoint", lambda note: note.replace(note.splitlines()[2], "A" * 43 + "="))


def name_another_log(log: Ledger) -> None:
    other = Checkpoint(log.origin.replace(log.domain, "borealis.example"), log.size, log.tree(log.size).root())
    log.bend = _bending("checkpoint", lambda _: sign_checkpoint(other, key=log.key))


def tamper_with_the_proof(log: Ledger) -> None:
    log.bend = _bending("state", lambda state: {**state, "consistency": [*state["consistency"][1:], "A" * 43 + "="]})


def leave_the_proof_out(log: Ledger) -> None:
    log.bend = _bending("state", lambda state: {**state, "consistency": []})


def send_no_proof_at_all(log: Ledger) -> None:
    log.bend = _bending("state", lambda state: {**state, "consistency": "trust me"})


def send_something_else(log: Ledger) -> None:
    log.bend = _bending("checkpoint", lambda _: "All is well.\n")


def _bending(what: str, change: Callable[[Any], Any]) -> Callable[[str, Any], Any]:
    return lambda asked, answer: change(answer) if asked == what else answer


LIES = {
    shrink: "log-forked",
    fork: "log-forked",
    fork_at_the_same_size: "log-forked",
    change_key: "log-key-changed",
    forge: "signature-threshold",
    name_another_log: "signature-threshold",
    tamper_with_the_proof: "log-forked",
    leave_the_proof_out: "wrong-proof",
    send_no_proof_at_all: "malformed-log",
    send_something_else: "malformed-log",
}


@pytest.mark.parametrize(("lie", "slug"), LIES.items(), ids=lambda it: getattr(it, "__name__", ""))
def test_it_is_refused_by_name_while_the_list_stays_in_use(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, lie: Callable[[Ledger], None], slug: str
) -> None:
    before = seen_log(cobalt.home, aurora.domain)
    assert before is not None
    lie(log)
    done = cobalt.call("sync", "--json")
    [row] = done.json["lists"]
    error = row["acknowledgement"]["log_error"]
    assert (done.status, error["type"], row["version"]) == (4, slug, 3)
    assert error["detail"].startswith(f"Log of {aurora.domain}: ")
    assert f"{aurora.name}   error: Log of {aurora.domain}: " in done.err
    assert "version 3 stays in use" in done.err
    assert held_keys(cobalt, aurora) == set(aurora.live)
    after = seen_log(cobalt.home, aurora.domain)
    assert after is not None
    assert (after.size, after.root, after.key) == (before.size, before.root, before.key)
    assert error["remembered"] == before.checkpoint
    assert Path(error["refused"]).read_text() == log.note()


def test_it_alarms_at_every_sync_until_the_log_extends_what_was_seen(
    cobalt: Cobalt, aurora: Aurora, log: Ledger
) -> None:
    entry = log.leaves[17].entry
    fork(log)
    assert cobalt.call("sync").status == 4
    again = cobalt.call("sync", "--json")
    assert (again.status, again.json["lists"][0]["acknowledgement"]["log_error"]["type"]) == (4, "log-forked")
    assert again.json["lists"][0]["acknowledgement"]["sent"] is False
    shown = cobalt.call("status", "--offline")
    assert f"Log of {aurora.domain}: " in shown.err and "Refused since" in shown.err
    log.leaves[17].entry = entry
    assert cobalt.call("sync").status == 0
    assert cobalt.call("status", "--offline", "--json").json["logs"][0]["refused"] is None
    assert list((cobalt.home.path / "logs" / "refused").iterdir())


def test_a_sync_with_nothing_new_looks_at_the_log_once_a_day(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, north: North
) -> None:
    cobalt.call("sync")

    def asked() -> int:
        north.requests.clear()
        assert cobalt.call("sync").status == 0
        return len([path for path in north.paths() if "/log/" in path])

    assert asked() == 0
    grown_old(cobalt, aurora)
    assert (asked(), asked()) == (1, 0)  # nothing was sealed meanwhile, and that is said again a day later
    log.pad(3)
    log.seal()
    grown_old(cobalt, aurora)
    assert (asked(), asked()) == (2, 0)
    grown_old(cobalt, aurora)
    fork(log)
    again = cobalt.call("sync", "--json")
    assert (again.status, again.json["lists"][0]["acknowledgement"]["log_error"]["type"]) == (4, "log-forked")


def test_a_page_of_somebody_else_is_no_proof_and_no_lie(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A captive portal between us and the hub."""
    cobalt.call("sync")
    before = seen_log(cobalt.home, aurora.domain)
    log.pad(3)
    log.seal()
    grown_old(cobalt, aurora)
    real = north.logs.answer
    page = "<html>Please sign in</html>"
    monkeypatch.setattr(north.logs, "answer", lambda path: page if "consistency" in path else real(path))
    done = cobalt.call("sync")
    assert done.status == 0
    assert "the hub's log could not be checked: " in done.err and "does not answer like a hashshare hub" in done.err
    after = seen_log(cobalt.home, aurora.domain)
    assert before is not None and after is not None
    assert (after.size, after.refused) == (before.size, None)


def grown_old(cobalt: Cobalt, aurora: Aurora) -> None:
    """The log was last looked at a day ago."""
    path = log_path(cobalt.home, aurora.domain)
    document = json.loads(path.read_text())
    document["seen_at"] = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(document))


def test_a_first_checkpoint_of_another_log_is_not_taken_for_this_one(
    cobalt: Cobalt, aurora: Aurora, north: North
) -> None:
    aurora.release(items(2))
    log = north.logs[aurora.domain]
    log.pad(3)
    log.seal()
    name_another_log(log)
    done = cobalt.call("sync", "--json")
    assert (done.status, done.json["lists"][0]["acknowledgement"]["log_error"]["type"]) == (4, "wrong-proof")
    assert seen_log(cobalt.home, aurora.domain) is None


def test_a_key_that_changes_at_a_second_enrolment_is_refused(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, north: North
) -> None:
    """Though this log is still signed with the old one."""
    north.logs.key = keys.generate()
    cobalt.enroll()
    done = cobalt.call("sync", "--json")
    error = done.json["lists"][0]["acknowledgement"]["log_error"]
    assert (done.status, error["type"]) == (4, "log-key-changed")


def test_refused_checkpoints_do_not_fill_the_disk(cobalt: Cobalt, log: Ledger, aurora: Aurora) -> None:
    cobalt.call("sync")
    folder = cobalt.home.path / "logs" / "refused"
    folder.mkdir(parents=True)
    for number in range(20):
        (folder / f"{aurora.domain}-{number}.txt").write_text("")
    fork(log)
    aurora.release(items(1))
    assert cobalt.call("sync").status == 4
    assert len(list(folder.iterdir())) == 20

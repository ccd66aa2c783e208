"""What is wrong with lists, publishers and logs: expired, forked, revoked, unconfirmed, damaged, too new."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from hashshare.client.doctor import account
from hashshare.client.doctor.finding import State
from hashshare.client.doctor.patient import Patient
from hashshare.client.doctor.reach import Reached
from tests.client.members.aurora import Aurora, Operations, items
from tests.client.members.conftest import Cobalt
from tests.client.members.doctor.conftest import doctor
from tests.client.members.north import Fault, North


def test_an_expired_feed(healthy: Cobalt, aurora: Aurora) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=16, hours=12)):
        aurora.stamp()
        healthy.call("sync")
        told = doctor(healthy)
        row = told.bad("list")
        assert "feed role has expired" in row["says"] and "for 2 days" in row["says"]
        assert f"{aurora.domain} has to sign it anew" in row["next_step"]
        assert told.status == 4


def test_a_hub_that_is_frozen(healthy: Cobalt, north: North) -> None:
    north.frozen_heads = north.heads()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        healthy.call("sync")
        row = doctor(healthy).bad("list")
    assert "timestamp.json is expired" in row["says"]
    assert "keeps back what is newer" in row["next_step"]


def test_a_list_no_longer_offered(healthy: Cobalt, aurora: Aurora, north: North) -> None:
    north.publishers.clear()
    healthy.call("sync")
    told = doctor(healthy)
    assert (told.status, told.bad("list")["subject"]) == (3, aurora.name)


def test_a_forked_list(healthy: Cobalt, aurora: Aurora) -> None:
    aurora.history[2] = Operations()
    aurora.segments = (*aurora.segments[:-1], aurora._segment(1, 2, Operations()))
    aurora.refresh()
    assert healthy.call("sync").status == 4
    told = doctor(healthy)
    assert "is forked" in told.bad("list")["says"]
    assert "incident" in told.bad("list")["next_step"]


def test_a_list_that_needs_a_newer_client(healthy: Cobalt, aurora: Aurora) -> None:
    document = json.loads(aurora.manifest(3).to_bytes())
    aurora.sign(json.dumps({**document, "requires": ["telepathy"]}).encode())
    aurora.version = 3
    assert healthy.call("sync").status == 4
    told = doctor(healthy)
    assert "pip install --upgrade hashshare" in told.bad("list")["next_step"]
    assert told.status == 4


def test_files_that_are_damaged(healthy: Cobalt, aurora: Aurora) -> None:
    held = healthy.store(aurora).held()
    assert held is not None
    path = healthy.store(aurora).object_path(held.objects[-1].sha256)
    path.write_bytes(path.read_bytes()[:-1])
    told = doctor(healthy, "--offline")
    assert (told.status, str(path) in told.bad("store")["says"]) == (4, True)
    assert healthy.call("sync").status == 0
    assert doctor(healthy).status == 0


def test_an_unconfirmed_root(cobalt: Cobalt, aurora: Aurora) -> None:
    row = doctor(cobalt).warned("root")
    assert aurora.fingerprint[:4] in row["next_step"]
    assert f"hashshare pin {aurora.domain}" in row["next_step"]


def test_a_refused_root(cobalt: Cobalt, aurora: Aurora) -> None:
    cobalt.call("pin", aurora.domain, "0" * 64)
    told = doctor(cobalt)
    assert (told.status, told.bad("root")["subject"]) == (4, aurora.domain)


def test_a_forked_log(healthy: Cobalt, aurora: Aurora, north: North) -> None:
    log = north.logs[aurora.domain]
    for spoil in (False, True):
        if spoil:
            log.leaves[0].entry = b"\0" * len(log.leaves[0].entry)
        log.seal()
        aurora.release(items(1))
        healthy.call("sync")
    told = doctor(healthy)
    assert "forked or was rewritten" in told.bad("log")["says"]
    assert told.status == 4


def test_an_acknowledgement_that_waits(healthy: Cobalt, aurora: Aurora, north: North) -> None:
    north.faults.append(Fault("acknowledgements", status=502))
    aurora.release(items(1))
    healthy.call("sync")
    assert "not acknowledged" in doctor(healthy).warned("acknowledgement")["says"]


# --- the account -------------------------------------------------------------------------------------------------


def test_a_revoked_key(healthy: Cobalt, north: North) -> None:
    north.revoked.update(north.keys)
    told = doctor(healthy)
    assert (told.status, told.ill) == (3, {"account"})


NOW = datetime(2026, 11, 28, tzinfo=UTC)


def judged(healthy: Cobalt, **status: Any) -> dict[str, State]:
    patient = Patient(healthy.home, NOW, None, (), Reached("hub"), {"status": status, "access-keys": {}})
    return {finding.subject or finding.check: finding.state for finding in account.check(patient)}


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"state": "active", "ends_at": None}, State.GOOD),
        ({"state": "active", "ends_at": "2027-03-01T00:00:00Z"}, State.GOOD),
        ({"state": "active", "ends_at": "2026-12-01T00:00:00Z"}, State.WARN),
        ({"state": "active", "ends_at": "2026-11-01T00:00:00Z"}, State.WARN),
        ({"state": "ended", "ends_at": "2026-11-01T00:00:00Z"}, State.WARN),
        ({"state": "revoked", "reason": "contract"}, State.WARN),
        ({"state": "active", "withheld": "The policy names other hubs."}, State.WARN),
        ({"state": "requested"}, State.GOOD),
    ],
)
def test_subscriptions_by_their_state(healthy: Cobalt, row: dict[str, Any], state: State) -> None:
    found = judged(healthy, subscriptions=[{"list": "aurora.example/images", **row}])
    assert found["aurora.example/images"] == state


def test_a_subscription_that_was_renewed_after_its_end_is_good(healthy: Cobalt) -> None:
    """The hub names the newest first."""
    patient = Patient(healthy.home, NOW, None, (), Reached("hub"), {"status": {"subscriptions": RENEWED}})
    [found] = [finding for finding in account.check(patient) if finding.check == "subscription"]
    assert (found.state, found.says) == (State.GOOD, "aurora.example/images: active until 2027-11-01.")


RENEWED = [
    {"list": "aurora.example/images", "state": "active", "ends_at": "2027-11-01T00:00:00Z"},
    {"list": "aurora.example/images", "state": "ended", "ends_at": "2026-11-01T00:00:00Z"},
    {"list": "aurora.example/images", "state": "denied", "reason": "too early"},
]


def test_another_machine_s_key_near_its_end(healthy: Cobalt) -> None:
    rows = [{"id": "SHA256:b", "name": "sync-02", "state": "active", "not_after": "2026-12-01T00:00:00Z"}]
    assert judged(healthy, caller={"key": "SHA256:a"}, keys=rows)["SHA256:b"] == State.WARN

"""Confirming a publisher over another channel, and what happens when the hub lied."""

from __future__ import annotations

from pathlib import Path

import pytest

from hashshare.client import trust
from hashshare.client.enrol import enrol
from hashshare.client.home import Home
from hashshare.client.store import ListStore
from hashshare.wire.errors import NotSynced, UsageError, VerificationFailed
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import CODE, North
from tests.client.members.test_sync import sync


def grouped(text: str) -> list[str]:
    return [text[i : i + 4].upper() for i in range(0, len(text), 4)]


def test_it_confirms_a_root_as_people_read_it_out(cobalt: Cobalt, aurora: Aurora) -> None:
    assert "unconfirmed" in cobalt.run("status").err
    done = cobalt.run("pin", aurora.domain, *grouped(aurora.fingerprint), "--json")
    assert (done.status, done.json["trust"]) == (0, "confirmed")
    assert "unconfirmed" not in cobalt.run("status").err


def test_it_rejects_what_is_no_fingerprint(cobalt: Cobalt, aurora: Aurora) -> None:
    with pytest.raises(UsageError):
        trust.pin(cobalt.home, aurora.domain, "9b07")


def test_another_fingerprint_stops_everything_under_that_root(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(2))
    sync(cobalt, aurora)
    assert cobalt.run("pin", aurora.domain, "0" * 64).status == 4
    assert cobalt.run("sync").status == 4
    assert cobalt.run("export", aurora.name).status == 4
    with pytest.raises(VerificationFailed):
        cobalt.store(aurora).usable()


def test_the_right_root_replaces_a_false_one_and_all_that_came_under_it(
    cobalt: Cobalt, aurora: Aurora, north: North, tmp_path: Path
) -> None:
    aurora.release(items(2))
    sync(cobalt, aurora)
    real = Aurora(tmp_path / "real")
    real.release(items(3))
    with pytest.raises(VerificationFailed):
        trust.pin(cobalt.home, real.domain, real.fingerprint)
    north.publishers[:] = [real]
    done = sync(cobalt, real)
    assert (done.trust, done.before, done.entries) == ("confirmed", None, 3)
    assert cobalt.store(aurora).held() is None


def test_a_confirmed_root_survives_a_slip(cobalt: Cobalt, aurora: Aurora) -> None:
    trust.pin(cobalt.home, aurora.domain, aurora.fingerprint)
    with pytest.raises(VerificationFailed):
        trust.pin(cobalt.home, aurora.domain, "0" * 64)
    known = trust.publisher(cobalt.home, aurora.domain)
    assert known is not None
    assert known.state == "confirmed"


def test_a_root_pinned_beforehand_is_confirmed_when_met(tmp_path: Path, north: North, aurora: Aurora) -> None:
    home = Home.open(tmp_path / "new")
    trust.pin(home, aurora.domain, aurora.fingerprint)
    assert [known.state for known in enrol(home, north.url, CODE).publishers] == ["confirmed"]


def test_a_false_root_is_refused_at_enrolment(tmp_path: Path, north: North, aurora: Aurora) -> None:
    home = Home.open(tmp_path / "new")
    trust.pin(home, aurora.domain, "1" * 64)
    enrolled = enrol(home, north.url, CODE)
    assert [domain for domain, _ in enrolled.refused] == [aurora.domain]
    with pytest.raises(NotSynced):
        ListStore(home, aurora.list_id).usable()

"""Enrolling at a hub: what is sent, what is kept, what is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hashshare.client import trust
from hashshare.client.enrol import REFUSED_KEY, enrol
from hashshare.client.home import Home
from hashshare.wire.errors import InsecureTransport, InvitationInvalid, NetworkError, UsageError
from tests.client.members.aurora import Aurora
from tests.client.members.conftest import Cobalt
from tests.client.members.north import CODE, Fault, North


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_registers_a_key_and_keeps_the_publishers_unconfirmed(tmp_path: Path, north: North, aurora: Aurora) -> None:
    cobalt = Cobalt(tmp_path / "new", north)
    done = cobalt.run("enroll", north.url, CODE)
    assert done.status == 0, done.err
    assert "Enrolled as Cobalt (member, NL)" in done.out
    known = trust.publisher(cobalt.home, aurora.domain)
    assert known is not None
    assert (known.state, known.fingerprint) == ("unconfirmed", aurora.fingerprint)


def test_it_keeps_everything_private(cobalt: Cobalt) -> None:
    cobalt.run("sync")
    files = [path for path in cobalt.folder.rglob("*") if path.is_file()]
    folders = [cobalt.folder, *(path for path in cobalt.folder.rglob("*") if path.is_dir())]
    # ngclient makes root_history by itself; it lies inside folders that nobody else can enter.
    assert {mode(path) for path in folders if path.name != "root_history"} == {0o700}
    assert {mode(path) for path in files if not path.is_symlink()} == {0o600}


def test_it_may_be_repeated_with_the_same_key(cobalt: Cobalt, north: North) -> None:
    before = cobalt.home.key_path.read_bytes()
    again = enrol(cobalt.home, north.url, CODE)
    assert cobalt.home.key_path.read_bytes() == before
    assert again.config.key_id in north.keys


def test_it_finishes_after_an_answer_was_lost(tmp_path: Path, north: North) -> None:
    north.faults.append(Fault("enrolments", cut=10))
    home = Home.open(tmp_path / "new")
    with pytest.raises(NetworkError):
        enrol(home, north.url, CODE)
    assert enrol(home, north.url, CODE).config.organisation["slug"] == "cobalt"
    assert len(north.keys) == 1


def test_it_makes_a_new_key_where_the_old_one_was_revoked(cobalt: Cobalt, north: North) -> None:
    before = cobalt.home.key_path.read_bytes()
    north.revoked.update(north.keys)
    assert enrol(cobalt.home, north.url, CODE).config.key_id not in north.revoked
    assert (cobalt.home.path / REFUSED_KEY).read_bytes() == before
    assert mode(cobalt.home.path / REFUSED_KEY) == 0o600
    assert cobalt.run("sync").status == 0


def test_it_leaves_a_key_that_works_as_it_is(cobalt: Cobalt, north: North) -> None:
    before = cobalt.home.key_path.read_bytes()
    with pytest.raises(UsageError, match="its key works"):
        enrol(cobalt.home, north.url, "ANOTHER-CODE")
    assert cobalt.home.key_path.read_bytes() == before


def test_it_rejects_a_wrong_code_with_exit_3(tmp_path: Path, north: North) -> None:
    cobalt = Cobalt(tmp_path / "new", north)
    done = cobalt.run("enroll", north.url, "AAAA-BBBB-CCCC", "--json")
    assert done.status == 3
    assert done.json["error"]["type"] == InvitationInvalid.slug
    assert not cobalt.home.config_path.exists()


def test_it_sends_nothing_over_plain_http_off_loopback(tmp_path: Path) -> None:
    with pytest.raises(InsecureTransport):
        enrol(Home.open(tmp_path / "new"), "http://hub.example/", CODE)
    assert not (tmp_path / "new" / "key.pem").exists()


def test_it_rejects_a_second_hub_in_one_home(cobalt: Cobalt) -> None:
    with pytest.raises(UsageError, match="belongs to Cobalt"):
        enrol(cobalt.home, "https://south.example", CODE)


def test_it_rejects_something_that_is_no_hub(tmp_path: Path, north: North) -> None:
    north.faults.append(Fault("enrolments", status=200, body=b"<html>Sign in to the hotel network</html>"))
    with pytest.raises(NetworkError, match="does not answer like"):
        enrol(Home.open(tmp_path / "new"), north.url, CODE)


def test_commands_say_how_to_enrol_first(tmp_path: Path, north: North) -> None:
    done = Cobalt(tmp_path / "new", north).run("sync")
    assert done.status == 3
    assert "hashshare enroll URL CODE" in done.err

"""`publisher init`: keys, root and targets; safe to repeat at any point."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hashshare.client import trust
from hashshare.client.publisher import KEY_ROLES, OwnPublisher
from hashshare.client.signers import is_encrypted
from tests.client.hotlines.desk import Desk, desk
from tests.client.hotlines.north import North


def test_it_makes_three_private_keys_and_a_root_that_is_trusted_here(aurora: Desk, north: North) -> None:
    done = aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    mine = OwnPublisher(aurora.home, "aurora.example")
    assert done["keys_made"] == list(KEY_ROLES)
    for role in KEY_ROLES:
        assert stat.S_IMODE(mine.key_path(role).stat().st_mode) == 0o600
        assert stat.S_IMODE(mine.key_path(role).parent.stat().st_mode) == 0o700
    assert north.shelf.root == mine.root_path.read_bytes()
    known = trust.publisher(aurora.home, "aurora.example")
    assert known is not None
    assert (known.state, known.fingerprint) == ("confirmed", done["fingerprint"])


def test_it_shows_the_fingerprint_in_groups_and_the_next_step(aurora: Desk) -> None:
    result = aurora.run("publisher", "init", "aurora.example", "--no-passphrase")
    known = trust.publisher(aurora.home, "aurora.example")
    assert result.exit_code == 0
    assert known is not None
    assert known.fingerprint[:4] + " " + known.fingerprint[4:8] in result.stdout
    assert "publisher list create aurora.example/" in result.stdout


def test_it_changes_nothing_when_run_again(aurora: Desk, north: North) -> None:
    first = aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    again = aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    assert again["fingerprint"] == first["fingerprint"]
    assert (again["keys_made"], again["job"]) == ([], None)
    assert len(north.jobs) == 1


def test_it_goes_on_after_its_answer_was_lost(aurora: Desk, north: North) -> None:
    """Killed while the job ran: the same root is handed in again, and the hub knows it."""
    north.polls = 1_000_000
    mine = OwnPublisher(aurora.home, "aurora.example")
    _stop_waiting(north)
    assert aurora.run("publisher", "init", "aurora.example", "--no-passphrase").exit_code == 5
    root = mine.root_path.read_bytes()
    north.answer = type(north).answer.__get__(north)  # type: ignore[method-assign]
    for job in north.jobs.values():
        job["polls"] = 0
    assert aurora.json("publisher", "init", "aurora.example", "--no-passphrase")["job"]["id"] == "job-1"
    assert mine.root_path.read_bytes() == root == north.shelf.root


def _stop_waiting(north: North) -> None:
    answer = north.answer

    def lost(method: str, path: str, headers: object, body: bytes) -> tuple[int, object]:
        return (504, {}) if "/jobs/" in path else answer(method, path, headers, body)

    north.answer = lost  # type: ignore[method-assign]


def test_it_refuses_to_make_a_second_root_on_another_machine(aurora: Desk, north: North, tmp_path: Path) -> None:
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    (tmp_path / "other").mkdir()
    elsewhere = desk(tmp_path / "other", aurora.home.config().hub_url)
    failed = elsewhere.json("publisher", "init", "aurora.example", "--no-passphrase", exit_code=6)
    assert "not made on this machine" in failed["error"]["detail"]
    assert not OwnPublisher(elsewhere.home, "aurora.example").key_path("root").exists()


def test_it_rejects_a_domain_that_is_not_ours(aurora: Desk) -> None:
    failed = aurora.json("publisher", "init", "borealis.example", exit_code=3)["error"]
    assert failed["type"] == "not-entitled"
    assert "operator" in failed["next_step"]
    assert not OwnPublisher(aurora.home, "borealis.example").key_path("root").exists()


def test_it_makes_no_unprotected_keys_unless_told_to(aurora: Desk, north: North) -> None:
    failed = aurora.json("publisher", "init", "aurora.example", exit_code=2)["error"]
    assert "HASHSHARE_PASSPHRASE" in failed["next_step"]
    assert not OwnPublisher(aurora.home, "aurora.example").key_path("root").exists()
    assert north.jobs == {}


def test_it_protects_keys_with_the_passphrase_of_the_environment(aurora: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HASHSHARE_PASSPHRASE", "quiet water")
    aurora.json("publisher", "init", "aurora.example")
    mine = OwnPublisher(aurora.home, "aurora.example")
    assert all(is_encrypted(mine.key_path(role)) for role in KEY_ROLES)
    create = ("publisher", "list", "create", "aurora.example/images", "--algorithms", "sha256", "--scheme", "uk-abc")
    monkeypatch.delenv("HASHSHARE_PASSPHRASE")
    assert "passphrase" in aurora.json(*create, exit_code=2)["error"]["detail"]
    monkeypatch.setenv("HASHSHARE_PASSPHRASE", "quiet water")
    assert aurora.json(*create)["list"] == "aurora.example/images"

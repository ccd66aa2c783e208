"""`publisher standby-hub`: another hub's keys come into a root only when they were compared, and everybody is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hashshare.client.doctor.examination import examine
from hashshare.wire import repository
from hashshare.wire.fingerprints import spoken
from hashshare.wire.repository import StandbyHub
from tests.client.hotlines.desk import Desk
from tests.client.hotlines.north import North, serving
from tests.client.hotlines.officers import found, officers

DOMAIN = "aurora.example"
COMMAND = ("publisher", "standby-hub", DOMAIN)


@pytest.fixture
def south() -> North:
    return North(hub="south.example")


@pytest.fixture
def south_url(south: North) -> Iterator[str]:
    with serving(south) as address:
        yield address


def named(north: North) -> StandbyHub | None:
    assert north.shelf.root is not None
    return repository.standby_hub(north.shelf.root)


def said_by(south: North) -> str:
    """What the operator of South reads out."""
    return StandbyHub(south.hub, tuple(south.keys)).fingerprint


def test_it_shows_what_to_compare_and_changes_nothing(images: Desk, north: North, south: North, south_url: str) -> None:
    shown = images.json(*COMMAND, "--hub", south_url, exit_code=2)
    assert (shown["offered"]["fingerprint"], named(north)) == (said_by(south), None)
    said = images.run(*COMMAND, "--hub", south_url)
    assert spoken(said_by(south)) in said.stdout.replace("\n", " ")


def test_a_fingerprint_that_was_read_out_differently_is_refused(
    images: Desk, north: North, south: North, south_url: str
) -> None:
    wrong = images.json(*COMMAND, "--hub", south_url, "--fingerprint", "0" * 64, exit_code=4)
    assert wrong["error"]["type"] == "verification-failed"
    other = StandbyHub("s0uth.example", tuple(south.keys)).fingerprint
    images.json(*COMMAND, "--hub", south_url, "--fingerprint", other, exit_code=4)
    assert named(north) is None


def test_the_root_names_it_and_status_and_doctor_tell(images: Desk, north: North, south: North, south_url: str) -> None:
    done = images.json(*COMMAND, "--hub", south_url, "--fingerprint", spoken(said_by(south)))
    assert sorted(done["added"]) == sorted(key.keyid for key in south.keys)
    assert named(north) == StandbyHub("south.example", tuple(south.keys))
    status = images.json("publisher", "status", DOMAIN)
    assert (status["standby_hub"]["hub"], status["hub_keys"]) == ("south.example", None)
    assert images.json(*COMMAND)["standby_hub"]["fingerprint"] == said_by(south)
    told = [row.says for row in examine(images.home, offline=False, now=datetime.now(UTC))]
    assert any("names a standby hub: south.example" in says for says in told)
    again = images.json(*COMMAND, "--hub", south_url, "--fingerprint", said_by(south))
    assert (again["job"], again["added"]) == (None, [])


def test_a_renewed_root_and_rotated_hub_keys_keep_it(images: Desk, north: North, south: North, south_url: str) -> None:
    images.json(*COMMAND, "--hub", south_url, "--fingerprint", said_by(south))
    images.json("publisher", "renew", DOMAIN, "--root")
    assert named(north) == StandbyHub("south.example", tuple(south.keys))
    before = north.shelf.root
    assert images.json("publisher", "rotate", "hub", DOMAIN)["job"] is None
    assert north.shelf.root == before


def test_it_is_removed(images: Desk, north: North, south: North, south_url: str) -> None:
    images.json(*COMMAND, "--hub", south_url, "--fingerprint", said_by(south))
    done = images.json(*COMMAND, "--remove")
    assert sorted(done["removed"]) == sorted(key.keyid for key in south.keys)
    assert named(north) is None


def test_ones_own_hub_is_no_standby_hub(images: Desk, north: North, url: str) -> None:
    own = StandbyHub(north.hub, tuple(north.keys)).fingerprint
    refused = images.json(*COMMAND, "--hub", url, "--fingerprint", own, exit_code=2)
    assert "is the hub of aurora.example already" in refused["error"]["detail"]


def test_officers_sign_it_like_any_change_of_the_root(
    aurora: Desk, north: North, south: North, south_url: str, tmp_path: Path
) -> None:
    people = officers(tmp_path)
    found(aurora, people)
    asked = aurora.json(*COMMAND, "--hub", south_url, "--fingerprint", said_by(south))
    assert named(north) is None
    shown = people[0].sign(asked["request"])
    assert any("south.example may take over" in line for line in shown["changes"][0]["lines"])
    people[1].sign(asked["request"])
    aurora.json("publisher", "submit", asked["request"])
    assert named(north) == StandbyHub("south.example", tuple(south.keys))


@pytest.mark.parametrize("words", [("--remove", "--hub", "https://south.example"), ("--fingerprint", "0" * 64)])
def test_options_that_make_no_sense_together_are_refused(images: Desk, words: tuple[str, ...]) -> None:
    images.json(*COMMAND, *words, exit_code=2)


def test_no_plain_http_off_this_machine(images: Desk) -> None:
    refused = images.json(*COMMAND, "--hub", "http://south.example", exit_code=2)
    assert refused["error"]["type"] == "insecure-transport"

"""Two of three officers: founding, a list, renewal, by requests carried from machine to machine."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from hashshare.client.publisher import OwnPublisher
from hashshare.wire import repository
from hashshare.wire.fingerprints import spoken
from hashshare.wire.repository.request_files import read_request
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import Officer, begin, found, officers

CREATE = (
    "publisher",
    "list",
    "create",
    LIST,
    "--algorithms",
    "sha256,md5",
    "--scheme",
    "uk-abc",
    "--columns",
    "category",
)
RENEW = ("publisher", "renew", "aurora.example")


@pytest.fixture
def people(tmp_path: Path) -> list[Officer]:
    return officers(tmp_path)


@pytest.fixture
def founded(aurora: Desk, people: list[Officer]) -> Desk:
    found(aurora, people)
    return aurora


def test_it_founds_a_publisher_with_two_of_three(aurora: Desk, north: North, people: list[Officer]) -> None:
    begun = begin(aurora, people)
    assert begun["job"] is None
    assert [row["have"] for row in begun["missing"]] == [0, 0]
    assert north.jobs == {}
    anna = people[0].sign(begun["request"])
    assert anna["fingerprint"] is None
    assert {need["role"]: need["have"] for need in anna["missing"]} == {"root": 1, "targets": 1}
    carol = people[2].sign(begun["request"])
    assert carol["missing"] == []
    done = aurora.json("publisher", "submit", begun["request"])
    assert north.shelf.root is not None
    assert done["fingerprint"] == carol["fingerprint"] == repository.root_fingerprint(north.shelf.root)
    root = repository.read_role("root", north.shelf.root).signed
    assert [(root.roles[role].threshold, len(root.roles[role].keyids)) for role in ("root", "targets")] == [(2, 3)] * 2
    assert not set(root.roles["root"].keyids) & set(root.roles["targets"].keyids)
    assert not Path(begun["request"]).exists()


def test_no_officers_key_is_on_the_hotlines_machine(founded: Desk) -> None:
    folder = OwnPublisher(founded.home, "aurora.example").keys_folder
    assert sorted(path.name for path in folder.iterdir()) == ["feed.json", "feed.pem"]


def test_it_merges_copies_that_were_signed_side_by_side(aurora: Desk, north: North, people: list[Officer]) -> None:
    request = begin(aurora, people)["request"]
    copies = [person.copy(request) for person in people[:2]]
    for person, copy in zip(people, copies, strict=False):
        person.sign(copy)
    assert aurora.json("publisher", "submit", *copies)["job"]
    assert north.shelf.root is not None


def test_an_officer_merges_copies_too(aurora: Desk, people: list[Officer]) -> None:
    request = begin(aurora, people)["request"]
    copies = [person.copy(request) for person in people[:2]]
    people[0].sign(copies[0])
    assert people[1].sign(copies[1], copies[0])["missing"] == []


def test_it_says_who_is_missing_and_keeps_what_came(aurora: Desk, north: North, people: list[Officer]) -> None:
    request = begin(aurora, people)["request"]
    copies = [person.copy(request) for person in people[:2]]
    people[0].sign(copies[0])
    first = aurora.json("publisher", "submit", copies[0], exit_code=6)
    assert first["job"] is None
    assert sorted(row["name"] for row in first["missing"][0]["unsigned"]) == ["Ben", "Carol"]
    assert north.jobs == {}
    people[1].sign(copies[1])
    assert aurora.json("publisher", "submit", copies[1])["job"]


def test_init_again_answers_the_same_request(aurora: Desk, people: list[Officer]) -> None:
    first = begin(aurora, people)
    people[0].sign(first["request"])
    before = Path(first["request"]).read_bytes()
    again = begin(aurora, people)
    assert again["request"] == first["request"]
    assert Path(first["request"]).read_bytes() == before
    assert again["missing"][0]["have"] == 1


def test_lists_are_signed_along_with_the_founding(aurora: Desk, north: North, people: list[Officer]) -> None:
    begin(aurora, people)
    created = [aurora.json(*(word.replace("images", name) for word in CREATE)) for name in ("images", "video")]
    request = created[1]["request"]
    for person in people[1:]:
        person.sign(request)
    aurora.json("publisher", "submit", request)
    assert north.shelf.targets is not None
    assert repository.list_ids(north.shelf.targets) == tuple(made["id"] for made in created)
    assert repository.read_role("targets", north.shelf.targets).version == 1
    assert aurora.json("publish", LIST, aurora.csv(entries(range(20)), header=HEADER))["version"] == 1


def test_it_gives_a_later_list_its_feed(founded: Desk, north: North, people: list[Officer]) -> None:
    made = founded.json(*CREATE)
    assert made["job"] is None
    again = founded.json(*CREATE)
    assert (again["request"], again["id"]) == (made["request"], made["id"])
    for person in people[:2]:
        told = person.sign(made["request"])
    assert told["changes"][0]["role"] == "targets"
    assert made["id"] in told["changes"][0]["lines"][0]
    founded.json("publisher", "submit", made["request"])
    assert founded.json(*CREATE)["request"] is None
    assert north.shelf.targets is not None
    assert repository.list_ids(north.shelf.targets) == (made["id"],)


def test_a_second_list_waits_once_somebody_has_signed(founded: Desk, people: list[Officer]) -> None:
    people[0].sign(founded.json(*CREATE)["request"])
    failed = founded.json(*(word.replace("images", "video") for word in CREATE), exit_code=6)["error"]
    assert "waits for its officers" in failed["detail"]
    founded.json("publisher", "sign-request", "aurora.example", "--drop")
    assert founded.json(*(word.replace("images", "video") for word in CREATE))["request"]


def test_a_renewal_does_not_take_the_place_of_a_list_that_waits(founded: Desk) -> None:
    request = Path(founded.json(*CREATE)["request"])
    before = request.read_bytes()
    assert "waits for its officers" in founded.json(*RENEW, exit_code=6)["error"]["detail"]
    assert request.read_bytes() == before


def test_renewal_writes_one_request_however_often_it_is_run(founded: Desk, north: North, people: list[Officer]) -> None:
    first = founded.json(*RENEW, "--root")
    assert {role: facts["version"] for role, facts in first["roles"].items()} == {"root": 2, "targets": 2}
    people[1].sign(first["request"])
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=20)):
        again = founded.json(*RENEW, "--root")
        assert (again["request"], again["missing"][0]["have"]) == (first["request"], 1)
        people[2].sign(first["request"])
        founded.json("publisher", "submit", first["request"])
    assert north.shelf.root is not None
    assert repository.read_role("root", north.shelf.root).version == 2


def test_sign_request_shows_what_waits(founded: Desk, tmp_path: Path) -> None:
    first = founded.json("publisher", "sign-request", "aurora.example", "--root")
    again = founded.json("publisher", "sign-request", "aurora.example", "-o", tmp_path / "stick.json")
    assert (again["request"], again["roles"]) == (first["request"], first["roles"])
    assert (tmp_path / "stick.json").read_bytes() == Path(first["request"]).read_bytes()


def test_a_lost_answer_is_picked_up_by_submitting_again(aurora: Desk, north: North, people: list[Officer]) -> None:
    request = Path(begin(aurora, people)["request"])
    for person in people[:2]:
        person.sign(request)
    stick = people[0].copy(request)
    north.polls, answer = 1_000_000, north.answer

    def lost(method: str, path: str, headers: object, body: bytes) -> tuple[int, object]:
        return (504, {}) if "/jobs/" in path else answer(method, path, headers, body)

    north.answer = lost  # type: ignore[method-assign]
    aurora.json("publisher", "submit", request, exit_code=5)
    north.answer = answer  # type: ignore[method-assign]
    for job in north.jobs.values():
        job["polls"] = 0
    assert aurora.json("publisher", "submit", request)["job"]["id"] == "job-1"
    again = aurora.json("publisher", "submit", stick)
    assert (again["job"], len(north.jobs)) == (None, 1)
    assert "accepted before; nothing changed" in aurora.run("publisher", "submit", stick).output


def test_a_request_travels_as_one_file(founded: Desk) -> None:
    document = json.loads(Path(founded.json(*RENEW)["request"]).read_text())
    assert document["format"] == "hashshare-signing-request/1"
    assert sorted(document) == ["chain", "format", "officers", "publisher", "roles", "targets"]
    assert [person["name"] for person in document["officers"]] == ["Anna", "Ben", "Carol"]


def test_a_single_key_signs_and_commits_at_once(aurora: Desk, north: North) -> None:
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    assert aurora.json(*CREATE)["request"] is None
    assert aurora.json(*RENEW)["job"]
    waiting = aurora.json("publisher", "sign-request", "aurora.example")
    assert waiting["job"] is None
    assert read_request(Path(waiting["request"]).read_bytes()).publisher == "aurora.example"
    assert aurora.json("publisher", "submit", waiting["request"])["job"]


def test_status_shows_the_root_and_what_waits(founded: Desk) -> None:
    document = founded.json("status", "--offline")
    assert document["requests"] == []
    request = founded.json(*RENEW)["request"]
    assert [row["request"] for row in founded.json("status", "--offline")["requests"]] == [request]
    told = founded.run("status", "--offline").output
    assert f"aurora.example   root {spoken(document['publishers'][0]['fingerprint'])}   confirmed" in told
    assert "targets 2 waits for its officers" in told


def test_an_officers_folder_may_hold_what_is_no_record_of_a_key(aurora: Desk, people: list[Officer]) -> None:
    request = begin(aurora, people)["request"]
    anna = people[0]
    (anna.keys / "holiday.json").write_text("{not json")
    (anna.keys / "notes.json").write_text("{}")
    said = anna.desk.run("publisher", "sign", request, "--yes")
    assert said.exit_code == 0, said.output
    assert "Passed over:" in said.output and "holiday.json is damaged" in said.output
    assert "notes.json" not in said.output


def test_a_damaged_record_of_the_key_that_is_asked_for_signs_nothing(aurora: Desk, people: list[Officer]) -> None:
    request = begin(aurora, people)["request"]
    for role in ("root", "targets"):
        (people[0].keys / f"{role}.json").write_text("{not json")
    said = people[0].desk.run("publisher", "sign", request, "--yes")
    assert said.exit_code == 2
    assert "root.json is damaged" in said.output
    assert "None of the keys here may sign" in said.output


def test_signed_says_how_key_ids_come_to_names(founded: Desk, people: list[Officer]) -> None:
    assert "copy the officers' cards" not in founded.run("publisher", "signed", "aurora.example").output
    cards = founded.home.path / "publisher" / "aurora.example" / "officers"
    shutil.rmtree(cards)
    said = founded.run("publisher", "signed", "aurora.example").output
    assert "copy the officers' cards (NAME.card.json) into" in said
    cards.mkdir()
    for person in people:
        shutil.copy(person.card, cards)
    said = founded.run("publisher", "signed", "aurora.example").output
    assert "Anna" in said and "copy the officers' cards" not in said

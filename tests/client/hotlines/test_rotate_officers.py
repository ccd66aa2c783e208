"""Keys replaced where two of three officers sign: by requests, while releases go on. An officer who lost a key, or from
whom one was stolen, is out by the signatures of the two others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hashshare.client import keyring
from hashshare.client.publisher import OwnPublisher, find_list, own_key
from hashshare.client.signers import find_key
from hashshare.wire import keys, repository
from hashshare.wire.repository.rotation import officer_keys
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import Officer, found, officer, officers
from tests.client.hotlines.test_rotate import ALONE, DOMAIN, find_answers, lose_answers, other_hub_keys

FAMILIES = (("Anna", "Berg"), ("Ben", "Cole"), ("Carol", "Berg"))
CREATE = ("--algorithms", "sha256,md5", "--scheme", "uk-abc", "--columns", "category")


@pytest.fixture
def people(tmp_path: Path) -> list[Officer]:
    return officers(tmp_path)


@pytest.fixture
def founded(aurora: Desk, people: list[Officer]) -> Desk:
    """With one list, published."""
    found(aurora, people)
    request = aurora.json("publisher", "list", "create", LIST, *CREATE)["request"]
    submitted(aurora, people[:2], request)
    aurora.json("publish", LIST, aurora.csv(entries(range(20)), header=HEADER))
    return aurora


def submitted(aurora: Desk, signing: list[Officer], request: str, *, exit_code: int = 0) -> Any:
    for person in signing:
        person.sign(request)
    return aurora.json("publisher", "submit", request, exit_code=exit_code)


def dora(tmp_path: Path) -> Officer:
    return officer(tmp_path / "dora", "Dora")


def held_by(person: Officer, role: str) -> str:
    key = find_key(person.keys, role)
    assert key is not None
    return key.keyid


def named(north: North, role: str) -> set[str]:
    assert north.shelf.root is not None
    return {key.keyid for key in officer_keys(north.shelf.root, role)}


# --- the feed ----------------------------------------------------------------------------------------------------


def test_releases_go_on_under_the_old_key_until_the_new_one_is_accepted(
    founded: Desk, people: list[Officer], north: North
) -> None:
    done = founded.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    mine = OwnPublisher(founded.home, DOMAIN)
    assert done["job"] is None
    assert own_key(mine, "feed").keyid == done["removed"][0]
    more = founded.csv(entries(range(30)), header=HEADER)
    assert founded.json("publish", LIST, more)["version"] == 2

    assert submitted(founded, people[1:], done["request"])["job"]
    assert own_key(mine, "feed").keyid == done["added"][0]
    feed = north.shelf.feeds[find_list(founded.home, LIST).list_id]
    signed = repository.read_role(find_list(founded.home, LIST).list_id, feed)
    assert (signed.version, list(signed.metadata.signatures)) == (3, done["added"])
    assert founded.json("publish", LIST, founded.csv(entries(range(40)), header=HEADER))["version"] == 3


def test_asked_again_it_answers_the_same_request_and_the_same_key(founded: Desk, people: list[Officer]) -> None:
    first = founded.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    people[0].sign(first["request"])
    again = founded.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    assert (again["request"], again["added"]) == (first["request"], first["added"])
    assert [need["have"] for need in again["missing"]] == [1]


def test_a_submission_whose_answer_was_lost_is_finished_by_the_next(
    founded: Desk, people: list[Officer], north: North
) -> None:
    done = founded.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    lose_answers(north)
    submitted(founded, people[:2], done["request"], exit_code=5)
    find_answers(north)
    for job in north.jobs.values():
        while job["state"] in ("queued", "running"):
            north.poll(job)
    founded.json("publisher", "submit", done["request"])
    assert own_key(OwnPublisher(founded.home, DOMAIN), "feed").keyid == done["added"][0]
    assert not keyring.is_under_way(OwnPublisher(founded.home, DOMAIN))


def test_it_tells_what_an_officers_key_has_signed(founded: Desk, people: list[Officer]) -> None:
    """Anna and Ben founded the publisher and gave the list its key."""
    done = founded.json("publisher", "signed", DOMAIN)
    rows = {(row["role"], row["version"]): set(row["signed_by"]) for row in done["officers"]}
    assert rows == {
        ("root", 1): {held_by(person, "root") for person in people[:2]},
        ("targets", 1): {held_by(person, "targets") for person in people[:2]},
        ("targets", 2): {held_by(person, "targets") for person in people[:2]},
    }
    said = founded.run("publisher", "revoke", "officer", DOMAIN, "Ben").output
    assert "These keys have signed so far: root 1, targets 2, targets 1." in said
    assert "Anna" in founded.run("publisher", "signed", DOMAIN).output


# --- officers ----------------------------------------------------------------------------------------------------


def test_an_officer_who_lost_both_keys_is_replaced_by_a_new_card(
    founded: Desk, people: list[Officer], north: North, tmp_path: Path
) -> None:
    new = dora(tmp_path)
    done = founded.json("publisher", "rotate", "root", DOMAIN, "--in-place-of", "Carol", "--card", new.card)
    assert {need["need"] - need["have"] for need in done["missing"]} == {2}
    assert submitted(founded, people[:2], done["request"])["job"]
    for role in ("root", "targets"):
        assert named(north, role) == {held_by(person, role) for person in (*people[:2], new)}

    request = founded.json("publisher", "renew", DOMAIN)["request"]
    refused = people[2].sign(request, exit_code=2)["error"]
    assert "None of the keys here may sign" in refused["detail"]
    assert submitted(founded, [people[0], new], request)["job"]
    assert founded.json("publish", LIST, founded.csv(entries(range(30)), header=HEADER))["version"] == 2


def test_one_of_an_officers_keys_is_replaced_by_its_id(
    founded: Desk, people: list[Officer], north: North, tmp_path: Path
) -> None:
    """Carol's new card has her old root key: only targets change."""
    (people[2].keys / "targets.pem").unlink()
    (people[2].keys / "targets.json").unlink()
    people[2].card.unlink()
    card = people[2].desk.json("publisher", "officer", "Carol", "--no-passphrase")["card"]
    before = named(north, "root")
    done = founded.json("publisher", "rotate", "targets", DOMAIN, "--in-place-of", "Carol", "--card", card)
    assert submitted(founded, people[:2], done["request"])["job"]
    assert named(north, "root") == before
    assert held_by(people[2], "targets") in named(north, "targets")


def test_an_officers_own_new_card_replaces_one_key_after_the_other(
    founded: Desk, people: list[Officer], north: North, tmp_path: Path
) -> None:
    """By her name, as often as it is asked: the card that she had before is not forgotten while its keys stand."""
    again = officer(tmp_path / "again", "Anna")
    for role in ("targets", "root"):
        words = ("publisher", "rotate", role, DOMAIN, "--in-place-of", "Anna", "--card", again.card)
        done = founded.json(*words)
        assert founded.json(*words)["request"] == done["request"]
        assert (done["removed"], done["added"]) == ([held_by(people[0], role)], [held_by(again, role)])
        assert submitted(founded, people[1:], done["request"])["job"]
        assert named(north, role) == {held_by(person, role) for person in (again, *people[1:])}
    assert founded.json(*words)["request"] is None


def test_two_officers_of_one_name_are_told_apart_by_key(founded: Desk, people: list[Officer], tmp_path: Path) -> None:
    second = officer(tmp_path / "second", "Anna")
    done = founded.json("publisher", "rotate", "root", DOMAIN, "--in-place-of", "Ben", "--card", second.card)
    submitted(founded, [people[0], people[2]], done["request"])
    error = founded.json("publisher", "revoke", "officer", DOMAIN, "Anna", exit_code=2)["error"]
    assert held_by(people[0], "root")[:12] in error["detail"]
    done = founded.json("publisher", "revoke", "officer", DOMAIN, held_by(second, "root")[:12])
    assert sorted(done["removed"]) == sorted(held_by(second, role) for role in ("root", "targets"))


def test_a_stolen_officers_key_is_out_with_nobody_in_its_place(
    founded: Desk, people: list[Officer], north: North
) -> None:
    done = founded.json("publisher", "revoke", "officer", DOMAIN, held_by(people[2], "root")[:12])
    assert sorted(done["removed"]) == sorted(held_by(people[2], role) for role in ("root", "targets"))
    submitted(founded, people[:2], done["request"])
    assert named(north, "root") == {held_by(person, "root") for person in people[:2]}
    again = founded.json("publisher", "revoke", "officer", DOMAIN, "Ben", exit_code=2)["error"]
    assert "1 root keys are left, and 2 have to sign" in again["detail"]
    assert "--card" in again["next_step"]
    assert not founded.json("publisher", "sign-request", DOMAIN, "--drop")["dropped"]


def test_every_officer_is_replaced_at_once(founded: Desk, people: list[Officer], north: North, tmp_path: Path) -> None:
    """The old two sign for what was, the new two for what comes."""
    (tmp_path / "new").mkdir()
    new = officers(tmp_path / "new", ("Dora", "Emil", "Fay"))
    words = [
        word for old, one in zip(people, new, strict=True) for word in ("--in-place-of", old.name, "--card", one.card)
    ]
    request = founded.json("publisher", "rotate", "root", DOMAIN, *words)["request"]
    half = submitted(founded, people[:2], request, exit_code=6)
    assert half["job"] is None
    assert submitted(founded, new[1:], request)["job"]
    for role in ("root", "targets"):
        assert named(north, role) == {held_by(person, role) for person in new}
    assert founded.json("publish", LIST, founded.csv(entries(range(30)), header=HEADER))["version"] == 2


def test_a_trial_is_given_to_officers(images: Desk, people: list[Officer], north: North) -> None:
    """One key of each kind becomes two of three; the old keys are left to be destroyed."""
    mine = OwnPublisher(images.home, DOMAIN)
    old = {role: own_key(mine, role).keyid for role in ("root", "targets")}
    cards = [word for person in people for word in ("--card", person.card)]
    done = images.json("publisher", "rotate", "root", DOMAIN, *cards)
    assert sorted(done["removed"]) == sorted(old.values())
    assert {(need["by"], need["need"] - need["have"]) for need in done["missing"]} == {("root 2", 2)}
    assert submitted(images, people[:2], done["request"])["job"]
    for role in ("root", "targets"):
        assert named(north, role) == {held_by(person, role) for person in people}
        assert find_key(mine.keys_folder, role) is None and not mine.key_path(role).exists()
    assert {key.keyid for key in keyring.retired_keys(mine)} == set(old.values())
    assert images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))["version"] == 1
    assert images.json("publisher", "renew", DOMAIN)["job"] is None


def test_two_lost_of_three_leave_nothing_to_sign_with(founded: Desk, people: list[Officer], tmp_path: Path) -> None:
    """Then only a new identity helps; the request says whose signature lacks."""
    new = dora(tmp_path)
    words = ("--in-place-of", "Carol", "--card", new.card)
    request = founded.json("publisher", "rotate", "root", DOMAIN, *words)["request"]
    left = submitted(founded, [people[0], new], request, exit_code=6)
    assert left["job"] is None
    lacking = [need for need in left["missing"] if need["by"] == "root 1"]
    assert [(need["role"], need["have"], need["need"]) for need in lacking] == [("root", 1, 2)]
    assert {row["name"] for row in lacking[0]["unsigned"]} <= {"Ben", "Carol", ""}


def test_a_theft_does_not_wait_behind_another_request(founded: Desk, people: list[Officer], north: North) -> None:
    waiting = founded.json("publisher", "renew", DOMAIN)["request"]
    assert founded.json("publisher", "rotate", "hub", DOMAIN)["job"] is None
    refused = founded.json("publisher", "rotate", "feed", DOMAIN, ALONE, exit_code=6)["error"]
    assert "--drop" in refused["next_step"]
    done = founded.json("publisher", "revoke", "officer", DOMAIN, "Carol")
    assert done["request"] != waiting and not Path(waiting).exists()
    people[0].sign(done["request"])
    again = founded.json("publisher", "revoke", "officer", DOMAIN, "Carol")
    assert {need["have"] for need in again["missing"]} == {1}
    assert submitted(founded, [people[1]], done["request"])["job"]


@pytest.mark.parametrize("kept", [0, 1])
def test_the_hubs_new_keys_go_to_the_officers_too(
    founded: Desk, people: list[Officer], north: North, kept: int
) -> None:
    """The standby took over, or both keys were lost."""
    before = {key.keyid for key in north.keys}
    other_hub_keys(north, [north.private[1], keys.generate()] if kept else [keys.generate(), keys.generate()])
    done = founded.json("publisher", "rotate", "hub", DOMAIN)
    assert set(done["removed"]) == before - {key.keyid for key in north.keys}
    submitted(founded, people[:2], done["request"])
    assert named(north, "timestamp") == {key.keyid for key in north.keys}
    assert founded.json("publish", LIST, founded.csv(entries(range(30)), header=HEADER))["version"] == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--in-place-of", "Nobody"), "for each --in-place-of"),
        (("--in-place-of", "Carol", "--card", "CARD", "--threshold", "2"), "of all officers"),
        (("--card", "CARD", "--threshold", "2"), "needs 2 signatures of 1 keys"),
        (("--in-place-of", "abc", "--card", "CARD"), "No key of"),
        (("--in-place-of", "Anna", "--card", "ANNA"), "Nothing"),
    ],
)
def test_it_refuses_what_replaces_nobody(
    founded: Desk, people: list[Officer], tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    cards = {"CARD": lambda: str(dora(tmp_path).card), "ANNA": lambda: str(people[0].card)}
    given = [cards[word]() if word in cards else word for word in words]
    said = founded.run("publisher", "rotate", "root", DOMAIN, *given)
    assert why in said.output
    assert not list(OwnPublisher(founded.home, DOMAIN).requests_folder.glob("*.json"))


def test_one_word_of_a_name_will_do_where_one_officer_has_it(aurora: Desk, tmp_path: Path) -> None:
    people = [officer(tmp_path / name, f"{name} {family}") for name, family in FAMILIES]
    found(aurora, people)
    refused = aurora.json("publisher", "revoke", "officer", DOMAIN, "Berg", exit_code=2)
    assert "'Berg' (Anna Berg, Ben Cole, Carol Berg)" in refused["error"]["detail"]
    done = aurora.json("publisher", "revoke", "officer", DOMAIN, "cole")
    assert sorted(done["removed"]) == sorted(held_by(people[1], role) for role in ("root", "targets"))

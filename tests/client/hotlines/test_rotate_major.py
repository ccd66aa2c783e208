"""The keys that sign for large losses are the officers' own: they go and come with an officer's targets key, and what
they have signed is signed anew in the same commit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hashshare.client.publisher import OwnPublisher
from hashshare.client.signed_majors import signed_major
from hashshare.wire import repository
from hashshare.wire.repository.rotation import major_keys
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import Officer, found, officers
from tests.client.hotlines.test_rotate import ALONE, DOMAIN
from tests.client.hotlines.test_rotate_officers import CREATE, dora, held_by, submitted

ALLOWED = ("--reason", "other", "--allow-withdrawals", "300")


@pytest.fixture
def people(tmp_path: Path) -> list[Officer]:
    return officers(tmp_path)


@pytest.fixture
def guarded(aurora: Desk, north: North, people: list[Officer]) -> Desk:
    """Majors are the officers', and one was signed by Anna and Carol."""
    found(aurora, people)
    for words in (("list", "create", LIST, *CREATE), ("major", DOMAIN)):
        submitted(aurora, people[:2], aurora.json("publisher", *words)["request"])
    aurora.json("publish", LIST, aurora.csv(entries(range(1_000)), header=HEADER))
    north.window = (0, 1_000)
    lose(aurora, [people[0], people[2]], range(300, 1_000))
    return aurora


def lose(aurora: Desk, signing: list[Officer], kept: range) -> None:
    waits = aurora.json("publish", LIST, aurora.csv(entries(kept), header=HEADER), *ALLOWED, exit_code=6)
    assert submitted(aurora, signing, waits["request"])["job"]


def holders(north: North) -> set[str]:
    assert north.shelf.targets is not None
    given = major_keys(north.shelf.targets)
    assert given is not None
    return {key.keyid for key in given[0]}


def test_an_officer_who_is_replaced_signs_no_major_any_more(
    guarded: Desk, north: North, people: list[Officer], tmp_path: Path
) -> None:
    new = dora(tmp_path)
    before = north.shelf.major
    assert before is not None
    done = guarded.json("publisher", "rotate", "root", DOMAIN, "--in-place-of", "Carol", "--card", new.card)
    assert sorted(done["roles"]) == ["major", "root", "targets"]
    assert submitted(guarded, people[:2], done["request"])["job"]
    assert holders(north) == {held_by(person, "targets") for person in (*people[:2], new)}
    assert north.shelf.major is not None
    assert repository.major_documents(north.shelf.major) == repository.major_documents(before)
    assert signed_major(OwnPublisher(guarded.home, DOMAIN)) == north.shelf.major, "a hub that loses it is sent it again"
    lose(guarded, [people[1], new], range(600, 1_000))


def test_a_stolen_officers_key_signs_no_major_any_more(guarded: Desk, north: North, people: list[Officer]) -> None:
    done = guarded.json("publisher", "revoke", "officer", DOMAIN, "Carol")
    assert submitted(guarded, people[:2], done["request"])["job"]
    assert holders(north) == {held_by(person, "targets") for person in people[:2]}


def test_a_new_root_key_alone_leaves_majors_as_they_are(guarded: Desk, people: list[Officer], tmp_path: Path) -> None:
    (people[2].keys / "root.pem").unlink()
    (people[2].keys / "root.json").unlink()
    people[2].card.unlink()
    card = people[2].desk.json("publisher", "officer", "Carol", "--no-passphrase")["card"]
    done = guarded.json("publisher", "rotate", "root", DOMAIN, "--in-place-of", "Carol", "--card", card)
    assert list(done["roles"]) == ["root"]


def test_a_trials_majors_are_given_to_officers_with_the_rest(images: Desk, north: North, people: list[Officer]) -> None:
    images.json("publisher", "major", DOMAIN, "--no-passphrase")
    images.json("publish", LIST, images.csv(entries(range(1_000)), header=HEADER))
    north.window = (0, 1_000)
    images.json("publish", LIST, images.csv(entries(range(300, 1_000)), header=HEADER), *ALLOWED)
    assert north.shelf.major is not None
    cards = [word for person in people for word in ("--card", person.card)]
    done = images.json("publisher", "rotate", "root", DOMAIN, *cards)
    assert submitted(images, people[:2], done["request"])["job"]
    assert holders(north) == {held_by(person, "targets") for person in people}
    lose(images, people[1:], range(600, 1_000))


def test_a_feed_key_changes_hands_beside_a_major_role(guarded: Desk, north: North, people: list[Officer]) -> None:
    before = north.shelf.major
    done = guarded.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    assert len(done["lists"]) == 1
    assert submitted(guarded, people[:2], done["request"])["job"]
    assert north.shelf.major == before
    more = guarded.csv(entries(range(2_000, 2_003)), header=HEADER)
    assert guarded.json("publish", LIST, more, "--changes")["version"] == 3


def test_those_who_sign_a_major_anew_are_told_what_it_lets_go(
    guarded: Desk, people: list[Officer], tmp_path: Path
) -> None:
    done = guarded.json("publisher", "rotate", "root", DOMAIN, "--in-place-of", "Carol", "--card", dora(tmp_path).card)
    said = " ".join(people[0].desk.run("publisher", "sign", done["request"], "--yes").output.split())
    day = datetime.now(UTC).date()
    assert f"Signed again, as it stood: 300 entries of the 1,000 (30.0 %) of {LIST} may go with its version 2" in said
    assert f"version 2, asked for on {day}, manifest" in said


def test_where_its_documents_are_gone_that_is_said_too(guarded: Desk, people: list[Officer], tmp_path: Path) -> None:
    for path in (OwnPublisher(guarded.home, DOMAIN).folder / "signed-majors").iterdir():
        path.unlink()
    done = guarded.json("publisher", "rotate", "root", DOMAIN, "--in-place-of", "Carol", "--card", dora(tmp_path).card)
    said = " ".join(people[0].desk.run("publisher", "sign", done["request"], "--yes").output.split())
    assert "Signed again, as before: 1 large loss that stood, of which nothing is told here." in said

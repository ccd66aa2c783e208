"""Signing requests that must not be signed or handed in, and officers who cannot: refused by name, nothing changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from hashshare.client.publisher import OwnPublisher
from hashshare.wire import keys, limits, repository
from hashshare.wire.repository.request_files import MAX_REQUEST
from tests.client.hotlines.desk import LIST, Desk, desk
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import Officer, begin, found, officers

RENEW = ("publisher", "renew", "aurora.example")
SUBMIT = ("publisher", "submit")


@pytest.fixture
def people(tmp_path: Path) -> list[Officer]:
    return officers(tmp_path)


@pytest.fixture
def founded(aurora: Desk, people: list[Officer]) -> Desk:
    found(aurora, people)
    return aurora


@pytest.fixture
def waiting(founded: Desk) -> Path:
    """A request for a renewal of root and targets."""
    return Path(founded.json(*RENEW, "--root")["request"])


def edited(path: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    document = json.loads(path.read_text())
    edit(document)
    copy = path.with_name("edited.json")
    copy.write_text(json.dumps(document))
    return copy


def put(document: dict[str, Any], role: str, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change what a role would say."""
    metadata = json.loads(base64.b64decode(document["roles"][role]))
    edit(metadata["signed"])
    document["roles"][role] = base64.b64encode(json.dumps(metadata).encode()).decode()


# --- what an officer refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not strict JSON"),
        (b"\x00" * 4096, "not strict JSON"),
        (b"[]", "not a JSON object"),
        (b'{"format":"hashshare-signing-request/2"}', "format is not"),
        (b"{" + b" " * MAX_REQUEST + b"}", "are allowed"),
    ],
    ids=["empty", "binary", "array", "newer", "oversized"],
)
def test_it_refuses_what_is_no_request(people: list[Officer], tmp_path: Path, body: bytes, says: str) -> None:
    (tmp_path / "stick.json").write_bytes(body)
    error = people[0].sign(tmp_path / "stick.json", exit_code=4)["error"]
    assert error["type"] == "malformed-signing-request"
    assert says in error["detail"]
    assert error["next_step"].startswith("Sign nothing of it.")
    assert (tmp_path / "stick.json").read_bytes() == body


def test_it_refuses_a_file_that_is_not_there(people: list[Officer], tmp_path: Path) -> None:
    assert "No such file" in people[0].sign(tmp_path / "none.json", exit_code=1)["error"]["detail"]
    assert people[0].sign(tmp_path, exit_code=1)["error"]["detail"]


def test_it_refuses_a_request_that_was_changed_on_its_way(waiting: Path, people: list[Officer]) -> None:
    """Each way is tried in tests/wire/test_signing_requests.py."""
    copy = edited(waiting, lambda d: put(d, "root", lambda s: s["roles"]["root"].update(note="trust me")))
    before = copy.read_bytes()
    error = people[0].sign(copy, exit_code=4)["error"]
    assert "does not know" in error["detail"]
    assert copy.read_bytes() == before


def test_it_refuses_a_root_for_a_hundred_years(waiting: Path, people: list[Officer]) -> None:
    copy = edited(waiting, lambda d: put(d, "root", lambda s: s.update(expires="2126-01-01T00:00:00Z")))
    error = people[0].sign(copy, exit_code=4)["error"]
    assert "this machine's clock" in error["detail"]
    assert "sign nothing" in error["next_step"]


def test_it_refuses_what_has_expired(waiting: Path, people: list[Officer]) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=91)):
        error = people[0].sign(waiting, exit_code=6)["error"]
    assert error["type"] == "stale-signing-request"
    assert "expired" in error["detail"]


def test_an_officer_who_is_not_asked_cannot_sign(waiting: Path, people: list[Officer], tmp_path: Path) -> None:
    stranger = officers(tmp_path, ("Dora",))[0]
    error = stranger.sign(waiting, exit_code=2)["error"]
    assert "None of the keys here" in error["detail"]
    assert "Anna" in error["next_step"]


def test_an_officer_signs_once(waiting: Path, people: list[Officer]) -> None:
    people[0].sign(waiting)
    before = waiting.read_bytes()
    assert people[0].sign(waiting)["signed_with"] == []
    assert waiting.read_bytes() == before


def test_it_asks_before_it_signs(waiting: Path, people: list[Officer]) -> None:
    before = waiting.read_bytes()
    asked = people[0].desk.run("publisher", "sign", waiting)
    assert asked.exit_code == 2
    assert "Nobody is there to confirm" in asked.output
    assert waiting.read_bytes() == before


def test_it_warns_of_two_contents_under_one_version(founded: Desk, waiting: Path, people: list[Officer]) -> None:
    people[0].sign(waiting)
    founded.json("publisher", "sign-request", "aurora.example", "--drop")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        other = Path(founded.json(*RENEW, "--root")["request"])
        warnings = people[0].sign(other)["warnings"]
    assert len(warnings) == 2
    assert "You signed another root 2 of aurora.example" in warnings[0]


def test_it_refuses_another_publisher_under_the_same_name(waiting: Path, people: list[Officer], north: North) -> None:
    """Somebody at the hotline's machine begins anew, with the same officers, under a root that they never signed."""
    people[0].sign(waiting)
    evil = [keys.tuf_signer(keys.generate()) for _ in range(2)]
    root = repository.create_root(
        root_keys=[signer.public_key for signer in evil],
        targets_keys=[evil[1].public_key],
        hub_keys=north.keys,
        signers=evil[:1],
        now=datetime.now(UTC),
    )
    targets = repository.create_targets(signers=[evil[1]], now=datetime.now(UTC))

    def replace(document: dict[str, Any]) -> None:
        text = base64.b64encode(root).decode()
        renewed = repository.renew_targets(targets, signers=[], now=datetime.now(UTC))
        document.update(chain=[text], targets=base64.b64encode(targets).decode())
        document["roles"] = {"targets": base64.b64encode(renewed).decode()}

    error = people[0].sign(edited(waiting, replace), exit_code=4)["error"]
    assert "another root of aurora.example" in error["detail"]
    assert "telephone" in error["next_step"]


# --- what the hotline's machine refuses ----------------------------------------------------------------------------


def test_it_refuses_a_request_of_another_publisher(founded: Desk, waiting: Path, north: North) -> None:
    copy = edited(waiting, lambda d: d.update(publisher="borealis.example"))
    jobs = len(north.jobs)
    error = founded.json(*SUBMIT, copy, exit_code=2)["error"]
    assert "borealis.example, which is not published from this machine" in error["detail"]
    assert len(north.jobs) == jobs


def test_it_refuses_copies_of_different_requests(founded: Desk, waiting: Path, people: list[Officer]) -> None:
    first = people[0].copy(waiting)
    founded.json("publisher", "sign-request", "aurora.example", "--drop")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        second = Path(founded.json(*RENEW)["request"])
        assert "not copies of one" in founded.json(*SUBMIT, first, second, exit_code=4)["error"]["detail"]
        assert "waits for its officers" in founded.json(*SUBMIT, first, exit_code=6)["error"]["detail"]


def test_it_refuses_a_request_that_the_hub_has_left_behind(
    founded: Desk, waiting: Path, people: list[Officer], north: North
) -> None:
    old = people[2].copy(waiting)
    for person in people[:2]:
        person.sign(old)
    founded.json("publisher", "sign-request", "aurora.example", "--drop")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1)):
        north.seal()
        new = Path(founded.json(*RENEW)["request"])
        for person in people[:2]:
            person.sign(new)
        founded.json(*SUBMIT, new)
        jobs = len(north.jobs)
        error = founded.json(*SUBMIT, old, exit_code=6)["error"]
    assert error["type"] == "stale-signing-request"
    assert "Make the request anew" in error["next_step"]
    assert len(north.jobs) == jobs


def test_signatures_of_others_count_for_nothing(founded: Desk, waiting: Path, north: North) -> None:
    """Somebody adds signatures with keys of their own, and under the officers' ids."""
    thief = keys.tuf_signer(keys.generate())

    def forge(document: dict[str, Any]) -> None:
        for role in ("root", "targets"):
            metadata = json.loads(base64.b64decode(document["roles"][role]))
            signature = thief.sign(b"anything").to_dict()
            root = json.loads(base64.b64decode(document["chain"][0]))["signed"]
            named = [*root["roles"][role]["keyids"], thief.public_key.keyid]
            metadata["signatures"] = [{**signature, "keyid": keyid} for keyid in named]
            document["roles"][role] = base64.b64encode(json.dumps(metadata).encode()).decode()

    jobs = len(north.jobs)
    done = founded.json(*SUBMIT, edited(waiting, forge), exit_code=6)
    assert {need["have"] for need in done["missing"]} == {0}
    assert len(north.jobs) == jobs


def test_another_machine_of_the_hotline_cannot_submit_a_founding(
    aurora: Desk, people: list[Officer], tmp_path: Path
) -> None:
    request = begin(aurora, people)["request"]
    (tmp_path / "other").mkdir()
    elsewhere = desk(tmp_path / "other", aurora.home.config().hub_url)
    assert "not published from this machine" in elsewhere.json(*SUBMIT, request, exit_code=2)["error"]["detail"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--threshold", "4"), "4 of 3 officers"),
        (("--threshold", "0"), "0 of 3 officers"),
        (("--root-key", "hsm:2"), "officers' own"),
    ],
)
def test_it_refuses_officers_that_cannot_be(
    aurora: Desk, people: list[Officer], words: tuple[str, ...], says: str
) -> None:
    cards = [word for person in people for word in ("--officer", str(person.card))]
    failed = aurora.json("publisher", "init", "aurora.example", *cards, *words, exit_code=2)
    assert says in failed["error"]["detail"]
    assert not OwnPublisher(aurora.home, "aurora.example").folder.exists()


def test_it_refuses_one_card_twice_and_what_is_no_card(aurora: Desk, people: list[Officer], tmp_path: Path) -> None:
    card = people[0].card
    init = ("publisher", "init", "aurora.example", "--no-passphrase")
    assert "in common" in aurora.json(*init, "--officer", card, "--officer", card, exit_code=2)["error"]["detail"]
    (tmp_path / "no.card.json").write_bytes(b"{" + b" " * 32 * limits.KIB + b"}")
    assert "are allowed" in aurora.json(*init, "--officer", tmp_path / "no.card.json", exit_code=4)["error"]["detail"]
    (tmp_path / "no.card.json").write_text(card.read_text().replace('"fingerprint":"', '"fingerprint":"0'))
    assert "fingerprint" in aurora.json(*init, "--officer", tmp_path / "no.card.json", exit_code=4)["error"]["detail"]


def test_an_officers_folder_belongs_to_one(people: list[Officer]) -> None:
    failed = people[0].desk.json("publisher", "officer", "Eve", "--no-passphrase", exit_code=2)["error"]
    assert "keys of Anna" in failed["detail"]
    again = people[0].desk.json("publisher", "officer", "Anna", "--no-passphrase")
    assert Path(again["card"]).read_bytes() == people[0].card.read_bytes()


def test_keys_that_were_moved_away_are_not_made_anew(people: list[Officer]) -> None:
    (people[0].keys / "root.pem").rename(people[0].desk.folder / "root.pem")
    again = people[0].desk.json("publisher", "officer", "Anna", "--no-passphrase")
    assert Path(again["card"]).read_bytes() == people[0].card.read_bytes()
    assert not (people[0].keys / "root.pem").exists()


def test_a_key_elsewhere_is_named_by_its_file(waiting: Path, people: list[Officer]) -> None:
    moved = people[0].desk.folder / "moved.pem"
    (people[0].keys / "root.pem").rename(moved)
    assert [key["name"] for key in people[0].sign(waiting)["signed_with"]] == ["targets"]
    assert [key["name"] for key in people[0].sign(waiting, "--key", moved)["signed_with"]] == ["moved"]


def test_a_list_needs_a_publisher(aurora: Desk) -> None:
    create = ("publisher", "list", "create", LIST, "--algorithms", "sha256", "--scheme", "uk-abc")
    assert "publisher init" in aurora.json(*create, exit_code=2)["error"]["next_step"]

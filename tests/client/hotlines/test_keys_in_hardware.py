"""Keys in a PKCS#11 token, for officers and for the feed: they sign what hub and members accept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hashshare.client.publisher import OwnPublisher
from hashshare.wire import repository
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import Officer, begin, officers
from tests.client.hotlines.token import PIN, Token, make_token

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


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    before = dict(os.environ)
    yield make_token(tmp_path_factory.mktemp("token"), keys=5)
    os.environ.clear()
    os.environ.update(before)


def test_every_key_of_a_publisher_may_be_in_hardware(aurora: Desk, north: North, token: Token) -> None:
    named = [
        word
        for number, role in enumerate(("root", "targets", "feed"), start=1)
        for word in (f"--{role}-key", token.uri(number))
    ]
    made = aurora.json("publisher", "init", "aurora.example", *named)
    assert made["keys_made"] == []
    assert aurora.json(*CREATE)["job"]
    assert aurora.json("publish", LIST, aurora.csv(entries(range(20)), header=HEADER))["version"] == 1
    assert aurora.json("publisher", "renew", "aurora.example", "--root")["job"]
    assert north.shelf.root is not None
    root = repository.read_role("root", north.shelf.root).signed
    assert {root.keys[keyid].scheme for keyid in root.roles["root"].keyids} == {"ecdsa-sha2-nistp256"}
    folder = OwnPublisher(aurora.home, "aurora.example").keys_folder
    assert sorted(path.name for path in folder.iterdir()) == ["feed.json", "root.json", "targets.json"]
    assert not any(PIN in path.read_text() for path in aurora.home.path.rglob("*.json"))


def test_an_officer_signs_with_a_token(aurora: Desk, north: North, token: Token, tmp_path: Path) -> None:
    people = officers(tmp_path, ("Anna", "Ben"))
    desk = people[0].desk
    again = ("publisher", "officer", "Carol", "--out", tmp_path / "carol")
    made = desk.json(*again, "--root-key", token.uri(4), "--targets-key", token.uri(5))
    card = Path(made["card"])
    request = begin(aurora, [*people, Officer("Carol", desk, card)])["request"]
    people[1].sign(request)
    signed = desk.json("publisher", "sign", request, "--yes", "--keys", tmp_path / "carol")
    assert [key["name"] for key in signed["signed_with"]] == ["root", "targets"]
    assert aurora.json("publisher", "submit", request)["job"]
    assert north.shelf.root is not None


def test_a_key_may_be_named_by_its_uri_alone(aurora: Desk, token: Token, tmp_path: Path) -> None:
    people = officers(tmp_path, ("Anna",))
    made = people[0].desk.json(
        "publisher", "officer", "Carol", "--out", tmp_path / "carol",
        "--root-key", token.uri(4), "--targets-key", token.uri(5),
    )  # fmt: skip
    request = begin(aurora, [*people, Officer("Carol", people[0].desk, Path(made["card"]))])["request"]
    elsewhere = ("--keys", tmp_path / "empty", "--key", token.uri(4), "--key", token.uri(5))
    (tmp_path / "empty").mkdir()
    assert len(people[0].desk.json("publisher", "sign", request, "--yes", *elsewhere)["signed_with"]) == 2


@pytest.mark.parametrize(
    ("uri", "environment", "says"),
    [
        ("hsm:9?label=aurora", {}, "could not find"),
        ("hsm:1?label=borealis", {}, "No PKCS#11 token"),
        ("hsm:one", {}, "cannot be used"),
        ("hsm:1?label=aurora", {"PYKCS11LIB": ""}, "PYKCS11LIB"),
        ("vault:1", {}, "not the URI of a key"),
    ],
)
def test_a_key_that_is_not_there_is_said_by_its_uri(
    aurora: Desk, token: Token, monkeypatch: pytest.MonkeyPatch, uri: str, environment: dict[str, str], says: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    failed = aurora.json("publisher", "init", "aurora.example", "--no-passphrase", "--root-key", uri, exit_code=2)
    assert says in failed["error"]["detail"]
    assert uri in failed["error"]["detail"]


def test_a_wrong_pin_signs_nothing(aurora: Desk, north: North, token: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    init = ("publisher", "init", "aurora.example", "--no-passphrase", "--root-key", token.uri(1))
    monkeypatch.setenv("HASHSHARE_PIN", "314159")
    failed = aurora.json(*init, exit_code=2)["error"]
    assert "PinIncorrect" in failed["detail"]
    assert north.jobs == {}
    monkeypatch.setenv("HASHSHARE_PIN", PIN)
    assert aurora.json(*init)["job"]

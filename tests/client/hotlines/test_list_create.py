"""`publisher list create`: an entry in the catalogue and a delegated feed role; safe to repeat."""

from __future__ import annotations

import pytest

from hashshare.client.publisher import OwnPublisher, find_list
from hashshare.wire.repository import list_ids
from tests.client.hotlines.desk import LIST, Desk
from tests.client.hotlines.north import North

CREATE = ("publisher", "list", "create", LIST, "--algorithms", "sha256,md5", "--scheme", "uk-abc")


@pytest.fixture
def ready(aurora: Desk) -> Desk:
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    return aurora


def test_it_enters_the_list_and_delegates_its_feed(ready: Desk, north: North) -> None:
    done = ready.json(*CREATE, "--columns", "media,category", "--title", "Known images")
    assert done["columns"] == ["category", "media"]
    assert north.lists["images"]["title"] == "Known images"
    assert north.shelf.targets is not None
    assert list_ids(north.shelf.targets) == (done["id"],)
    assert find_list(ready.home, "images").list_id == done["id"]


@pytest.mark.parametrize(("words", "hours"), [((), 24), (("--deadline-hours", "6"), 6)])
def test_it_says_how_fast_withdrawals_have_to_be_applied(
    ready: Desk, north: North, words: tuple[str, ...], hours: int
) -> None:
    ready.json(*CREATE, *words)
    assert north.lists["images"]["deadline_hours"] == hours


def test_it_keeps_one_id_however_often_it_is_run(ready: Desk, north: North) -> None:
    first = ready.json(*CREATE)
    again = ready.json(*CREATE)
    assert again["id"] == first["id"]
    assert again["job"] is None
    assert len(north.jobs) == 2


def test_it_goes_on_when_killed_before_the_feed_was_delegated(
    ready: Desk, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("hashshare.client.identity._delegate", die)
        assert ready.run(*CREATE).exit_code == 130
    chosen = north.lists["images"]["id"]
    assert ready.json(*CREATE)["id"] == chosen
    assert north.shelf.targets is not None
    assert list_ids(north.shelf.targets) == (chosen,)


def test_it_delegates_a_second_list_beside_the_first(ready: Desk, north: North) -> None:
    first = ready.json(*CREATE)
    second = ready.json(*(word.replace("images", "video") for word in CREATE))
    assert north.shelf.targets is not None
    assert list_ids(north.shelf.targets) == (first["id"], second["id"])


def test_it_rejects_a_change_of_what_the_list_declares(ready: Desk) -> None:
    ready.json(*CREATE)
    failed = ready.json(*CREATE, "--columns", "category", exit_code=2)
    assert "created with other" in failed["error"]["detail"]


def test_it_forgets_the_id_of_a_list_that_the_hub_refused(ready: Desk, north: North) -> None:
    north.lists["images"] = {"slug": "images", "id": "0123456789abcdef"}
    ready.json(*CREATE, exit_code=6)
    assert OwnPublisher(ready.home, "aurora.example").slugs == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("--algorithms", "sha257"),
        ("--scheme", "mine"),
        ("--columns", "colour"),
        ("--redistribution", "everybody"),
    ],
)
def test_it_rejects_what_no_list_may_declare(ready: Desk, north: North, wrong: tuple[str, str]) -> None:
    ready.json(*CREATE, *wrong, exit_code=2)
    assert north.lists == {}

"""`publisher list redistribution`, and the same words of `publisher list create`."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hashshare.client.adoption import manifest_of
from hashshare.client.publisher import find_list, save_list
from hashshare.wire.manifest import Manifest, Redistribution
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North

CHANGE = ("publisher", "list", "redistribution", LIST)


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    return images


def signed(desk: Desk, north: North) -> Manifest:
    return north.shelf.manifests[find_list(desk.home, LIST).list_id]


def test_a_new_policy_is_signed_at_once_and_changes_no_entry(published: Desk, north: North) -> None:
    done = published.json(*CHANGE, "--policy", "named", "--peers", "south.example,east.example", "--not-in", "us,CN")
    assert done["before"] == {"policy": "none"}
    wanted = {"policy": "named", "peers": ["south.example", "east.example"], "not_in": ["US", "CN"]}
    assert (done["redistribution"], done["version"]) == (wanted, 2)
    manifest = signed(published, north)
    assert (manifest.redistribution.to_json(), manifest.version, manifest.entries) == (wanted, 2, 20)
    assert [(it.upserts, it.withdrawals) for it in manifest.segments] == [(0, 0)]


def test_later_releases_go_on_saying_it(published: Desk, north: North) -> None:
    published.json(*CHANGE, "--policy", "federation")
    published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    assert signed(published, north).redistribution == Redistribution("federation")


def test_another_machine_with_an_older_record_does_not_take_it_back(published: Desk, north: North) -> None:
    published.json(*CHANGE, "--policy", "federation")
    published.json(*CHANGE, "--policy", "none")
    own = find_list(published.home, LIST)
    save_list(own.publisher, own.slug, dataclasses.replace(own.terms, redistribution=Redistribution("federation")))
    published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    assert signed(published, north).redistribution == Redistribution()


def test_saying_it_again_publishes_nothing(published: Desk, north: North) -> None:
    published.json(*CHANGE, "--policy", "federation", "--not-in", "US")
    jobs = len(north.jobs)
    done = published.json(*CHANGE, "--policy", "federation", "--not-in", "US")
    assert (done["job"], done["version"], len(north.jobs)) == (None, 2, jobs)
    assert "nothing changed" in published.run(*CHANGE, "--policy", "federation", "--not-in", "US").stdout


def test_before_the_first_release_it_is_kept_for_that(images: Desk, north: North) -> None:
    assert "its first release will say it" in images.run(*CHANGE, "--policy", "federation").stdout
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    assert signed(images, north).redistribution == Redistribution("federation")


def test_what_a_newer_program_said_beside_it_stays(published: Desk, north: North) -> None:
    real = manifest_of(find_list(published.home, LIST))
    newer = dataclasses.replace(real, redistribution=Redistribution("none", extra={"after": "2028"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hashshare.client.redistributing.manifest_of", lambda _: newer)
        published.json(*CHANGE, "--policy", "federation")
    assert signed(published, north).redistribution.to_json() == {"policy": "federation", "after": "2028"}


def test_of_a_hosted_list_it_says_what_to_do(published: Desk, north: North, monkeypatch: pytest.MonkeyPatch) -> None:
    """No upload in the browser changes it."""
    monkeypatch.setattr("hashshare.client.hosting.is_hosted", lambda _: True)
    refused = published.json(*CHANGE, "--policy", "federation", exit_code=2)["error"]
    assert "no upload changes its policy" in refused["detail"]
    for step in (f"unhost {LIST}; ", f"redistribution {LIST} ...; ", f"host {LIST}"):
        assert step in refused["next_step"]
    assert signed(published, north).version == 1


WRONG: dict[str, Any] = {
    "an unknown policy": ("--policy", "friends"),
    "named without names": ("--policy", "named"),
    "names under none": ("--policy", "none", "--peers", "south.example"),
    "an address for a name": ("--policy", "named", "--peers", "https://south.example"),
    "no country": ("--policy", "federation", "--not-in", "Europe"),
    "a code that is none": ("--policy", "federation", "--not-in", "UK"),
    "names without a policy": ("--peers", "south.example"),
}


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
def test_it_rejects(published: Desk, north: North, words: tuple[str, ...]) -> None:
    published.json(*CHANGE, *words, exit_code=2)
    assert signed(published, north).redistribution == Redistribution()


def test_it_says_which_code_is_meant(published: Desk) -> None:
    assert "Did you mean GB?" in published.run(*CHANGE, "--policy", "federation", "--not-in", "uk").output


def test_without_a_policy_it_shows_what_stands(published: Desk, north: North) -> None:
    north.lists["images"]["redistribution"] = {"policy": "federation", "not_in": ["US"], "unknown": ["later"]}
    shown = published.run(*CHANGE).output
    assert "every hub under an agreement" in shown
    assert "closed to" in shown
    assert "later, which this version does not know" in shown.replace("\n", " ")


def test_a_list_is_created_with_it(aurora: Desk, north: North) -> None:
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--redistribution", "federation", "--not-in", "US,CN")
    aurora.json("publisher", "list", "create", LIST, *words)
    assert north.lists["images"]["redistribution"] == {"policy": "federation", "not_in": ["US", "CN"]}
    aurora.json("publisher", "list", "create", "video", *words[:-1], "UK", exit_code=2)

"""A stolen feed key: out at once, the thief's releases named, and the list brought back to the truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hashshare.client.home import Home
from hashshare.client.publisher import OwnPublisher, find_list
from hashshare.wire.errors import RejectedContent
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.test_rotate import ALONE, DOMAIN

TRUE = entries(range(20))


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(TRUE, header=HEADER))
    return images


@pytest.fixture
def thief(published: Desk, tmp_path: Path) -> Desk:
    """Copied the machine that publishes: the feed key and the organisation's, but not the officers'."""
    shutil.copytree(published.home.path, tmp_path / "stolen")
    for role in ("root", "targets"):
        OwnPublisher(Home.open(tmp_path / "stolen"), DOMAIN).key_path(role).unlink()
    folder = tmp_path / "thief"
    folder.mkdir()
    return Desk(Home.open(tmp_path / "stolen"), folder)


def test_the_thief_is_out_at_once_and_her_releases_are_named(published: Desk, thief: Desk, north: North) -> None:
    thief.json("publish", LIST, thief.csv(entries(range(900, 903)), header=HEADER), "--changes")
    thief.json("withdraw", LIST, TRUE[0][0], "--reason", "superseded")
    done = published.json("publisher", "revoke", "feed", DOMAIN, ALONE)
    foreign = [row for row in done["signatures"] if row["signed_here"] is False]
    assert [(row["version"], row["upserts"], row["withdrawals"]) for row in foreign] == [(3, 0, 1), (2, 3, 0)]
    assert {row["keyid"] for row in foreign} == set(done["removed"])

    more = thief.csv(entries(range(903, 905)), header=HEADER)
    refused = thief.json("publish", LIST, more, "--changes", exit_code=6)["error"]
    assert refused["type"] == "signature-threshold"
    true = published.csv(TRUE, header=HEADER)
    back = published.json(
        "publish", LIST, true, "--reason", "incorrect", "--allow-withdrawals", "3", "--reinstate-since", "1"
    )
    assert (back["withdrawn"], back["reinstated"], back["entries"]) == (3, 1, 20)


def test_it_says_what_to_do_next(published: Desk, thief: Desk) -> None:
    thief.json("publish", LIST, thief.csv(entries(range(900, 903)), header=HEADER), "--changes")
    said = published.run("publisher", "revoke", "feed", DOMAIN, ALONE)
    assert said.exit_code == 0, said.output
    assert f"hashshare changes {LIST} --since 1" in said.output
    assert f"hashshare publish {LIST} FILE.csv --reason incorrect --reinstate-since 1" in said.output
    assert "organisation key" in said.output
    assert "Destroy the old key" in said.output


def test_a_machines_own_signatures_are_its_own(published: Desk) -> None:
    published.json("publisher", "refresh", LIST, "--now")
    published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    done = published.json("publisher", "signed", DOMAIN)
    assert [(row["role_version"], row["version"], row["signed_here"]) for row in done["signatures"]] == [
        (3, 2, True),
        (2, None, True),
        (1, 1, True),
    ]
    published.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    assert all(row["signed_here"] for row in published.json("publisher", "signed", DOMAIN)["signatures"])


def test_it_ends_with_4_when_something_was_signed_elsewhere(published: Desk, thief: Desk) -> None:
    """A line for cron on the machine that publishes."""
    assert published.run("publisher", "signed", DOMAIN).exit_code == 0
    thief.json("publisher", "refresh", LIST, "--now")
    said = published.run("publisher", "signed", DOMAIN)
    assert said.exit_code == 4
    assert "refresh" in said.output


def test_it_reads_every_page_of_releases(published: Desk, north: North) -> None:
    """A feed of changes every five minutes has hundreds a day."""
    for number in range(21, 26):
        published.json("publish", LIST, published.csv(entries(range(number)), header=HEADER))
    whole = published.json("publisher", "signed", DOMAIN)
    north.page = 2
    assert published.json("publisher", "signed", DOMAIN) == whole
    assert [row["version"] for row in whole["signatures"]] == [6, 5, 4, 3, 2, 1]


def test_what_is_older_than_the_record_is_not_judged(published: Desk) -> None:
    mine = OwnPublisher(published.home, DOMAIN)
    (mine.folder / "signed" / f"{find_list(published.home, LIST).list_id}.txt").unlink()
    [row] = published.json("publisher", "signed", DOMAIN)["signatures"]
    assert row["signed_here"] is None
    assert "before this machine kept a record" in published.run("publisher", "signed", DOMAIN).output


def test_a_rejected_release_is_no_signature_of_ours_at_the_hub(published: Desk, north: North) -> None:
    """The number of a rejected release is used again; only what was published counts."""

    def refuse(_: object) -> None:
        raise RejectedContent("no")

    north.verdict = refuse
    published.run("publish", LIST, published.csv(entries(range(25)), header=HEADER))
    north.verdict = lambda manifest: None
    published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    assert all(row["signed_here"] for row in published.json("publisher", "signed", DOMAIN)["signatures"])


def test_a_key_that_signs_no_list_is_not_revoked(published: Desk) -> None:
    refused = published.json("publisher", "revoke", "feed", DOMAIN, ALONE, "--key", "ab" * 32, exit_code=2)["error"]
    assert "signs no list" in refused["detail"]


def test_half_a_line_of_a_killed_program_costs_no_other_line(published: Desk) -> None:
    mine = OwnPublisher(published.home, DOMAIN)
    record = mine.folder / "signed" / f"{find_list(published.home, LIST).list_id}.txt"
    with record.open("a") as file:
        file.write("7 0123")
    published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    assert record.read_text().endswith("Z\n")
    assert [row["signed_here"] for row in published.json("publisher", "signed", DOMAIN)["signatures"]] == [True, True]

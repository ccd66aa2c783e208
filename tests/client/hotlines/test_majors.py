"""Publishing what takes more of a list than its feed key may: told beforehand, signed by two, here or elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hashshare.client import kept
from hashshare.client.doctor.examination import examine
from hashshare.client.doctor.finding import State
from hashshare.client.publisher import find_list
from hashshare.wire import repository
from hashshare.wire.errors import MajorRequired
from hashshare.wire.major import Major
from hashshare.wire.manifest import Manifest
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import Officer, found, officers

ALLOWED = ("--reason", "other", "--allow-withdrawals", "300")
LARGE = range(300, 1_000)


def thousand(desk: Desk, north: North) -> Desk:
    desk.json("publish", LIST, desk.csv(entries(range(1_000)), header=HEADER))
    north.window = (0, 1_000)
    return desk


@pytest.fixture
def trial(images: Desk, north: North) -> Desk:
    """Every key on one machine, the major keys among them."""
    images.json("publisher", "major", "aurora.example", "--no-passphrase")
    return thousand(images, north)


@pytest.fixture
def people(tmp_path: Path) -> list[Officer]:
    return officers(tmp_path)


@pytest.fixture
def guarded(aurora: Desk, north: North, people: list[Officer]) -> Desk:
    """Root, targets and majors are the officers'."""
    found(aurora, people)
    declared = ("--algorithms", "sha256,md5", "--scheme", "uk-abc", "--columns", "category")
    for words in (("list", "create", LIST, *declared), ("major", "aurora.example")):
        request = aurora.json("publisher", *words)["request"]
        for person in people[:2]:
            person.sign(request)
        aurora.json("publisher", "submit", request)
    return thousand(aurora, north)


def served(north: North) -> Manifest:
    [manifest] = north.shelf.manifests.values()
    return manifest


def documents(north: North) -> list[Major]:
    assert north.shelf.major is not None
    refs = repository.major_documents(north.shelf.major).values()
    return [Major.parse(north.shelf.objects[ref.stored_path]) for ref in refs]


# --- told beforehand ---------------------------------------------------------------------------------------------


def test_a_dry_run_says_that_two_must_sign(trial: Desk, north: North) -> None:
    file = trial.csv(entries(LARGE), header=HEADER)
    told = trial.json("publish", LIST, file, *ALLOWED, "--dry-run")
    assert told["major"] == {"lost": 300, "before": 0, "held": 1_000, "has_role": True}
    said = trial.run("publish", LIST, file, *ALLOWED, "--dry-run").stdout
    assert "takes 300 entries" in said
    assert "two holders of major keys" in " ".join(said.split())


def test_it_counts_what_went_before_and_what_is_weakened(trial: Desk, north: North) -> None:
    north.window = (60, 1_000)
    rows = entries(range(1_000))
    file = trial.csv([(sha256, "" if n < 41 else md5, it) for n, (sha256, md5, it) in enumerate(rows)], header=HEADER)
    told = trial.json("publish", LIST, file, "--dry-run")
    assert told["major"] == {"lost": 41, "before": 60, "held": 1_000, "has_role": True}
    other = trial.csv([(sha256, md5, "B") for sha256, md5, _ in rows], header=HEADER)
    assert trial.json("publish", LIST, other, "--dry-run")["major"] is None


def test_without_a_major_role_it_says_how_to_get_one(images: Desk, north: North) -> None:
    thousand(images, north)
    file = images.csv(entries(LARGE), header=HEADER)
    error = images.json("publish", LIST, file, *ALLOWED, exit_code=6)["error"]
    assert error["type"] == "major-required"
    assert "hashshare publisher major aurora.example" in error["next_step"]
    assert "Nothing was published" in error["detail"]
    assert served(north).version == 1
    told = images.run("publish", LIST, file, *ALLOWED, "--dry-run").stdout
    assert "publisher major" in told


# --- both keys here ----------------------------------------------------------------------------------------------


def test_it_signs_with_two_keys_that_are_here(trial: Desk, north: North) -> None:
    done = trial.json("publish", LIST, trial.csv(entries(LARGE), header=HEADER), *ALLOWED)
    assert (done["published"], done["version"], done["major"]["lost"]) == (True, 2, 300)
    [document] = documents(north)
    assert (document.version, document.lost) == (2, 300)
    [feed] = north.shelf.feeds.values()
    assert document.manifest.sha256 == repository.feed_manifest(feed, list_id=document.list_id).sha256


def test_a_second_one_follows_the_first(trial: Desk, north: North) -> None:
    trial.json("publish", LIST, trial.csv(entries(LARGE), header=HEADER), *ALLOWED)
    keys = [entry(number)[0] for number in range(300, 500)]
    trial.json("withdraw", LIST, *keys, "--reason", "incorrect")
    assert [(it.version, it.lost) for it in documents(north)] == [(2, 300), (3, 200)]


def test_the_role_is_given_once(trial: Desk, north: North) -> None:
    before = north.shelf.targets
    again = trial.json("publisher", "major", "aurora.example", "--no-passphrase")
    assert (again["job"], again["keys_made"]) == (None, [])
    assert north.shelf.targets == before


def test_what_the_hub_counts_it_signs_for(trial: Desk, north: North) -> None:
    """As after a release from elsewhere, or at a hub whose clock is a little behind."""
    north.window = None

    def strict(manifest: Manifest) -> None:
        if not any("major" in job["roles"] for job in north.jobs.values()):
            raise MajorRequired("Two must sign.")

    north.verdict = strict
    done = trial.json("publish", LIST, trial.csv(entries(LARGE), header=HEADER), *ALLOWED)
    assert (done["version"], done["major"]["lost"]) == (2, 300)


# --- carried to two ----------------------------------------------------------------------------------------------


def publish(desk: Desk, numbers: range = LARGE) -> Any:
    return desk.json("publish", LIST, desk.csv(entries(numbers), header=HEADER), *ALLOWED, exit_code=6)


def test_it_waits_for_two_officers_and_then_goes_out_as_it_was(
    guarded: Desk, north: North, people: list[Officer]
) -> None:
    waits = publish(guarded)
    assert (waits["published"], waits["version"]) == (False, 1)
    waiting = kept.read_kept(find_list(guarded.home, LIST))
    assert waiting is not None
    told = examine(guarded.home, offline=True, now=datetime.now(UTC))
    assert [one.state for one in told if waits["request"] in one.says] == [State.WARN], "the doctor names it"
    anna, carol = (person.copy(waits["request"]) for person in (people[0], people[2]))
    people[0].sign(anna)
    still = guarded.json("publisher", "submit", anna, exit_code=6)
    assert (still["job"], [need["have"] for need in still["missing"]]) == (None, [1])
    people[2].sign(carol)
    done = guarded.json("publisher", "submit", carol)
    assert (done["list"], done["version"], done["missing"]) == (LIST, 2, [])
    assert served(north) == waiting.draft.manifest
    assert kept.read_kept(find_list(guarded.home, LIST)) is None
    assert served(north).entries == 700


def test_officers_are_shown_what_goes(guarded: Desk, people: list[Officer]) -> None:
    waits = publish(guarded)
    told = " ".join(people[0].desk.run("publisher", "sign", waits["request"], "--yes").stdout.split())
    assert f"300 entries of the 1,000 (30.0 %) of {LIST} may go with its version 2" in told


def test_publishing_the_same_again_keeps_the_signatures(guarded: Desk, people: list[Officer]) -> None:
    waits = publish(guarded)
    people[0].sign(waits["request"])
    assert publish(guarded)["request"] == waits["request"]
    people[1].sign(waits["request"])
    assert guarded.json("publisher", "submit", waits["request"])["version"] == 2


def test_a_release_in_between_makes_it_void(guarded: Desk, north: North, people: list[Officer]) -> None:
    waits = publish(guarded)
    signed = people[0].copy(waits["request"])
    people[0].sign(signed)
    people[1].sign(signed)
    result = guarded.run("publish", LIST, guarded.csv(entries(range(1_001)), header=HEADER))
    assert "that one is void" in " ".join(result.stderr.split())
    error = guarded.json("publisher", "submit", signed, exit_code=6)["error"]
    assert error["type"] == "stale-signing-request"
    assert "Version 2 was published meanwhile" in error["detail"]
    assert f"Publish the file to {LIST} again" in error["next_step"]
    assert (served(north).version, served(north).entries) == (2, 1_001)
    again = publish(guarded, range(300, 1_001))
    for person in people[:2]:
        person.sign(again["request"])
    assert guarded.json("publisher", "submit", again["request"])["version"] == 3


def test_new_keys_in_between_make_it_void(guarded: Desk, people: list[Officer]) -> None:
    waits = publish(guarded)
    renewal = guarded.json("publisher", "renew", "aurora.example")["request"]
    for person in people[:2]:
        person.sign(renewal)
        person.sign(waits["request"])
    guarded.json("publisher", "submit", renewal)
    error = guarded.json("publisher", "submit", waits["request"], exit_code=6)["error"]
    assert error["type"] == "stale-signing-request"


def test_a_submission_that_fails_may_be_repeated(guarded: Desk, north: North, people: list[Officer]) -> None:
    waits = publish(guarded)
    for person in people[:2]:
        person.sign(waits["request"])

    def broken(manifest: Manifest) -> None:
        raise MajorRequired("Not today.")

    north.verdict = broken
    guarded.json("publisher", "submit", waits["request"], exit_code=6)
    north.verdict = lambda manifest: None
    assert guarded.json("publisher", "submit", waits["request"])["version"] == 2


def test_submitting_what_went_out_already_changes_nothing(guarded: Desk, north: North, people: list[Officer]) -> None:
    waits = publish(guarded)
    copy = people[0].copy(waits["request"])
    for person in people[:2]:
        person.sign(copy)
    guarded.json("publisher", "submit", copy)
    jobs = len(north.jobs)
    again = guarded.json("publisher", "submit", copy)
    assert (again["job"], again["version"], len(north.jobs)) == (None, 2, jobs)


def test_sign_request_shows_a_large_withdrawal_that_waits_and_makes_no_renewal(guarded: Desk, tmp_path: Path) -> None:
    file = guarded.csv(entries(LARGE), header=HEADER)
    waits = guarded.json("publish", LIST, file, *ALLOWED, exit_code=6)
    told = guarded.json("publisher", "sign-request", "aurora.example", "-o", tmp_path / "stick.json")
    assert told["request"] is None
    [release] = told["releases"]
    assert (release["list"], release["version"], release["lost"]) == (LIST, 2, 300)
    assert (tmp_path / "stick.json").read_bytes() == Path(release["request"]).read_bytes()
    assert len(release["missing"]) == 1
    said = guarded.run("publisher", "sign-request", "aurora.example").output
    assert "version 2, which takes 300 entries, waits for signatures" in said
    assert "sign-request aurora.example --renew" in said
    assert waits
    both = guarded.json("publisher", "sign-request", "aurora.example", "--renew")
    assert list(both["roles"]) == ["targets"]
    assert [row["version"] for row in both["releases"]] == [2]

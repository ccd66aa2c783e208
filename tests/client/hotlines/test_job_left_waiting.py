"""A job that no worker takes: whoever waits for it is told so, once, on a terminal or not."""

from __future__ import annotations

import pytest

from hashshare.client import commits
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North

SAID = "no worker has taken it"


def publish(desk: Desk, *options: str) -> str:
    """What a publication of 50 entries says on stderr."""
    result = desk.run("publish", LIST, desk.csv(entries(range(50)), header=HEADER), *options)
    assert result.exit_code == 0, result.output
    return " ".join(result.stderr.split())


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_it_says_so_once(images: Desk, north: North, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.setattr(commits, "QUEUED_LONG", 0.1)
    north.queued = 6
    said = publish(images, *options)
    (job_id,) = [job for job in north.jobs if north.jobs[job]["roles"].keys() != {"root", "targets"}][-1:]
    assert said.count(SAID) == 1
    assert f"! Job {job_id} has been queued at the hub for 0 seconds" in said
    assert "nothing is lost" in said


def test_it_says_nothing_of_one_that_is_taken_soon(images: Desk, north: North) -> None:
    north.queued = 2
    assert SAID not in publish(images)


def test_it_says_nothing_of_one_that_is_worked_on(images: Desk, north: North, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "QUEUED_LONG", 0.1)
    north.polls = 6
    assert SAID not in publish(images)


def test_it_says_so_of_a_publishers_keys_too(aurora: Desk, north: North, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "QUEUED_LONG", 0.1)
    north.queued = 6
    result = aurora.run("publisher", "init", "aurora.example", "--no-passphrase")
    assert result.exit_code == 0
    assert " ".join(result.stderr.split()).count(SAID) == 1

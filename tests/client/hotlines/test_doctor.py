"""What the doctor says of a publisher's own work: what was not seen to end, what was refused, what nears its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hashshare.client.doctor.examination import examine
from hashshare.client.doctor.finding import Finding, State
from hashshare.client.home import write_json
from hashshare.client.publisher import find_list
from hashshare.client.refusals import note_refusal
from hashshare.wire.errors import WrongFold
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.officers import begin, officers


@pytest.fixture
def published(images: Desk) -> Desk:
    assert images.run("publish", LIST, images.csv(entries(range(5)), header=HEADER)).exit_code == 0
    return images


def told(desk: Desk, *, later: timedelta = timedelta(0)) -> list[Finding]:
    found = [one for one in examine(desk.home, offline=True, now=datetime.now(UTC) + later) if one.check == "publisher"]
    assert all(one.next_step and one.means for one in found if one.state in (State.WARN, State.BAD))
    return found


def states(desk: Desk, *, later: timedelta = timedelta(0)) -> list[str]:
    return [str(one.state) for one in told(desk, later=later)]


def test_a_publisher_in_order(published: Desk) -> None:
    assert states(published) == ["good"] * 3


def test_a_release_that_was_not_seen_to_end(published: Desk) -> None:
    own = find_list(published.home, LIST)
    write_json(own.publisher.pending_path(own.list_id), {"job": "0", "version": 2})
    [row] = [one for one in told(published) if one.state is State.WARN]
    assert f"hashshare release status {LIST}" in row.next_step


def test_a_change_that_waits_for_officers(aurora: Desk, tmp_path: Path) -> None:
    request = begin(aurora, officers(tmp_path))["request"]
    [row] = told(aurora)
    assert (row.state, "root 0 of 2 and targets 0 of 2" in row.says) == (State.WARN, True)
    assert f"hashshare publisher submit {request}" in row.next_step


def test_bases_that_the_hub_refused(published: Desk) -> None:
    own = find_list(published.home, LIST)
    for state in ("warn", "bad"):
        note_refusal(own, 2, WrongFold("A row differs."), now=datetime.now(UTC))
        assert state in states(published)


@pytest.mark.parametrize(
    ("days", "feed", "targets", "root"),
    [
        (0, "good", "good", "good"),
        (11, "warn", "good", "good"),
        (15, "bad", "good", "good"),
        (80, "bad", "warn", "good"),
    ],
)
def test_signatures_near_their_end(published: Desk, days: int, feed: str, targets: str, root: str) -> None:
    found = told(published, later=timedelta(days=days))
    by_role = {role: next(one for one in found if role in one.says) for role in ("feed", "targets", "root")}
    assert [str(by_role[role].state) for role in ("feed", "targets", "root")] == [feed, targets, root]


def test_a_publisher_s_file_that_is_damaged(published: Desk) -> None:
    find_list(published.home, LIST).publisher.list_path("images").write_text("{")
    assert "bad" in states(published)

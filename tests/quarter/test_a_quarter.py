"""A quarter of nightly releases at full speed, with everything that goes wrong in one; at its end all are current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.quarter.acts import ACTS, SILENT, silent_night
from tests.quarter.aurora import DOMAIN, LIST
from tests.quarter.clock import clock
from tests.quarter.machines import manage
from tests.quarter.north import running
from tests.quarter.quarter import NIGHTS, Quarter

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def quarter(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quarter]:
    with clock() as now, running(tmp_path / "north", settings, monkeypatch) as north:
        yield Quarter(now, north, tmp_path)


def test_it_ends_with_every_member_current(quarter: Quarter) -> None:
    for night in range(2, NIGHTS + 1):
        quarter.begin(night)
        if night in ACTS:
            quarter.clock.at(night, 2)
            ACTS[night](quarter)
        if night in SILENT:
            silent_night(quarter)
        quarter.publish()
        quarter.follow()
        quarter.end()
    members_are_current(quarter)
    nothing_is_left_for_the_hotline(quarter)
    nobody_was_bothered(quarter)


def members_are_current(it: Quarter) -> None:
    live = it.aurora.live(it.clock.today)
    assert len(it.present) == 2
    for member in it.present:
        assert member.keys() == live
        assert member.rows_on_disk() >= live
        assert not member.rows_on_disk() & it.aurora.withdrawn, "withdrawn, and not purged"
        assert member.held()["version"] == it.aurora.version
        member.is_well()


def nothing_is_left_for_the_hotline(it: Quarter) -> None:
    """Each withdrawal was applied and purged by both, her log is whole, every signature is hers."""
    seen = it.aurora.machine.run("propagation", LIST)["withdrawals"]
    assert {member["state"] for one in seen for member in one["members"]} == {"purged"}
    audit = it.aurora.machine.run("audit", DOMAIN)
    assert audit["problems"] == []
    applied = {row["organisation"]: row["version"] for row in audit["members"] if row["acknowledgements"]}
    assert applied == {member.slug: it.aurora.version for member in it.present}
    assert all(row["signed_here"] for row in it.aurora.machine.run("publisher", "signed", DOMAIN)["signatures"])
    assert it.aurora.machine.run("doctor")["bad"] == 0
    it.north.timetable()
    assert manage("timetable"), "which ends with exit code 1 if a job is late or failed"


def nobody_was_bothered(it: Quarter) -> None:
    """Mails are about what was wrong: the hub's outage, targets that had to be renewed, a member that was away."""
    assert {night for night, _ in it.told(f"signature of {LIST} ")} == {SILENT.stop}
    assert {night for night, _ in it.told(f"signature of {DOMAIN} targets ")} == {71}
    assert {to for _, to in it.told("signature")} == {"analyst@aurora.example", "operator@north.example"}
    assert {to for _, to in it.told("overdue")} == {"engineer@delta.example"}
    assert it.roots == {18: "1 to 2", 19: "2 to 3", 25: "3 to 4", 33: "4 to 5"}

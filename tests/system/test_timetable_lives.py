"""On a running hub beat and the timetable's worker do what the timetable says, and an operator's terminal shows it."""

from __future__ import annotations

from tests.system.hub import RunningHub, wait_for


def test_jobs_run_by_themselves_and_are_on_record(running_hub: RunningHub) -> None:
    def ran() -> bool:
        shown = running_hub.manage("timetable", check=False).stdout
        return all(f"{name:<20} on time " in shown for name in ("sweep_jobs", "refresh_ending"))

    wait_for("the jobs that run within half a minute", ran)

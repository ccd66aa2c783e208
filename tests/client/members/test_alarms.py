"""A list that is out of date stays in use, and whatever uses it says so: since when, why, and what to do."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from hashshare.client.alarms import clock_fault, judge
from hashshare.client.contact import Contact
from hashshare.client.held import Held
from hashshare.client.trouble import Trouble
from hashshare.wire.errors import HashshareError, NetworkError, NotEntitled, VerificationFailed
from tests.client.members.aurora import Aurora, Item, items
from tests.client.members.conftest import Cobalt, Ran
from tests.client.members.north import Fault, North


@pytest.fixture
def item(cobalt: Cobalt, aurora: Aurora) -> Item:
    """One entry of a list that is held and up to date."""
    [item] = listed = items(1)
    aurora.release(listed)
    assert cobalt.call("sync").status == 0
    return item


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Of member and hub alike."""
    with time_machine.travel(datetime.now(UTC)) as traveller:
        yield traveller


def uses(cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path) -> dict[str, Ran]:
    """Every command that uses the list."""
    found = tmp_path / "found"
    found.mkdir(exist_ok=True)
    (found / "file").write_bytes(item.content)
    return {
        "lookup": cobalt.call("lookup", item.sha256.hex()),
        "scan": cobalt.call("scan", str(found)),
        "export": cobalt.call("export", aurora.name, "-o", str(tmp_path / "out.csv")),
        "changes": cobalt.call("changes", aurora.name, "--since", "1", "-o", str(tmp_path / "changes.csv")),
        "verify": cobalt.call("verify"),
        "status": cobalt.call("status", "--offline"),
    }


def alarmed(cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path, *words: str) -> None:
    """Each does its work, says it all in one line on stderr, and exits with 7."""
    for name, ran in uses(cobalt, aurora, item, tmp_path).items():
        assert ran.status == 7, (name, ran)
        [line] = [line for line in ran.err.splitlines() if aurora.name in line]
        assert all(word in line for word in (*words, "stays in use")), line
    assert aurora.name in cobalt.call("lookup", item.sha256.hex()).out
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 2


def quiet(cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path) -> None:
    for name, ran in uses(cobalt, aurora, item, tmp_path).items():
        assert ran.status == 0, (name, ran)
        assert "stays in use" not in ran.err


def test_an_up_to_date_list_is_quiet(cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path) -> None:
    quiet(cobalt, aurora, item, tmp_path)


def test_an_expired_feed_alarms_at_every_use_until_it_is_signed_anew(
    cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=17, hours=12))
    aurora.stamp()
    for _ in range(3):
        # Also once the timestamp is new again: a poll that shows nothing new must not hide it.
        assert cobalt.call("sync").status == 4
        kept = cobalt.home.publisher_dir(aurora.domain) / "metadata" / "timestamp.json"
        os.utime(kept, (time.time(), time.time()))
    alarmed(cobalt, aurora, item, tmp_path, "feed role has expired", "for 3 days", "has to sign it anew")
    aurora.release(items(1))
    assert cobalt.call("sync").status == 0
    quiet(cobalt, aurora, item, tmp_path)


def test_expired_officers_signatures_are_told_by_their_role(
    cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=400))
    aurora.refresh()
    ran = cobalt.call("sync")
    assert ran.status == 4
    for name, ran in uses(cobalt, aurora, item, tmp_path).items():
        assert ran.status == 7, name
        assert "root role has expired" in ran.err
        assert "(officers)" in ran.err


def test_a_frozen_hub_alarms(
    cobalt: Cobalt, aurora: Aurora, north: North, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    north.frozen_heads = north.heads()
    clock.shift(timedelta(days=2))
    assert cobalt.call("sync").status == 4
    clock.shift(timedelta(days=3))
    ran = cobalt.call("sync")
    assert ran.status == 4
    assert "it has failed for 3 days" in ran.err
    alarmed(cobalt, aurora, item, tmp_path, "the last sync failed", "expired", "for 3 days")


def test_a_hub_out_of_reach_alarms_after_a_day(
    cobalt: Cobalt, aurora: Aurora, north: North, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    away = Fault("", status=500, times=10**6)
    clock.shift(timedelta(hours=2))
    north.faults.append(away)
    ran = cobalt.call("sync")
    assert (ran.status, "stays in use" in ran.err) == (5, False)
    quiet(cobalt, aurora, item, tmp_path)
    clock.shift(timedelta(days=3))
    ran = cobalt.call("sync", "--json")
    assert ran.status == 5
    [alarm] = ran.json["alarms"]
    assert (alarm["kind"], alarm["list"], alarm["seconds"] // 86_400) == ("unchecked", aurora.name, 3)
    assert ran.json["error"]["type"] == "hub-failure"
    alarmed(cobalt, aurora, item, tmp_path, "could not be checked", "for 3 days", "hashshare doctor")
    north.faults.clear()
    aurora.stamp()
    assert cobalt.call("sync").status == 0
    quiet(cobalt, aurora, item, tmp_path)


def test_a_sync_that_nobody_runs_any_more_is_noticed(
    cobalt: Cobalt, aurora: Aurora, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=6))
    alarmed(cobalt, aurora, item, tmp_path, "not checked", "cron")


def test_a_list_no_longer_offered_alarms(
    cobalt: Cobalt, aurora: Aurora, north: North, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    north.publishers.clear()
    assert cobalt.call("sync").status == 3
    clock.shift(timedelta(days=2))
    ran = cobalt.call("sync")
    assert (ran.status, "(2 days by now)" in ran.err) == (3, True)
    alarmed(cobalt, aurora, item, tmp_path, "no longer offers it", "for 2 days", f"hashshare forget {aurora.name}")
    north.publishers.append(aurora)
    aurora.stamp()
    assert cobalt.call("sync").status == 0
    quiet(cobalt, aurora, item, tmp_path)


def test_a_key_that_was_revoked_alarms(
    cobalt: Cobalt, aurora: Aurora, north: North, item: Item, tmp_path: Path, clock: time_machine.Traveller
) -> None:
    north.tokens.clear()
    north.revoked.update(north.keys)
    clock.shift(timedelta(days=3))
    assert cobalt.call("sync").status == 3
    alarmed(cobalt, aurora, item, tmp_path, "could not be checked", "hashshare doctor")


def test_the_alarm_is_in_the_document(
    cobalt: Cobalt, aurora: Aurora, item: Item, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(days=20))
    [alarm] = cobalt.call("lookup", item.sha256.hex(), "--json").json["alarms"]
    assert set(alarm) == {"kind", "list", "version", "role", "since", "seconds", "detail", "next_step"}
    assert (alarm["kind"], alarm["role"], alarm["version"]) == ("expired", "feed", 2)
    assert 5 * 86_400 < alarm["seconds"] < 7 * 86_400


# --- the clock ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ahead", "words"), [(7_500, "2 hours behind"), (-7_500, "2 hours ahead of")])
def test_a_clock_that_differs_from_the_hub_s_is_told(
    cobalt: Cobalt, north: North, item: Item, ahead: float, words: str
) -> None:
    north.clock_ahead = ahead
    ran = cobalt.call("sync")
    assert ran.status == 7
    assert words in ran.err and "NTP" in ran.err
    assert words in cobalt.call("lookup", item.sha256.hex()).err
    north.clock_ahead = 0
    assert cobalt.call("sync").status == 0


def test_a_clock_that_was_set_back_is_noticed_without_the_hub(
    cobalt: Cobalt, item: Item, clock: time_machine.Traveller
) -> None:
    cobalt.call("sync")
    clock.shift(timedelta(days=-30))
    assert "earlier than at the last sync" in cobalt.call("lookup", item.sha256.hex()).err


def test_a_clock_that_was_set_back_is_told_though_the_hub_agrees_with_it(
    cobalt: Cobalt, north: North, item: Item, clock: time_machine.Traveller
) -> None:
    """As when somebody moves both: at that sync and until the next one, which finds the clock going on."""
    cobalt.call("sync")
    clock.shift(timedelta(hours=-2, minutes=-5))
    ran = cobalt.call("sync")
    assert (ran.status, "2 hours earlier than it was" in ran.err) == (7, True), ran
    assert "2 hours earlier than it was" in cobalt.call("lookup", item.sha256.hex()).err
    clock.shift(timedelta(minutes=1))
    ran = cobalt.call("sync")
    assert (ran.status, "earlier" in ran.err) == (0, False), ran


# --- the rule itself ---------------------------------------------------------------------------------------------


NOW = datetime(2026, 11, 28, tzinfo=UTC)


def held(**changes: Any) -> Held:
    known: dict[str, Any] = {"list_id": "0" * 16, "name": "aurora.example/images", "version": 3, "role_version": 3}
    known |= {"status": "active", "algorithms": ("sha256",), "scheme": "uk-abc", "columns": (), "entries": 0}
    known |= {"manifest_sha256": "", "published_at": "", "applied_at": "2026-11-28T00:00:00Z", "purged": 3}
    known |= {"base_version": 1, "base_index_sha256": "", "base": (), "deltas": ()}
    return Held(**known | changes)


ENDED, FRESH = NOW - timedelta(hours=1), NOW + timedelta(days=3)


@pytest.mark.parametrize(
    ("ends", "kinds"),
    [
        ({"feed": FRESH}, []),
        ({"feed": ENDED}, [("expired", "feed")]),
        ({"feed": NOW}, [("expired", "feed")]),
        ({"root": ENDED, "targets": ENDED}, [("expired", "root"), ("expired", "targets")]),
        ({"timestamp": ENDED, "snapshot": ENDED}, []),
        ({"timestamp": NOW - timedelta(days=3)}, [("unchecked", "")]),
        ({"timestamp": NOW - timedelta(days=1)}, []),
    ],
)
def test_it_judges_roles_by_whose_they_are(ends: dict[str, datetime], kinds: list[tuple[str, str]]) -> None:
    found = judge(held(), ends=ends, met=Contact(NOW), trouble=None, now=NOW)
    assert [(alarm.kind, alarm.role) for alarm in found] == kinds


def test_a_timestamp_that_another_command_fetched_counts_as_a_check() -> None:
    """A publisher's machine publishes, and never runs `sync`."""
    old = Contact(NOW - timedelta(days=9))
    for met in (old, Contact()):
        assert (
            judge(held(applied_at="2026-01-01T00:00:00Z"), ends={"timestamp": FRESH}, met=met, trouble=None, now=NOW)
            == ()
        )


@pytest.mark.parametrize(
    ("error", "days", "kinds"),
    [
        (VerificationFailed(), 0, ["refused"]),
        (NotEntitled(), 0, ["refused"]),
        (NetworkError(), 1, []),
        (NetworkError(), 3, ["refused"]),
        (HashshareError("The disk is full."), 1, []),
        (HashshareError("The disk is full."), 3, ["refused"]),
    ],
)
def test_what_may_be_over_at_the_next_sync_alarms_only_when_it_lasts(
    error: HashshareError, days: int, kinds: list[str]
) -> None:
    since = NOW - timedelta(days=days)
    known = Trouble(error.slug, error.message, error.next_step, since, NOW, error.exit_code)
    found = judge(held(), ends={"feed": FRESH}, met=Contact(NOW), trouble=known, now=NOW)
    assert [alarm.kind for alarm in found] == kinds


def test_nobody_renews_the_feed_of_a_closed_list() -> None:
    assert judge(held(status="withdrawn"), ends={"feed": ENDED}, met=Contact(NOW), trouble=None, now=NOW) == ()


def test_a_small_difference_of_clocks_is_not_worth_a_word() -> None:
    assert clock_fault(Contact(NOW, skew=59), now=NOW) == ""
    assert "1 minute ahead" in clock_fault(Contact(NOW, skew=61), now=NOW)


def test_a_list_that_its_hub_withholds_is_told_with_what_helps(
    cobalt: Cobalt, aurora: Aurora, north: North, item: Item, tmp_path: Path
) -> None:
    """Neither subscribing nor forgetting does."""
    why = "The publisher's policy does not name south.example."
    row = {"list": aurora.name, "state": "active", "withheld": why, "requested_at": "2026-11-22T12:00:00Z"}
    north.more["status"] = lambda: {"subscriptions": [row]}
    north.publishers.clear()

    ran = cobalt.call("sync", "--json")
    assert (ran.status, ran.json["lists"][-1]["withheld"]) == (3, why)
    ran = cobalt.call("sync")
    shown = cobalt.call("status").err + cobalt.call("lookup", item.sha256.hex()).err
    for text in (ran.err, shown):
        assert (why.rstrip(".") in text, "Neither asking again nor removing" in text) == (True, True)
        assert not re.search("hashshare forget|subscribe again", text)
    north.more["status"] = lambda: {"subscriptions": [{"list": 1}, 2]}
    assert "hashshare forget" in cobalt.call("sync").err

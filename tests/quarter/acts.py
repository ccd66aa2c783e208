"""What happens in some nights of the quarter, each before that night's publication. Every act sees for itself that
people are told what the manual says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import requests

from tests.quarter.aurora import DOMAIN, LIST
from tests.quarter.machines import manage
from tests.quarter.officers import officer
from tests.quarter.quarter import Quarter
from tests.quarter.restoring import LOST_RELEASES, hub_backed_up, hub_lost_and_restored

Act = Callable[[Quarter], None]

SILENT: Final = range(40, 47)
"""Nights without the hub."""
AWAY: Final = range(11, 50)
"""Nights without Delta."""


# --- the hotline's keys ------------------------------------------------------------------------------------------


def feed_key_changed(it: Quarter) -> None:
    """The old key signs until two officers have agreed; then it is refused, and to be destroyed."""
    aurora = it.aurora
    done = aurora.machine.run("publisher", "rotate", "feed", DOMAIN, "--no-passphrase")
    assert done["job"] is None
    aurora.publish_between(it.clock.today)
    aurora.by(done["request"], aurora.officers[:2])
    destroy_old_keys(aurora.machine.home)
    assert all(row["signed_here"] for row in aurora.machine.run("publisher", "signed", DOMAIN)["signatures"])


def destroy_old_keys(home: Path) -> None:
    old = list((home / "publisher" / DOMAIN / "keys").glob("feed-until-*"))
    assert old
    for path in old:
        path.unlink()


def annas_targets_key_changed(it: Quarter) -> None:
    """Anna has a second card; the others agree that its targets key takes the place of hers."""
    card = officer(it.folder / "anna-again", "Anna").card
    words = ("--in-place-of", "Anna", "--card", card)
    request = it.aurora.machine.run("publisher", "rotate", "targets", DOMAIN, *words)["request"]
    it.aurora.by(request, it.aurora.officers[1:])


def annas_root_key_changed(it: Quarter) -> None:
    """And the next night its root key."""
    again = officer(it.folder / "anna-again", "Anna")
    words = ("--in-place-of", "Anna", "--card", again.card)
    request = it.aurora.machine.run("publisher", "rotate", "root", DOMAIN, *words)["request"]
    it.aurora.by(request, it.aurora.officers[1:])
    it.aurora.officers[0] = again


def carols_keys_lost(it: Quarter) -> None:
    """Anna and Ben put Dora in her place; what Carol finds again later signs nothing."""
    people, dora = it.aurora.officers, officer(it.folder / "dora", "Dora")
    words = ("--in-place-of", "Carol", "--card", dora.card)
    request = it.aurora.machine.run("publisher", "rotate", "root", DOMAIN, *words)["request"]
    it.aurora.by(request, people[:2])
    carol, people[2] = people[2], dora
    request = it.aurora.machine.run("publisher", "renew", DOMAIN)["request"]
    assert "None of the keys here may sign" in carol.sign(request, exit_code=2)["error"]["detail"]
    assert it.aurora.machine.run("publisher", "sign-request", DOMAIN, "--drop")["dropped"]


def targets_renewed(it: Quarter) -> None:
    """Half of their life was over, which hotline and operator have been told; Ben and Dora sign them anew."""
    who = {to for _, to in it.told(f"signature of {DOMAIN} targets expires")}
    assert who == {"analyst@aurora.example", "operator@north.example"}
    request = it.aurora.machine.run("publisher", "renew", DOMAIN)["request"]
    it.aurora.by(request, it.aurora.officers[1:])


# --- the hub's keys ----------------------------------------------------------------------------------------------


def hub_key_lost(it: Quarter) -> None:
    """The standby from the safe takes its place; no hotline does anything, and members notice nothing."""
    (it.north.folder / "keys" / "online.pem").unlink()
    it.north.timetable(("refresh_timestamps",))
    assert not it.cobalt.sync("--force")["changed"], "the hub signs nothing, and nothing that no root names"
    assert "Signed anew for 1 publisher." in manage("replace_hub_key", it.offline / "standby.pem")
    (it.offline / "standby.pem").unlink()
    (it.north.folder / "keys" / "standby.pem").rename(it.offline / "standby.pem")


def root_names_the_hubs_keys(it: Quarter) -> None:
    """The lost one is out, the new standby is named."""
    request = it.aurora.machine.run("publisher", "rotate", "hub", DOMAIN)["request"]
    it.aurora.by(request, it.aurora.officers[:2])


# --- organisations' keys -----------------------------------------------------------------------------------------


def organisation_keys_changed(it: Quarter) -> None:
    """Member and hotline put a new key in the place of theirs; the old ones end a day later."""
    for machine in (it.cobalt.machine, it.aurora.machine):
        done = machine.run("key", "rotate")
        assert (done["rotated"], done["old_told_to_end"]) == (True, True)


def old_organisation_keys_ended(it: Quarter) -> None:
    for machine in (it.cobalt.machine, it.aurora.machine):
        known = machine.run("key", "list")
        states = sorted((row["state"], row["id"] == known["this_machine"]) for row in known["keys"])
        assert states == [("active", True), ("expired", False)], states


def access_key_made(it: Quarter) -> None:
    """For a program of Cobalt's that only reads."""
    asked = ("--data", '{"name": "curl", "days": 30}')
    it.access_key = it.cobalt.machine.run("request", "POST", "access-keys", *asked)["body"]["key"]
    assert reads(it) == 200


def access_key_renewed(it: Quarter) -> None:
    """It has ended by itself; another is made."""
    assert reads(it) == 401
    access_key_made(it)


def reads(it: Quarter) -> int:
    url, headers = f"{it.north.url}/api/v1/status", {"Authorization": f"Bearer {it.access_key}"}
    return requests.get(url, headers=headers, timeout=10).status_code


# --- members -----------------------------------------------------------------------------------------------------


def delta_goes_away(it: Quarter) -> None:
    it.present.remove(it.delta)


def delta_is_back(it: Quarter) -> None:
    """Its people were told that withdrawals are overdue; with one sync it has applied them all."""
    assert {to for _, to in it.told("overdue at Delta")} == {"engineer@delta.example"}
    assert overdue(it) == {"delta"}
    it.present.append(it.delta)
    it.delta.sync("--force")
    assert overdue(it) == set()


def overdue(it: Quarter) -> set[str]:
    """Who has not applied a withdrawal in time, as the hotline sees it."""
    seen = [member for one in it.aurora.machine.run("propagation", LIST)["withdrawals"] for member in one["members"]]
    return {member["organisation"]["slug"] for member in seen if member["state"] == "overdue"}


def subscription_ends(it: Quarter) -> None:
    """Delta's, on its date: it is told so, and what it holds stays in use with an alarm."""
    assert it.delta in it.present
    it.present.remove(it.delta)
    said = it.delta.syncs_with(3)
    assert "the hub no longer offers it to you" in said.words, said
    [row] = it.delta.machine.run("status", exit_code=7)["at_hub"]["subscriptions"]
    assert row["state"] == "ended", row
    assert it.delta.keys(exit_code=7) == it.aurora.live(it.clock.today)


def subscription_is_renewed(it: Quarter) -> None:
    it.join(it.delta, until=400)
    it.present.append(it.delta)


# --- the hub is silent -------------------------------------------------------------------------------------------


def hub_falls_silent(it: Quarter) -> None:
    it.north.close()
    it.present.clear()


def silent_night(it: Quarter) -> None:
    """Cobalt's cron job says so each night, and from the third on whatever uses the list does; it goes on matching."""
    it.clock.at(it.clock.night, 2, 10)
    said = it.cobalt.syncs_with(5)
    assert "cannot be reached" in said.document["error"]["detail"], said
    alarmed = 7 if it.clock.night >= SILENT.start + 2 else 0
    assert it.cobalt.keys(exit_code=alarmed) == it.aurora.published(it.clock.today)
    if alarmed:
        [alarm] = it.cobalt.machine.run("status", exit_code=5)["alarms"]
        assert (alarm["kind"], alarm["list"]) == ("unchecked", LIST)


def hub_speaks_again(it: Quarter) -> None:
    """By itself: the timetable's first run signs what has expired, and the members' cron jobs do the rest."""
    it.north.open()
    it.north.timetable()
    it.present.append(it.cobalt)


ACTS: Final[dict[int, Act]] = {
    3: feed_key_changed,
    8: access_key_made,
    AWAY.start: delta_goes_away,
    12: organisation_keys_changed,
    14: old_organisation_keys_ended,
    18: annas_targets_key_changed,
    19: annas_root_key_changed,
    25: carols_keys_lost,
    30: hub_key_lost,
    33: root_names_the_hubs_keys,
    39: access_key_renewed,
    SILENT.start: hub_falls_silent,
    SILENT.stop: hub_speaks_again,
    AWAY.stop: delta_is_back,
    60: subscription_ends,
    61: subscription_is_renewed,
    62: hub_backed_up,
    62 + LOST_RELEASES: hub_lost_and_restored,
    72: targets_renewed,
}
"""Night -> what happens in it."""

"""This machine's key: replaced without a gap, whatever is killed or lost in between; and a second machine's."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hashshare.client import next_key
from hashshare.client.acknowledged import told
from hashshare.client.home import Home
from hashshare.client.organisation_keys import known_end
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import HashshareError, NetworkError
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North


def own(cobalt: Cobalt) -> str:
    return keys.fingerprint_of(keys.load(cobalt.home.key_path))


def rotate(cobalt: Cobalt, *, overlap_hours: int = 24) -> next_key.Rotated:
    return next_key.rotate(cobalt.home, name="sync-01", days=365, overlap_hours=overlap_hours)


def left_over(cobalt: Cobalt) -> set[str]:
    return {name for name in ("key-next.pem", "key-old.pem", "rotation.json") if (cobalt.folder / name).exists()}


def opens(cobalt: Cobalt) -> bool:
    return bool(Session.open(cobalt.home).get_json("status")["organisation"]["slug"] == "cobalt")


def test_it_replaces_the_key_and_lets_the_old_one_end(cobalt: Cobalt, north: North) -> None:
    before = own(cobalt)
    cobalt.run("sync")
    done = cobalt.run("key", "rotate", "--name", "sync-01")
    assert done.status == 0, done.err
    after = own(cobalt)
    assert after != before
    assert cobalt.home.config().key_id == after
    assert (cobalt.home.key_path.stat().st_mode & 0o777, left_over(cobalt)) == (0o600, set())
    assert timedelta(hours=23) < north.keyring.ends[before] - datetime.now(UTC) <= timedelta(hours=24)
    end = known_end(cobalt.home, after)
    assert end is not None and timedelta(days=364) < end - datetime.now(UTC)
    assert cobalt.run("sync").status == 0


def test_without_an_overlap_the_old_key_is_refused_at_once(cobalt: Cobalt, north: North) -> None:
    before = cobalt.session
    rotate(cobalt, overlap_hours=0)
    with pytest.raises(HashshareError):
        before.send("POST", "tokens")
    assert opens(cobalt)


STEPS = ["keys.save", "write_json", "_introduce", "_switch", "os.link", "_settle_config", "end_key"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_has_a_key_that_works_and_goes_on(cobalt: Cobalt, step: str, after: bool) -> None:
    """A process that dies at each step, by SIGKILL; then the commands of the next morning."""
    child = os.fork()
    if not child:
        _die_at(step, after)
        rotate(cobalt)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert opens(cobalt)
    assert cobalt.call("sync").status == 0
    rotate(cobalt)
    assert opens(cobalt)
    assert (left_over(cobalt), cobalt.home.config().key_id) == (set(), own(cobalt))


def _die_at(step: str, after: bool) -> None:
    holder, _, name = step.rpartition(".")
    place = getattr(next_key, holder) if holder else next_key
    act = getattr(place, name)

    def deadly(*given: object, **named: object) -> None:
        if after:
            act(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(place, name, deadly)


def test_an_answer_that_got_lost_costs_nothing(cobalt: Cobalt, north: North) -> None:
    north.faults.append(Fault("/keys", cut=5))
    with pytest.raises(NetworkError):
        rotate(cobalt)
    assert opens(cobalt)
    known = len(north.keys)
    rotate(cobalt)
    assert (len(north.keys), left_over(cobalt)) == (known, set())


def test_it_goes_on_when_the_old_key_ended_before_anybody_carried_it_on(cobalt: Cobalt, north: North) -> None:
    north.faults.append(Fault("/keys", cut=5))
    with pytest.raises(NetworkError):
        rotate(cobalt)
    north.revoked.add(own(cobalt))
    rotate(cobalt)
    assert opens(cobalt)


def test_what_the_hub_refuses_is_dropped(cobalt: Cobalt, north: North) -> None:
    before, north.keyring.full = own(cobalt), True
    done = cobalt.call("key", "rotate")
    assert done.status == 6
    assert "as many as it may" in done.err
    assert (own(cobalt), left_over(cobalt)) == (before, set())


def test_a_hub_that_was_away_at_the_end_is_told_by_the_next_sync(cobalt: Cobalt, north: North) -> None:
    before = own(cobalt)
    north.faults.append(Fault("revocation", status=502, times=1))
    done = cobalt.call("key", "rotate")
    assert done.status == 5
    assert "could not be told that the old key ends" in done.err
    assert before not in north.keyring.ends
    assert cobalt.call("sync").status == 0
    assert before in north.keyring.ends
    assert left_over(cobalt) == set()


def test_cron_rotates_only_when_it_is_due(cobalt: Cobalt, north: North) -> None:
    before = own(cobalt)
    assert cobalt.call("key", "rotate", "--if-due", "60").status == 0
    north.keyring.ends[before] = datetime.now(UTC) + timedelta(days=61)
    assert "nothing was changed" in cobalt.call("key", "rotate", "--if-due", "60").out
    assert own(cobalt) == before
    assert cobalt.call("key", "rotate", "--if-due", "62").status == 0
    assert own(cobalt) != before


def test_a_statement_that_waits_is_signed_anew(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    """The hub takes no statement of a key that is over when it arrives."""
    aurora.release(items(2))
    north.faults.append(Fault("acknowledgements", status=502))
    cobalt.call("sync")
    assert told(cobalt.store(aurora)).pending is not None
    rotate(cobalt, overlap_hours=0)
    assert cobalt.call("sync").status == 0
    assert told(cobalt.store(aurora)).pending is None
    assert told(cobalt.store(aurora)).taken is not None


# --- the others --------------------------------------------------------------------------------------------------


def test_a_second_machine_gets_a_key_of_its_own(cobalt: Cobalt, north: North, tmp_path: Path) -> None:
    made = cobalt.call("key", "add", "sync-02", "--json").json
    second = Cobalt(tmp_path / "second", north)
    assert second.call("enroll", north.url, made["code"]).status == 0
    assert second.call("sync").status == 0
    assert own(second) != own(cobalt)
    assert Cobalt(tmp_path / "third", north).call("enroll", north.url, made["code"]).status == 3


def test_it_lists_the_keys_and_says_which_is_this_machine_s(cobalt: Cobalt, north: North) -> None:
    rotate(cobalt)
    done = cobalt.call("key", "list")
    mine = [line for line in done.out.splitlines() if "this machine" in line]
    assert [line[:19] for line in mine] == [own(cobalt)[:19]]
    listed = cobalt.call("key", "list", "--json").json
    assert (listed["this_machine"], len(listed["keys"])) == (own(cobalt), 2)


def test_it_revokes_a_key_by_the_beginning_of_its_id_and_asks_first(cobalt: Cobalt, north: North) -> None:
    old = own(cobalt)
    rotate(cobalt)
    refused = cobalt.call("key", "revoke", old[:15])
    assert refused.status == 2
    assert not north.keyring.is_over(old)
    assert cobalt.call("key", "revoke", old[:15], "--yes").status == 0
    assert north.keyring.is_over(old)


def test_two_keys_of_one_name_are_told_apart_before_one_is_revoked(cobalt: Cobalt, north: North) -> None:
    """As during the overlap after `key rotate`: the name means both, the beginning of an id just one."""
    old = own(cobalt)
    rotate(cobalt)
    north.keyring.names[old] = "sync-01"
    refused = cobalt.call("key", "revoke", "sync-01", "--yes")
    assert (refused.status, old in refused.err, own(cobalt) in refused.err) == (2, True, True)
    assert not north.keyring.is_over(old)
    assert opens(cobalt)
    bare = old.removeprefix("SHA256:")[:12]
    assert cobalt.call("key", "revoke", bare, "--yes").status == 0
    assert north.keyring.is_over(old)
    assert opens(cobalt)


@pytest.mark.parametrize("text", ["SHA256:", "nobody", ""])
def test_it_revokes_nothing_that_is_not_named_clearly(cobalt: Cobalt, text: str) -> None:
    rotate(cobalt)
    assert cobalt.call("key", "revoke", text, "--yes").status == 2
    assert opens(cobalt)


def test_the_last_key_is_not_revoked_by_a_slip(cobalt: Cobalt) -> None:
    done = cobalt.call("key", "revoke", own(cobalt), "--yes")
    assert done.status == 6
    assert "key rotate" in done.err
    assert opens(cobalt)


def test_home_is_found_by_its_own_key(cobalt: Cobalt) -> None:
    """A config that a killed rotation left behind is set right by whatever runs next."""
    home = Home.open(cobalt.folder)
    text = home.config_path.read_text().replace(own(cobalt), "SHA256:another")
    home.config_path.write_text(text)
    assert opens(cobalt)
    assert home.config().key_id == own(cobalt)

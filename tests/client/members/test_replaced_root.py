"""A publisher that had to start anew: its new root is put in place by the user's word alone, never the hub's."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from hashshare.client import replacing, trust
from hashshare.wire import keys
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North
from tests.client.members.test_sync import held_keys


@pytest.fixture
def anew(tmp_path: Path) -> Aurora:
    """The same publisher with another root and a list of another id."""
    made = Aurora(tmp_path / "anew", slug="images-2")
    made.release(items(3))
    return made


@pytest.fixture
def held(cobalt: Cobalt, aurora: Aurora) -> Cobalt:
    """Version 2 under a root that was confirmed."""
    aurora.release(items(2))
    assert cobalt.call("sync").status == 0
    assert cobalt.call("pin", aurora.domain, aurora.fingerprint).status == 0
    return cobalt


def root(cobalt: Cobalt, aurora: Aurora) -> str:
    known = trust.publisher(cobalt.home, aurora.domain)
    assert known is not None
    return known.fingerprint


def in_use(cobalt: Cobalt, aurora: Aurora) -> bool:
    """The old list is found, and verifies, under whichever root."""
    key = next(iter(aurora.live)).hex()
    found = cobalt.call("lookup", key).out
    return aurora.name in found and cobalt.call("verify", aurora.name).status in (0, 7)


def name_it(cobalt: Cobalt, aurora: Aurora) -> None:
    assert cobalt.call("pin", aurora.domain, aurora.fingerprint, "--replace").status == 0


def test_a_hub_that_serves_another_root_changes_nothing_by_itself(
    held: Cobalt, aurora: Aurora, anew: Aurora, north: North
) -> None:
    north.publishers[:] = [anew]
    assert held.call("sync").status == 4
    assert root(held, aurora) == aurora.fingerprint
    assert in_use(held, aurora)


# --- a publisher that began anew at its hub: another root, the same lists -----------------------------------------


@pytest.mark.parametrize("named", [True, False], ids=["named by the poll", "by an older hub"])
def test_it_alarms_with_both_fingerprints_until_a_person_names_the_new_one(
    held: Cobalt, aurora: Aurora, north: North, named: bool
) -> None:
    north.named_roots = named
    held.call("sync")
    before = aurora.fingerprint
    aurora.begin_anew()
    for words in (("sync", "--force"), ("sync",), ("sync",)):
        ran = held.call(*words)
        assert ran.status == 4
        assert before in ran.err
        assert aurora.fingerprint in ran.err
        assert "at a number that you had before" in ran.err
        assert "--replace" in ran.err
    assert root(held, aurora) == before
    assert in_use(held, aurora)
    told = held.call("sync", "--json").json["lists"][0]["error"]
    assert (told["type"], told["held"], told["offered"]) == ("root-replaced", before, aurora.fingerprint)


def test_named_by_the_poll_it_alarms_at_the_next_poll(held: Cobalt, aurora: Aurora, north: North) -> None:
    north.named_roots = True
    held.call("sync")
    aurora.begin_anew()
    ran = held.call("sync")
    assert (ran.status, aurora.fingerprint in ran.err) == (4, True)


def test_a_hub_that_only_says_so_is_ignored(held: Cobalt, aurora: Aurora, north: North, anew: Aurora) -> None:
    """The poll names another root, and the hub serves the one that is held."""
    north.named_roots = True
    heads = json.loads(north.heads())
    heads["publishers"][0]["root_fingerprint"] = anew.fingerprint
    north.frozen_heads = json.dumps(heads).encode()
    assert held.call("sync").status == 0
    assert root(held, aurora) == aurora.fingerprint


def test_once_named_the_same_list_goes_on_under_the_new_root(held: Cobalt, aurora: Aurora, north: North) -> None:
    north.named_roots = True
    aurora.begin_anew()
    assert held.call("sync").status == 4
    name_it(held, aurora)
    ran = held.call("sync")
    assert ran.status == 0, ran.err
    assert root(held, aurora) == aurora.fingerprint
    assert held.call("verify").status == 0
    aurora.release(items(1))
    assert held.call("sync", "--json").json["lists"][0]["version"] == 3
    assert held.call("sync").status == 0


def test_the_guard_against_large_losses_holds_under_the_new_root(held: Cobalt, aurora: Aurora, north: North) -> None:
    aurora.release(items(400))
    held.call("sync")
    before = set(aurora.live)
    aurora.begin_anew()
    name_it(held, aurora)
    aurora.release((), list(aurora.live.values())[:200])
    ran = held.call("sync")
    assert (ran.status, "--accept-shrink" in ran.err) == (4, True)
    assert held_keys(held, aurora) == before
    assert held.call("sync", "--accept-shrink").status == 0
    assert held_keys(held, aurora) == set(aurora.live)


def test_pinning_another_root_is_refused_and_says_how_it_could_be_meant(
    held: Cobalt, aurora: Aurora, anew: Aurora
) -> None:
    ran = held.call("pin", aurora.domain, anew.fingerprint)
    assert ran.status == 4
    assert f"hashshare pin {aurora.domain} {anew.fingerprint} --replace" in ran.err
    assert root(held, aurora) == aurora.fingerprint


def test_the_old_root_stays_in_use_until_the_hub_serves_the_new_one(
    held: Cobalt, aurora: Aurora, anew: Aurora, north: North
) -> None:
    name_it(held, anew)
    aurora.release(items(1))
    ran = held.call("sync")
    assert (ran.status, "still serves the root that is to be replaced" in ran.err) == (0, True)
    assert in_use(held, aurora)
    north.publishers[:] = [anew]
    ran = held.call("sync")
    assert "started anew" in ran.err
    assert root(held, aurora) == anew.fingerprint
    assert held.store(anew).held() is not None
    assert in_use(held, aurora)
    assert "started anew" not in held.call("sync").err
    known = trust.publisher(held.home, aurora.domain)
    assert known is not None and (known.state, known.successor) == ("confirmed", "")


def test_a_third_root_is_refused(held: Cobalt, aurora: Aurora, anew: Aurora, north: North, tmp_path: Path) -> None:
    name_it(held, anew)
    impostor = Aurora(tmp_path / "impostor")
    north.publishers[:] = [impostor]
    ran = held.call("sync")
    assert ran.status == 4
    assert "not in place yet" in ran.err
    assert root(held, aurora) == aurora.fingerprint
    assert in_use(held, aurora)


def test_a_new_root_under_which_something_does_not_verify_is_not_put_in_place(
    held: Cobalt, aurora: Aurora, anew: Aurora, north: North
) -> None:
    name_it(held, anew)
    right = anew.online
    anew.online = keys.generate()
    anew.stamp()
    north.publishers[:] = [anew]
    assert held.call("sync").status == 4
    assert root(held, aurora) == aurora.fingerprint
    assert in_use(held, aurora)
    anew.online = right
    anew.stamp()
    held.call("sync")
    assert root(held, aurora) == anew.fingerprint


def test_it_is_taken_back_by_pinning_the_root_that_is_held(
    held: Cobalt, aurora: Aurora, anew: Aurora, north: North
) -> None:
    name_it(held, anew)
    assert held.call("pin", aurora.domain, aurora.fingerprint).status == 0
    north.publishers[:] = [anew]
    assert held.call("sync").status == 4
    assert root(held, aurora) == aurora.fingerprint


def test_there_must_be_a_root_to_replace(cobalt: Cobalt) -> None:
    assert cobalt.call("pin", "nobody.example", "0" * 64, "--replace").status == 2


@pytest.mark.parametrize("step", ["copytree", "write_atomic", "rmtree", "replace", "save_publisher"])
def test_killed_at_any_step_it_is_carried_on(
    held: Cobalt, aurora: Aurora, anew: Aurora, north: North, step: str
) -> None:
    name_it(held, anew)
    north.publishers[:] = [anew]
    child = os.fork()
    if not child:
        _die_at(step)
        replacing.carry_out(held.home, held.session, aurora.domain)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    key = next(iter(aurora.live)).hex()
    assert aurora.name in held.call("lookup", key).out
    held.call("sync")
    assert root(held, aurora) == anew.fingerprint
    assert in_use(held, aurora)


def _die_at(step: str) -> None:
    """The moment before that step of the swap."""

    def deadly(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if step in ("copytree", "rmtree"):
        begun = replacing._swap

        def swap(*given: object) -> None:
            setattr(shutil, step, deadly)
            begun(*given)  # type: ignore[arg-type]

        replacing._swap = swap  # type: ignore[assignment]
    elif step == "replace":
        Path.replace = deadly  # type: ignore[assignment, method-assign]
    else:
        setattr(replacing if step == "write_atomic" else trust, step, deadly)

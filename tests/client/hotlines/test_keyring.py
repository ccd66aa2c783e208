"""A new key takes over from the old one on disk: whatever step is the last one of a killed run, a key that works is in
use, and the next run ends with the new one in use and the old one aside.
"""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import Key

from hashshare.client import keyring
from hashshare.client.home import Home
from hashshare.client.officers import make_keys
from hashshare.client.publisher import KEY_ROLES, OwnPublisher, own_key
from hashshare.client.signers import FILE, HeldKey, find_key, open_signer, record_key
from hashshare.wire import keys, repository

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LIST_ID = "00c0ffee00c0ffee"


@pytest.fixture
def mine(tmp_path: Path) -> OwnPublisher:
    own = OwnPublisher(Home.open(tmp_path / "home"), "aurora.example")
    make_keys(own.keys_folder, KEY_ROLES, uris={}, ask=lambda _: None)
    return own


def metadata(mine: OwnPublisher, **named: Key) -> dict[str, bytes]:
    """A root and targets that name this machine's keys, or those `named` by role; nobody has to have signed them."""
    held = {role: find_key(mine.keys_folder, role) for role in KEY_ROLES}
    keys_by_role = {role: key.public for role, key in held.items() if key is not None} | named
    hub = [keys.tuf_key(keys.public_bytes(keys.generate())) for _ in range(2)]
    root = repository.create_root(
        root_keys=[keys_by_role["root"]], targets_keys=[keys_by_role["targets"]], hub_keys=hub, signers=[], now=NOW
    )
    targets = repository.create_targets(signers=[], now=NOW)
    feed = [keys_by_role["feed"]]
    return {
        "root": root,
        "targets": repository.delegate_list(targets, list_id=LIST_ID, keys=feed, signers=[], now=NOW),
    }


STEPS = 13
"""Links, moves and removals of one take-over."""


def works(key: HeldKey) -> bool:
    return open_signer(key, lambda _: None).public_key.keyid == key.keyid


def test_the_new_key_takes_the_name_and_the_old_one_a_date(mine: OwnPublisher) -> None:
    old, new = own_key(mine, "feed"), keyring.next_key(mine, "feed", lambda _: None)
    [taken] = keyring.take_over(mine, **metadata(mine, feed=new.public), now=NOW)
    now = own_key(mine, "feed")
    assert (now.keyid, now.place) == (new.keyid, mine.key_path("feed"))
    assert taken.retired is not None
    assert (taken.retired.keyid, taken.retired.name) == (old.keyid, "feed-until-2026-11-28")
    assert works(now) and works(taken.retired)
    assert keyring.take_over(mine, **metadata(mine, feed=new.public), now=NOW) == ()


def test_a_key_that_no_metadata_names_waits(mine: OwnPublisher) -> None:
    old = own_key(mine, "feed")
    new = keyring.next_key(mine, "feed", lambda _: None)
    assert keyring.take_over(mine, **metadata(mine), now=NOW) == ()
    assert own_key(mine, "feed") == old
    assert keyring.next_key(mine, "feed", lambda _: None) == new
    assert keyring.is_under_way(mine)


def test_several_keys_of_one_day_are_numbered(mine: OwnPublisher) -> None:
    for _ in range(3):
        new = keyring.next_key(mine, "feed", lambda _: None)
        keyring.take_over(mine, **metadata(mine, feed=new.public), now=NOW)
    names = ["feed-until-2026-11-28", "feed-until-2026-11-28-2", "feed-until-2026-11-28-3"]
    assert sorted(key.name for key in keyring.retired_keys(mine)) == names
    assert all(map(works, keyring.retired_keys(mine)))


def test_a_key_behind_a_uri_takes_over_by_its_record_alone(mine: OwnPublisher) -> None:
    public = keys.tuf_key(keys.public_bytes(keys.generate()))
    record_key(mine.keys_folder, "feed-next", uri="hsm:2?label=feed", public=public)
    keyring.take_over(mine, **metadata(mine, feed=public), now=NOW)
    assert (own_key(mine, "feed").uri, own_key(mine, "feed").keyid) == ("hsm:2?label=feed", public.keyid)
    [retired] = keyring.retired_keys(mine)
    assert works(retired) and retired.uri == f"{FILE}{retired.name}.pem"


def test_a_key_whose_file_was_lost_leaves_nothing_to_destroy(mine: OwnPublisher) -> None:
    mine.key_path("feed").unlink()
    new = keyring.next_key(mine, "feed", lambda _: None)
    [taken] = keyring.take_over(mine, **metadata(mine, feed=new.public), now=NOW)
    assert taken.retired is None
    assert works(own_key(mine, "feed"))


def test_root_and_feed_take_over_together(mine: OwnPublisher) -> None:
    feed, root = (keyring.next_key(mine, role, lambda _: None) for role in ("feed", "root"))
    accepted = metadata(mine, feed=feed.public, root=root.public)
    assert {taken.role for taken in keyring.take_over(mine, **accepted, now=NOW)} == {"root", "feed"}
    assert own_key(mine, "root").keyid == root.keyid


def somebody() -> Key:
    return keys.tuf_key(keys.public_bytes(keys.generate()))


def test_an_officers_key_that_nothing_names_any_more_is_put_aside(mine: OwnPublisher) -> None:
    old = own_key(mine, "root")
    keyring.take_over(mine, **metadata(mine, root=somebody()), now=NOW)
    assert find_key(mine.keys_folder, "root") is None
    assert [key.keyid for key in keyring.retired_keys(mine)] == [old.keyid]
    assert works(own_key(mine, "targets")) and works(own_key(mine, "feed"))


def test_a_feed_key_without_a_list_stays(mine: OwnPublisher) -> None:
    """As at the beginning, when no list has been created."""
    old = own_key(mine, "feed")
    keyring.take_over(mine, **metadata(mine, feed=somebody()), now=NOW)
    assert own_key(mine, "feed") == old


class Killed:
    """Lets so many links, moves and removals through, then stops the run."""

    def __init__(self, patched: pytest.MonkeyPatch, last: int) -> None:
        self.last, self.done = last, 0
        patched.setattr(os, "link", self.counted(os.link))
        for name in ("replace", "unlink"):
            patched.setattr(Path, name, self.counted(getattr(Path, name)))

    def counted(self, step: Any) -> Any:
        def run(*arguments: Any, **named: Any) -> Any:
            if self.done == self.last:
                raise Stop
            self.done += 1
            return step(*arguments, **named)

        return run


class Stop(BaseException):
    """In the place of a SIGKILL: nothing may catch it."""


@pytest.mark.parametrize("last", range(STEPS))
def test_killed_after_any_step(mine: OwnPublisher, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = own_key(mine, "feed"), keyring.next_key(mine, "feed", lambda _: None)
    accepted = metadata(mine, feed=new.public)
    with monkeypatch.context() as patched, pytest.raises(Stop):
        Killed(patched, last)
        keyring.take_over(mine, **accepted, now=NOW)
    assert works(own_key(mine, "feed")) and own_key(mine, "feed").keyid in (old.keyid, new.keyid)

    keyring.take_over(mine, **accepted, now=NOW)
    assert own_key(mine, "feed").keyid == new.keyid and works(own_key(mine, "feed"))
    assert [key.keyid for key in keyring.retired_keys(mine)] == [old.keyid]
    assert all(map(works, keyring.retired_keys(mine)))
    assert not [path for path in mine.keys_folder.iterdir() if "next" in path.name or "moving" in path.name]


def test_those_are_all_steps(mine: OwnPublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    new = keyring.next_key(mine, "feed", lambda _: None)
    with monkeypatch.context() as patched:
        counted = Killed(patched, -1)
        keyring.take_over(mine, **metadata(mine, feed=new.public), now=NOW)
    assert counted.done == STEPS


@pytest.mark.parametrize("last", range(6))
def test_killed_while_a_key_is_put_aside(mine: OwnPublisher, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    old, accepted = own_key(mine, "root"), metadata(mine, root=somebody())
    with monkeypatch.context() as patched, contextlib.suppress(Stop):
        Killed(patched, last)
        keyring.take_over(mine, **accepted, now=NOW)
    keyring.take_over(mine, **accepted, now=NOW)
    assert [key.keyid for key in keyring.retired_keys(mine) if works(key)] == [old.keyid]
    assert not list(mine.keys_folder.glob("root.*"))

"""A list's base is built at a published version, kept as prepared, and adopted by the next release."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from hashshare.client.bases import BaseFolder
from hashshare.client.publisher import OwnList, find_list
from hashshare.client.store import Held, ListStore
from hashshare.wire import compaction
from hashshare.wire.errors import WrongFold
from hashshare.wire.manifest import Manifest
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North
from tests.client.hotlines.proof import Prover

CHANGES = ("op", "reason", *HEADER)
RENEW = ("publisher", "renew-base", LIST)


@pytest.fixture
def feed(images: Desk, north: North, tmp_path: Path) -> Desk:
    """A list of 100, at a hub that proves what it is given."""
    north.verdict = Prover(north, tmp_path / "proof")
    images.json("publish", LIST, images.csv(entries(range(100)), header=HEADER))
    return images


def add(desk: Desk, *numbers: int, words: tuple[str, ...] = ("--no-renew-base",)) -> dict[str, object]:
    rows = [("upsert", "", *entry(number)) for number in numbers]
    return publish(desk, rows, *words)


def publish(desk: Desk, rows: Sequence[tuple[str, ...]], *words: str) -> dict[str, object]:
    file = desk.csv(rows, header=CHANGES, name="changes.csv")
    done: dict[str, object] = desk.json("publish", LIST, file, "--changes", *words)
    return done


def served(desk: Desk, north: North) -> Manifest:
    return north.shelf.manifests[find_list(desk.home, LIST).list_id]


def own(desk: Desk) -> OwnList:
    return find_list(desk.home, LIST)


def held(desk: Desk) -> Held:
    now = ListStore(desk.home, own(desk).list_id).held()
    assert now is not None
    return now


def test_publish_goes_on_to_build_one_when_a_fifth_has_changed(feed: Desk, north: North) -> None:
    file = feed.csv([("upsert", "", *entry(n)) for n in range(100, 125)], header=CHANGES, name="changes.csv")
    said = feed.run("publish", LIST, file, "--changes").stdout
    assert "v2 is published. Building a new base" in said
    assert served(feed, north).base.version == 1
    done = add(feed, 200)
    assert (done["version"], done["adopted_base"], done["entries"]) == (3, 2, 126)
    manifest = served(feed, north)
    assert (manifest.base.version, manifest.base.entries) == (2, 125)
    assert held(feed).base_version == 2
    assert not BaseFolder(own(feed)).path.exists()


def test_it_is_not_downloaded_again(feed: Desk, north: North) -> None:
    add(feed, *range(100, 125), words=())
    north.asked.clear()
    add(feed, 200)
    assert not [path for method, path in north.asked if method == "GET" and path.endswith(".parquet")]
    assert not [path for method, path in north.asked if method == "PUT" and "base-" in path]


def test_it_builds_nothing_that_is_not_due_unless_asked(feed: Desk, north: North) -> None:
    add(feed, 100)
    assert feed.json(*RENEW)["version"] is None
    assert "good as it is" in feed.run(*RENEW).stdout
    done = feed.json(*RENEW, "--now")
    assert (done["why"], done["version"], done["entries"], done["built"]) == ("asked", 2, 101, True)
    again = feed.json(*RENEW, "--now")
    assert (again["version"], again["built"], again["uploaded"]) == (2, False, 0)


def test_it_is_due_when_withdrawn_entries_have_lain_in_the_base_for_five_days(feed: Desk, north: North) -> None:
    publish(feed, [("withdraw", "incorrect", entry(3)[0], "", "")])
    assert feed.json(*RENEW)["version"] is None
    with time_machine.travel(datetime.now(UTC) + timedelta(days=6)):
        north.seal()
        done = feed.json(*RENEW)
        assert (done["why"], done["entries"]) == ("withdrawals", 99)
        assert add(feed, 100)["adopted_base"] == 2


def test_a_publication_of_nothing_new_adopts_it(feed: Desk, north: North) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    done = add(feed, 100)
    assert (done["published"], done["version"], done["adopted_base"], done["added"]) == (True, 3, 2, 0)
    assert served(feed, north).segments[-1].operations == 0
    assert add(feed, 100)["published"] is False


def test_a_refresh_adopts_it_even_when_the_signature_is_fresh(feed: Desk, north: North) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    done = feed.json("publisher", "refresh", LIST)["lists"][0]
    assert (done["adopted_base"], done["role_version"]) == (2, 3)
    assert served(feed, north).base.version == 2


def test_no_release_merges_its_version_away(feed: Desk, north: North) -> None:
    """Prepared at v4 while publications without renewal go on: what is being built keeps its place in the chain."""
    add(feed, 100)
    add(feed, 101)
    add(feed, 102)
    folder = BaseFolder(own(feed))
    with folder.lock(blocking=True):
        folder.begin(4)
        for number in range(103, 110):
            add(feed, number)
        assert 4 in {segment.to_version for segment in served(feed, north).segments}
    for number in range(110, 112):
        add(feed, number)
    assert 4 not in {segment.to_version for segment in served(feed, north).segments}
    assert not folder.path.exists()


def test_it_counts_entries_without_those_that_lapsed(aurora: Desk, north: North, tmp_path: Path) -> None:
    """The base leaves them out, so the list has fewer entries from its adoption on; they can still be withdrawn."""
    aurora.json("publisher", "init", "aurora.example", "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category,expires")
    aurora.json("publisher", "list", "create", LIST, *declared)
    north.verdict = Prover(north, tmp_path / "proof")
    header = ("op", "reason", "sha256", "category", "expires")
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    rows = [("upsert", "", entry(n)[0], "A", soon if n < 4 else "") for n in range(20)]
    aurora.json("publish", LIST, aurora.csv(rows, header=header), "--changes")
    more = aurora.csv([("upsert", "", entry(50)[0], "A", "")], header=header)
    assert aurora.json("publish", LIST, more, "--changes")["entries"] == 21
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4)):
        north.seal()
        assert aurora.json(*RENEW, "--now")["entries"] == 17
        gone = aurora.csv([("withdraw", "other", entry(0)[0], "", "")], header=header)
        done = aurora.json("publish", LIST, gone, "--changes")
        assert (done["withdrawn"], done["entries"], done["adopted_base"]) == (1, 17, 2)
        for number in range(60, 66):
            rows = [("upsert", "", entry(number)[0], "A", "")]
            aurora.json("publish", LIST, aurora.csv(rows, header=header), "--changes")
        assert served(aurora, north).entries == 23


def test_what_was_cut_short_while_building_starts_over(feed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    add(feed, *range(100, 125))
    with monkeypatch.context() as broken, pytest.raises(Killed):
        broken.setattr("hashshare.client.rebasing.renew_base", killed_after(compaction.renew_base))
        feed.run(*RENEW)
    assert BaseFolder(own(feed)).read() is not None
    done = feed.json(*RENEW)
    assert (done["version"], done["built"]) == (2, True)


def test_what_was_cut_short_while_sending_goes_on(feed: Desk, north: North, monkeypatch: pytest.MonkeyPatch) -> None:
    add(feed, *range(100, 125))
    with monkeypatch.context() as broken, pytest.raises(Killed):
        broken.setattr("hashshare.client.rebasing.upload_all", killed_after(lambda *args, **kwargs: None))
        feed.run(*RENEW)
    assert add(feed, 300)["adopted_base"] is None
    done = feed.json(*RENEW)
    assert (done["why"], done["version"], done["built"]) == ("unfinished", 2, False)
    assert done["uploaded"] > 0
    assert add(feed, 301)["adopted_base"] == 2


def test_it_publishes_without_a_base_that_the_hub_refuses(feed: Desk, north: North) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    prove = north.verdict

    def refuse(manifest: Manifest) -> None:
        if manifest.base.version != 1:
            raise WrongFold("It is not the fold of what it replaces.")
        prove(manifest)

    north.verdict = refuse
    done = add(feed, 101)
    assert (done["version"], done["adopted_base"], done["entries"]) == (3, None, 102)
    assert not BaseFolder(own(feed)).path.exists()


def test_it_drops_what_nobody_adopted_for_a_week(feed: Desk, north: North) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        north.seal()
        assert add(feed, 101)["adopted_base"] is None
    assert not BaseFolder(own(feed)).path.exists()


def test_it_drops_one_whose_version_was_merged_away_elsewhere(feed: Desk, north: North) -> None:
    for number in range(100, 103):
        add(feed, number)
    feed.json(*RENEW, "--now")
    folder = BaseFolder(own(feed))
    aside = folder.path.with_name("aside")
    folder.path.rename(aside)
    for number in range(103, 110):
        add(feed, number)
    aside.rename(folder.path)
    assert add(feed, 110)["adopted_base"] is None
    assert not folder.path.exists()


@pytest.mark.parametrize("damage", ["{", '{"format": "x"}', '{"format": "hashshare-prepared-base/1", "version": 2}'])
def test_a_damaged_record_counts_as_none(feed: Desk, damage: str) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    (BaseFolder(own(feed)).path / "prepared.json").write_text(damage)
    assert add(feed, 101)["adopted_base"] is None
    assert feed.json(*RENEW, "--now")["version"] == 3


def test_it_counts_as_none_when_a_file_is_gone(feed: Desk) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    folder = BaseFolder(own(feed))
    next(folder.files_folder.glob("*.parquet")).unlink()
    assert add(feed, 101)["adopted_base"] is None


def test_it_is_built_again_when_a_file_was_damaged_before_it_was_sent(
    feed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(feed, 100)
    with monkeypatch.context() as broken, pytest.raises(Killed):
        broken.setattr("hashshare.client.rebasing.upload_all", killed_after(lambda *args, **kwargs: None))
        feed.run(*RENEW, "--now")
    file = next(BaseFolder(own(feed)).files_folder.glob("*.parquet"))
    file.write_bytes(bytes(reversed(file.read_bytes())))
    assert feed.json(*RENEW, exit_code=6)["error"]["type"] == "wrong-digest"
    done = feed.json(*RENEW, "--now")
    assert (done["version"], done["built"]) == (2, True)


def test_what_it_keeps_is_nobody_elses(feed: Desk) -> None:
    add(feed, 100)
    feed.json(*RENEW, "--now")
    for path in BaseFolder(own(feed)).path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_failure_afterwards_does_not_hide_that_it_was_published(feed: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashshare.client.rebasing.ROOM", 1e12)
    file = feed.csv([("upsert", "", *entry(n)) for n in range(100, 125)], header=CHANGES, name="changes.csv")
    result = feed.run("publish", LIST, file, "--changes", "--json")
    assert result.exit_code == 0
    done = json.loads(result.stdout)
    assert (done["published"], done["version"]) == (True, 2)
    assert "needs" in done["new_base"]["error"]["detail"]
    assert "v2 is published, but its new base is not ready" in result.stderr


def test_it_needs_a_release(images: Desk) -> None:
    assert images.json(*RENEW, exit_code=2)["error"]["type"] == "not-synced"


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it and tidy up."""


def killed_after(step: object) -> object:
    def dying(*args: object, **kwargs: object) -> None:
        step(*args, **kwargs)  # type: ignore[operator]
        raise Killed

    return dying

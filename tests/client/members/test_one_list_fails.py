"""Whatever goes wrong with one list, the others are synced, matched and verified, and the failure is not overlooked."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from hashshare.client import lookup, sync
from hashshare.client.cli.output import Output, perform
from hashshare.client.cli.syncing import sync as sync_command
from hashshare.client.lookup import look_up, open_index
from hashshare.client.store import Held, ListStore
from hashshare.wire import seeking
from hashshare.wire.errors import ExitCode, HashshareError
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import North, running

ON_BOTH = items(3)


@pytest.fixture
def borealis(tmp_path: Path) -> Aurora:
    """The list that stays right; it comes after Aurora's by name and in the poll."""
    return Aurora(tmp_path / "borealis", domain="borealis.example")


@pytest.fixture
def north(aurora: Aurora, borealis: Aurora) -> Iterator[North]:
    aurora.release([*items(200), *ON_BOTH])
    borealis.release(ON_BOTH)
    with running(North(publishers=[aurora, borealis])) as hub:
        yield hub


@pytest.fixture
def synced(cobalt: Cobalt) -> Cobalt:
    assert cobalt.run("sync").status == 0
    return cobalt


def held(cobalt: Cobalt, one: Aurora) -> Held:
    state = cobalt.store(one).held()
    assert state is not None
    return state


def spoil_record(cobalt: Cobalt, one: Aurora) -> None:
    (cobalt.store(one).folder / "current.json").write_text("{")


def spoil_objects(cobalt: Cobalt, one: Aurora) -> None:
    """Damage of unchanged length in the first file that has rows."""
    part = max(held(cobalt, one).objects, key=lambda it: it.length)
    path = cobalt.store(one).object_path(part.sha256)
    path.write_bytes(b"\0" * part.length)


SPOIL: list[Callable[[Cobalt, Aurora], None]] = [spoil_record, spoil_objects]


# --- sync --------------------------------------------------------------------------------------------------------


def fail_with(monkeypatch: pytest.MonkeyPatch, one: Aurora, error: BaseException | type[BaseException]) -> None:
    """The first sync step of this list raises."""
    whole = sync._Run.run

    def run(self: sync._Run, *, force: bool) -> sync.Synced:
        if self.head.list_id == one.list_id:
            raise error
        return whole(self, force=force)

    monkeypatch.setattr(sync._Run, "run", run)


def synced_here(cobalt: Cobalt, monkeypatch: pytest.MonkeyPatch, *, as_json: bool = True) -> Output:
    monkeypatch.setenv("HASHSHARE_HOME", str(cobalt.folder))
    out = Output(as_json=as_json)
    out.exit_code = ExitCode(perform(out, lambda: sync_command(out, accept_shrink=False, force=False, jitter=0)))
    return out


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(28, "No space left on device", "/srv/x.part"), 1),
        (duckdb.IOException("No magic bytes found at end of file"), 1),
        (duckdb.OutOfMemoryException("could not allocate"), 1),
        (HashshareError("It is broken."), 1),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_a_sync_goes_on_with_the_next_list(
    cobalt: Cobalt,
    aurora: Aurora,
    borealis: Aurora,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
) -> None:
    fail_with(monkeypatch, aurora, error)
    out = synced_here(cobalt, monkeypatch)
    assert out.exit_code == status
    assert out.document is not None
    failed, done = out.document["lists"]
    assert (failed["name"], done["name"]) == (aurora.name, borealis.name)
    assert failed["error"]["detail"]
    assert held(cobalt, borealis).version == borealis.version


def test_ctrl_c_ends_the_sync_in_whatever_shape_it_comes(
    cobalt: Cobalt, aurora: Aurora, borealis: Aurora, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(self: sync._Run, *, force: bool) -> sync.Synced:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise duckdb.InvalidInputException("Interrupted!") from None
        raise AssertionError

    monkeypatch.setattr(sync._Run, "run", press)
    monkeypatch.setenv("HASHSHARE_HOME", str(cobalt.folder))
    assert perform(Output(), lambda: sync_command(Output())) == 130
    assert cobalt.store(borealis).held() is None


def test_a_sync_with_a_full_disk_has_a_row_per_list(cobalt: Cobalt, aurora: Aurora, borealis: Aurora) -> None:
    done = cobalt.run_short_of_room("sync", "--json", room=8_000)
    failed, whole = done.json["lists"]
    assert done.status == 1
    assert "The disk is full" in failed["error"]["detail"]
    assert f"{cobalt.folder}/lists/{aurora.list_id}/objects)" in failed["error"]["detail"]
    assert whole["entries"] == len(ON_BOTH)
    assert held(cobalt, borealis).version == borealis.version


@pytest.mark.parametrize("room", [300, 3_000])
def test_a_full_disk_is_named_whatever_was_being_written(
    synced: Cobalt, aurora: Aurora, borealis: Aurora, room: int
) -> None:
    """The signed metadata, or the record of what is held."""
    for one in (aurora, borealis):
        one.release([*items(50), *ON_BOTH])
    (synced.folder / "token.json").unlink()
    done = synced.run_short_of_room("sync", "--json", room=room)
    assert done.status == 1
    for row in done.json["lists"]:
        assert f"The disk is full ({synced.folder}/" in row["error"]["detail"]


def test_the_gravest_failure_is_the_exit_code(
    cobalt: Cobalt, aurora: Aurora, borealis: Aurora, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, aurora, HashshareError("It is broken."))
    borealis.sign(b"{}")
    out = synced_here(cobalt, monkeypatch)
    assert out.exit_code == ExitCode.VERIFICATION


def test_a_poll_that_cannot_be_kept_stops_nothing(cobalt: Cobalt, aurora: Aurora, borealis: Aurora) -> None:
    (cobalt.folder / "heads.json").write_text("{")
    assert cobalt.run("sync").status == 0
    (cobalt.folder / "heads.json").unlink()
    (cobalt.folder / "heads.json").mkdir()
    (cobalt.folder / "heads.json" / "in-the-way").touch()
    borealis.release(items(1))
    assert cobalt.run("sync").status == 0
    assert held(cobalt, borealis).version == borealis.version


# --- matching ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spoil", SPOIL)
def test_a_lookup_searches_the_others(
    synced: Cobalt, aurora: Aurora, borealis: Aurora, spoil: Callable[[Cobalt, Aurora], None]
) -> None:
    spoil(synced, aurora)
    known, other = ON_BOTH[0].sha256.hex(), items(1)[0].sha256.hex()
    done = synced.run("lookup", known, other, "--json")
    assert done.status != 0
    assert [(row["name"], bool(row["error"]["detail"])) for row in done.json["failed"]] == [(aurora.name, True)]
    assert done.json["searched"] == [borealis.name]
    assert [[match["list"] for match in row["matches"]] for row in done.json["hashes"]] == [[borealis.name], []]
    said = synced.run("lookup", other)
    assert "not on a held list" not in said.out
    assert aurora.name in said.err
    assert "not searched" in said.err


@pytest.mark.parametrize("spoil", SPOIL)
def test_a_scan_matches_against_the_others(
    synced: Cobalt, aurora: Aurora, borealis: Aurora, tmp_path: Path, spoil: Callable[[Cobalt, Aurora], None]
) -> None:
    spoil(synced, aurora)
    (tmp_path / "file").write_bytes(ON_BOTH[0].content)
    done = synced.run("scan", str(tmp_path / "file"), "--json")
    assert done.status != 0
    assert [row["name"] for row in done.json["failed"]] == [aurora.name]
    assert [row["list"] for row in done.json["matches"]] == [borealis.name]
    assert "not complete" in synced.run("scan", str(tmp_path / "file")).err


def test_matching_goes_on_when_a_list_fails_between_two_queries(
    synced: Cobalt, aurora: Aurora, borealis: Aurora, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = seeking.lookup, list[object]()

    def sometimes(*arguments: object, **more: object) -> dict[bytes, tuple[object, ...]]:
        calls.append(arguments)
        if len(calls) == 3:
            raise duckdb.IOException("read failed")
        return whole(*arguments, **more)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(lookup, "lookup", sometimes)
    failed: list[str] = []
    query = ON_BOTH[0].sha256.hex()

    def told(store: ListStore, _: Exception) -> None:
        failed.append(store.list_id)

    with open_index(synced.home, failed=told) as index:
        found = [len(look_up(index, [query])[query]) for _ in range(3)]
    assert (found, failed) == ([2, 1, 1], [aurora.list_id])


def test_when_none_can_be_read_the_reason_is_the_error(synced: Cobalt, aurora: Aurora, borealis: Aurora) -> None:
    spoil_record(synced, aurora)
    spoil_record(synced, borealis)
    done = synced.run("lookup", ON_BOTH[0].sha256.hex(), "--json")
    assert done.status == ExitCode.VERIFICATION
    assert "current.json is damaged" in done.json["error"]["detail"]


# --- the rest ----------------------------------------------------------------------------------------------------


def test_a_damaged_record_is_its_own_lists_alone(synced: Cobalt, aurora: Aurora, borealis: Aurora) -> None:
    spoil_record(synced, aurora)
    assert synced.run("export", borealis.name).status == 0
    assert synced.run("changes", borealis.name, "--since", "2").status == 0
    assert synced.run("export", aurora.name).status == ExitCode.VERIFICATION
    assert synced.run("forget", borealis.name, "--yes").status == 0


def test_status_shows_the_others(synced: Cobalt, aurora: Aurora, borealis: Aurora) -> None:
    spoil_record(synced, aurora)
    done = synced.run("status", "--offline", "--json")
    assert done.status == ExitCode.VERIFICATION
    rows = {row["name"]: row for row in done.json["lists"]}
    assert rows[borealis.name]["version"] == borealis.version
    assert "damaged" in rows[aurora.name]["error"]["detail"]


@pytest.mark.parametrize("spoil", SPOIL)
def test_verify_checks_the_others(
    synced: Cobalt, aurora: Aurora, borealis: Aurora, spoil: Callable[[Cobalt, Aurora], None]
) -> None:
    spoil(synced, aurora)
    done = synced.run("verify", "--json")
    assert done.status == ExitCode.VERIFICATION
    assert {row["name"]: row["ok"] for row in done.json["lists"]} == {aurora.name: False, borealis.name: True}


def test_a_damaged_list_that_is_no_longer_offered_is_named(
    synced: Cobalt, aurora: Aurora, borealis: Aurora, north: North
) -> None:
    spoil_record(synced, aurora)
    north.publishers.remove(aurora)
    done = synced.run("sync", "--json")
    assert done.status == ExitCode.NOT_ALLOWED
    gone = done.json["lists"][-1]
    assert (gone["name"], gone["version"], gone["gone"]) == (aurora.name, None, True)

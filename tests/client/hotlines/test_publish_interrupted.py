"""A publication killed at any point is finished or repeated by running it again."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest

from hashshare.client.publisher import find_list
from hashshare.client.store import ListStore
from hashshare.wire.repository import feed_manifest, sign_release
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North

STEPS = (
    "settling.sync_list",
    "reading.read_entries",
    "publish.difference",
    "adoption.write_delta",
    "releasing.sign_release",
    "uploads.upload",
    "handover.commit",
    "handover.write_json",
    "handover.wait",
    "releasing.sync_list",
)


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it and tidy up."""


def kill_at(monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool) -> None:
    """Die just before or just after `step` of the pipeline, leaving what a killed process leaves."""
    module = importlib.import_module(f"hashshare.client.{step.partition('.')[0]}")
    name = step.partition(".")[2]
    real: Callable[..., object] = getattr(module, name)

    def dying(*args: object, **kwargs: object) -> None:
        if after:
            real(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(module, name, dying)
    # A killed process tidies nothing.
    monkeypatch.setattr("hashshare.client.adoption.shutil.rmtree", lambda *args, **kwargs: None)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_it_ends_with_each_change_published_once(
    images: Desk, north: North, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    file = images.csv(entries(range(60)), header=HEADER)
    with monkeypatch.context() as broken:
        kill_at(broken, step, after=after)
        with pytest.raises(Killed):
            images.run("publish", LIST, file)
    done = images.json("publish", LIST, file)
    assert (done["version"], done["entries"]) == (2, 60)
    list_id = find_list(images.home, LIST).list_id
    manifest = north.shelf.manifests[list_id]
    assert (manifest.version, manifest.entries, len(manifest.segments)) == (2, 60, 1)
    held = ListStore(images.home, list_id).held()
    assert held is not None
    assert (held.version, held.manifest_sha256) == (2, done_digest(north, list_id))
    own = find_list(images.home, LIST)
    assert not own.publisher.pending_path(list_id).exists()
    assert not own.publisher.work_folder(list_id).exists()


def done_digest(north: North, list_id: str) -> str:
    return feed_manifest(north.shelf.feeds[list_id], list_id=list_id).sha256


def test_it_waits_for_a_commit_whose_answer_was_lost(
    images: Desk, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub has taken the commit, but the job's id never arrived: the hub's 409 names it."""
    file = images.csv(entries(range(50)), header=HEADER)
    north.polls = 3
    with monkeypatch.context() as broken:
        kill_at(broken, "handover.commit", after=True)
        with pytest.raises(Killed):
            images.run("publish", LIST, file)
    assert [job["state"] for job in north.jobs.values()][-1] == "queued"
    more = images.csv(entries(range(70)), header=HEADER)
    done = images.json("publish", LIST, more)
    assert (done["before"], done["version"], done["entries"]) == (1, 2, 70)


def test_it_starts_over_when_another_machine_was_faster(
    images: Desk, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    module = importlib.import_module("hashshare.client.releasing")
    real, tries = sign_release, list[object]()

    def overtaken(**kwargs: object) -> bytes:
        """The first time, the accepted version moves on between sync and commit."""
        tries.append(kwargs["version"])
        return real(**kwargs) if len(tries) > 1 else real(**{**kwargs, "version": 9})  # type: ignore[arg-type]

    monkeypatch.setattr(module, "sign_release", overtaken)
    done = images.json("publish", LIST, images.csv(entries(range(60)), header=HEADER))
    assert (done["version"], len(tries)) == (2, 2)


def test_it_refuses_when_the_hub_hides_what_was_published(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(50)), header=HEADER))
    north.shelf.feeds.clear()
    failed = images.json("publish", LIST, images.csv(entries(range(60)), header=HEADER), exit_code=4)
    assert "shows no release" in failed["error"]["detail"]

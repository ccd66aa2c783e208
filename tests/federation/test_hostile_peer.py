"""A peer that lies: what it serves is refused by name, what is served here stays the last good state, nothing spins."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from federation.models import MirroredList, MirroredPublisher, Peer
from federation.services import asking
from federation.services.asking import ask_all
from federation.services.polling import question_to
from hashshare.models import HashList, Job, Publisher
from hashshare.wire import keys
from tests.builders import feed, now, publisher
from tests.client.members.aurora import UPSERT, Aurora, items
from tests.client.members.north import Fault
from tests.federation.builders import agreed, south
from tests.federation.mirrored import Following, following, metadata_here, objects_here, row_of
from tests.federation.offering import offered


@pytest.fixture
def good(north: Following, aurora: Aurora) -> dict[str, bytes]:
    """Version 2 is served here, with these files; version 3 is on offer."""
    aurora.release(items(20))
    north.follow()
    files = metadata_here(aurora) | objects_here(aurora)
    aurora.release(items(2))
    return files


def slug_of(problem: dict[str, str] | None) -> str:
    return (problem or {}).get("type", "").rpartition("/")[2]


def refused(north: Following, aurora: Aurora, good: dict[str, bytes], *slugs: str) -> None:
    """One attempt, whose failure is told at the mirror, and after which everything is as it was; then it pauses."""
    (job,) = north.follow()
    assert job.state == Job.State.FAILED
    assert slug_of(job.problem) in slugs, job.problem
    assert north.mirror(aurora).trouble == job.problem
    assert metadata_here(aurora) | objects_here(aurora) == good
    assert row_of(aurora).version == 2
    assert north.follow() == [], "it is tried again at once"
    assert MirroredList.objects.get(list=row_of(aurora)).behind_since is not None


@pytest.mark.parametrize("name", ["delta-2-3", "manifest"])
@pytest.mark.parametrize("change", ["flip", "truncate", "extend"])
def test_tampered_objects(north: Following, aurora: Aurora, good: dict[str, bytes], name: str, change: str) -> None:
    for path in [path for path in aurora.objects if f".{name}" in path]:
        body = aurora.objects[path]
        changed = {"flip": bytes([body[0] ^ 1]) + body[1:], "truncate": body[:-1], "extend": body + b"\0"}
        aurora.objects[path] = changed[change]
    refused(north, aurora, good, "wrong-digest")


def test_objects_without_end(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    path = aurora.object_path("delta-2-3")
    aurora.objects[path] += bytes(20 << 20)
    refused(north, aurora, good, "wrong-digest")
    stored = sum(file.stat().st_size for file in north.store(aurora).objects_folder.iterdir())
    assert stored < 1 << 20


def test_metadata_of_a_stranger(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    aurora.online = keys.generate()
    aurora.refresh()
    refused(north, aurora, good, "signature-threshold")


def test_a_feed_signed_by_another_key(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    aurora.sign(aurora.manifest(3).to_bytes(), feed_key=keys.generate())
    refused(north, aurora, good, "signature-threshold")


def test_an_older_timestamp(north: Following, aurora: Aurora) -> None:
    aurora.release(items(2))
    old = aurora.metadata["timestamp.json"]
    aurora.refresh()
    north.follow()
    files = metadata_here(aurora) | objects_here(aurora)
    aurora.release(items(2))
    aurora.metadata["timestamp.json"] = old
    refused(north, aurora, files, "verification-failed")


def test_an_older_timestamp_to_a_home_that_was_lost(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    """The rows remember what the files of a lost machine did."""
    aurora.metadata["timestamp.json"] = good["timestamp.json"]
    north.follow()
    aurora.release(items(2))
    north.rest()
    north.follow()
    newest = metadata_here(aurora)["timestamp.json"]
    assert newest == aurora.metadata["timestamp.json"]
    lose_home(north)
    aurora.metadata["timestamp.json"] = good["timestamp.json"]
    aurora.role_version += 1
    (job,) = north.follow()
    assert job.state == Job.State.FAILED
    assert slug_of(job.problem) == "verification-failed"
    assert metadata_here(aurora)["timestamp.json"] == newest


def lose_home(north: Following) -> None:
    north.home.path.rename(north.home.path.with_name("lost" + north.home.path.name))


def test_another_publishers_repository(
    tmp_path: Path, north: Following, aurora: Aurora, good: dict[str, bytes]
) -> None:
    other = Aurora(aurora.folder / "other")
    other.release(items(9))
    aurora.metadata, aurora.objects = other.metadata, other.objects
    (job,) = north.follow()
    assert slug_of(job.problem) == "root-replaced"
    assert north.mirror(aurora).state == MirroredPublisher.State.ALARMED
    assert metadata_here(aurora) | objects_here(aurora) == good


def test_content_that_contradicts_the_counts(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    aurora.live[b"0" * 32] = items(1)[0]
    aurora.refresh()
    refused(north, aurora, good, "malformed-manifest")


def test_a_merge_that_says_other_than_its_parts(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    north.follow()
    files = metadata_here(aurora) | objects_here(aurora)
    rows, (other,) = aurora.history[2].rows, items(1)
    rows.pop(next(iter(rows)))
    rows[other.sha256] = (UPSERT, None, other)
    aurora.merge(1, 3)
    aurora.release(items(1))
    (job,) = north.follow()
    assert slug_of(job.problem) == "contradicted-fold"
    assert north.mirror(aurora).state == MirroredPublisher.State.ALARMED
    assert metadata_here(aurora) | objects_here(aurora) == files


def test_heads_that_claim_what_is_not_there(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    north.north.frozen_heads = north.north.heads().replace(b'"version": 3', b'"version": 999')
    (job,) = north.follow()
    assert slug_of(job.problem) == "verification-failed"
    assert "version 999" in (job.problem or {})["detail"]
    assert row_of(aurora).version == 3
    mirror = north.mirror(aurora)
    assert (mirror.failures, mirror.state) == (1, MirroredPublisher.State.FOLLOWING)
    assert north.follow() == []
    for expected in (1, 1, 1):
        north.rest()
        assert len(north.follow()) == expected
    assert north.mirror(aurora).failures == 4
    north.north.frozen_heads = None
    north.rest()
    north.follow()
    assert (north.mirror(aurora).failures, north.mirror(aurora).trouble) == (0, None)


@pytest.mark.parametrize(
    "said",
    [
        b"{}",
        b"[" * 100_000,
        b'{"lists": [{"name": "../../x/y", "id": "0", "publisher": "x", "role_version": 1, "version": 1}]}',
        b'{"lists": [{"name": "a.example/b", "id": "0000000000000000", "publisher": "a.example", "version": 1e400}]}',
        b'{"lists": "all", "lists": []}',
    ],
)
def test_heads_that_are_no_heads(north: Following, aurora: Aurora, good: dict[str, bytes], said: bytes) -> None:
    north.north.frozen_heads = said
    assert north.follow() == []
    assert slug_of(north.peer.trouble) == "network"
    assert metadata_here(aurora) | objects_here(aurora) == good


def test_heads_without_end(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    north.north.frozen_heads = b'{"lists": []' + b" " * (9 << 20) + b"}"
    assert north.follow() == []
    assert "8 MiB" in north.peer.trouble["detail"]


def test_heads_that_drip_hold_nobody_up(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    north.north.faults.append(Fault("heads", delay=0.5))
    began = now()
    answers = ask_all([question_to(north.peer, now())], patience=0.5)
    assert slug_of_error(answers[north.name].error) == "too-slow"
    again = ask_all([question_to(north.peer, now())], patience=0.5)
    assert slug_of_error(again[north.name].error) == "too-slow"
    assert sum(1 for path in north.north.paths() if path.endswith("heads")) == 2, "one for the fixture, one that drips"
    assert now() - began < timedelta(seconds=8)
    asking._running[north.name].over.wait(60)


def slug_of_error(error: object) -> str:
    return getattr(error, "slug", "")


def test_a_turn_ends_and_the_next_goes_on_from_there(
    north: Following, aurora: Aurora, good: dict[str, bytes], settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.services.copying.Turn.__init__", _over_at_once)
    (job,) = north.follow()
    assert (job.state, job.problem) == (Job.State.QUEUED, None)
    monkeypatch.undo()
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    assert row_of(aurora).version == 3


def _over_at_once(self: object, *, seconds: float, say: object) -> None:
    self._until, self._say = 0.0, say  # type: ignore[attr-defined]


# --- Offers that would take over something -------------------------------------------------------------------------


def test_a_publisher_that_is_at_home_here(north: Following, aurora: Aurora) -> None:
    own = feed(publisher("Aurora", "aurora.example"))
    aurora.release(items(5))
    assert north.follow() == []
    assert slug_of(north.peer.offers_trouble) == "taken-here"
    assert "is at home at this hub" in north.peer.offers_trouble["detail"]
    assert Publisher.objects.get().mirrored_from is None
    assert HashList.objects.get().tuf_id == own.list_id


def test_a_list_id_that_is_at_home_here(tmp_path: Path, db: None) -> None:
    own = feed(publisher("Borealis", "borealis.example"))
    aurora = Aurora(tmp_path / "aurora")
    with following(aurora) as north:
        north.north.more["peers/offers"] = lambda: {"publishers": [offered(aurora, north.name, id=own.list_id)]}
        aurora.release(items(5))
        assert north.follow() == []
        assert slug_of(north.peer.offers_trouble) == "taken-here"
    assert HashList.objects.get(tuf_id=own.list_id).publisher.domain == "borealis.example"


def test_a_publisher_that_another_peer_brings(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    other = Aurora(aurora.folder / "false")
    with following(other) as false:
        false.poll()
        assert slug_of(false.peer.offers_trouble) == "taken-here"
        assert "comes here from another peer" in false.peer.offers_trouble["detail"]
    assert row_of(aurora).publisher.mirrored_from == north.hub.organisation
    assert metadata_here(aurora) | objects_here(aurora) == good


def test_what_came_from_here(north: Following, aurora: Aurora) -> None:
    from hashshare.peering_keys import hub_name

    north.north.more["peers/offers"] = lambda: {"publishers": [offered(aurora, hub_name(), north.name)]}
    aurora.release(items(5))
    assert north.follow() == []
    assert slug_of(north.peer.offers_trouble) == "offered-back"
    assert not Publisher.objects.exists()


def test_a_way_that_does_not_end_at_the_peer(north: Following, aurora: Aurora) -> None:
    north.north.more["peers/offers"] = lambda: {"publishers": [offered(aurora, "elsewhere.example")]}
    assert north.follow() == []
    assert slug_of(north.peer.offers_trouble) == "malformed-offers"


def test_a_list_under_another_name_or_format(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    changes: list[dict[str, object]] = [
        {"slug": "videos"},
        {"columns": ["category"]},
        {"algorithms": ["md5", "sha256", "sha1"]},
    ]
    for changed in changes:
        said = {"publishers": [offered(aurora, north.name, **changed)]}
        north.north.more["peers/offers"] = partial(dict, said)
        Peer.objects.update(offers_at=None)
        north.poll()
        assert slug_of(north.peer.offers_trouble) == "taken-here"
        row = row_of(aurora)
        assert (row.slug, row.columns, row.algorithms[0]) == ("images", ["category", "expires"], "sha256")


def test_an_offer_of_a_format_from_the_future_keeps_nothing_else_out(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    said = offered(aurora, north.name)
    said["lists"].append({**said["lists"][0], "id": "f" * 16, "slug": "videos", "algorithms": ["neural"]})
    north.north.more["peers/offers"] = lambda: {"publishers": [said]}
    (job,) = north.follow()
    assert job.state == Job.State.DONE
    assert slug_of(north.peer.offers_trouble) == "unknown-algorithm"


def test_another_peer_is_polled_all_the_same(north: Following, aurora: Aurora) -> None:
    silent = south(url="http://127.0.0.1:1")
    agreed(silent, "in", "borealis.example")
    aurora.release(items(5))
    (job,) = north.follow()
    assert job.state == Job.State.DONE
    assert slug_of(Peer.objects.get(name=silent.name).trouble) == "network"

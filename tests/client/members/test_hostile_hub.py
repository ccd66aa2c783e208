"""A hub, or somebody between, that serves other bytes: refused, and the last good state stays in use."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hashshare.wire import keys
from hashshare.wire.errors import (
    BadSignature,
    ExpiredMetadata,
    HashshareError,
    ListForked,
    MalformedManifest,
    MissingObject,
    VerificationFailed,
    WrongDigest,
)
from tests.client.members.aurora import Aurora, Operations, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North
from tests.client.members.test_sync import held_keys, sync


@pytest.fixture
def held(cobalt: Cobalt, aurora: Aurora) -> set[bytes]:
    """Version 2 is held; version 3 is on offer."""
    aurora.release(items(20))
    sync(cobalt, aurora)
    before = set(aurora.live)
    aurora.release(items(2))
    return before


def refused(cobalt: Cobalt, aurora: Aurora, held: set[bytes], error: type[HashshareError]) -> None:
    with pytest.raises(error) as raised:
        sync(cobalt, aurora)
    assert raised.value.exit_code == 4
    assert held_keys(cobalt, aurora) == held


@pytest.mark.parametrize("name", ["delta-2-3", "manifest"])
@pytest.mark.parametrize("change", ["flip", "truncate", "extend"])
def test_it_rejects_a_changed_object(cobalt: Cobalt, aurora: Aurora, held: set[bytes], name: str, change: str) -> None:
    paths = [path for path in aurora.objects if f".{name}" in path]
    for path in paths:
        body = aurora.objects[path]
        changed = {"flip": bytes([body[0] ^ 1]) + body[1:], "truncate": body[:-1], "extend": body + b"\0"}
        aurora.objects[path] = changed[change]
    refused(cobalt, aurora, held, WrongDigest)


def test_it_never_writes_more_than_was_signed_for(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    path = aurora.object_path("delta-2-3")
    aurora.objects[path] += bytes(20 << 20)
    refused(cobalt, aurora, held, WrongDigest)
    stored = sum(file.stat().st_size for file in (cobalt.store(aurora).folder / "objects").iterdir())
    assert stored < 1 << 20


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json"])
def test_it_rejects_metadata_of_a_stranger(cobalt: Cobalt, aurora: Aurora, held: set[bytes], name: str) -> None:
    aurora.online = keys.generate()
    aurora.refresh()
    refused(cobalt, aurora, held, BadSignature)


def test_it_rejects_a_feed_signed_by_another_key(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    aurora.sign(aurora.manifest(3).to_bytes(), feed_key=keys.generate())
    refused(cobalt, aurora, held, BadSignature)


def test_it_rejects_an_older_timestamp(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(2))
    old = aurora.metadata["timestamp.json"]
    aurora.release(items(2))
    sync(cobalt, aurora)
    aurora.release(items(2))
    aurora.metadata["timestamp.json"] = old
    with pytest.raises(VerificationFailed, match="older"):
        sync(cobalt, aurora)


def test_an_expired_list_stays_in_use_and_raises_an_alarm(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    aurora.timestamp_life = timedelta(seconds=-60)
    aurora.stamp()
    refused(cobalt, aurora, held, ExpiredMetadata)
    assert cobalt.run("sync").status == 4


def test_a_frozen_hub_shows_once_the_timestamp_ages(
    cobalt: Cobalt, aurora: Aurora, north: North, held: set[bytes]
) -> None:
    sync(cobalt, aurora)
    north.frozen_heads = north.heads()
    aurora.timestamp_life = timedelta(seconds=-60)
    aurora.stamp()
    kept = cobalt.home.publisher_dir(aurora.domain) / "metadata" / "timestamp.json"
    kept.write_bytes(aurora.metadata["timestamp.json"])
    with pytest.raises(ExpiredMetadata):
        sync(cobalt, aurora)


def test_it_rejects_another_root_of_a_known_publisher(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    impostor = Aurora(tmp_path_factory.mktemp("impostor"))
    impostor.list_id = aurora.list_id
    aurora.metadata.update(impostor.metadata)
    with pytest.raises(VerificationFailed):
        sync(cobalt, aurora)
    assert held_keys(cobalt, aurora) == held


def test_it_rejects_parquet_that_is_signed_but_not_a_segment(cobalt: Cobalt, aurora: Aurora, held: set[bytes]) -> None:
    path = aurora.object_path("delta-2-3")
    ref = aurora.put(path.partition("/")[0] + "/delta-2-3.parquet", b"PAR1 this is not a segment PAR1")
    last = aurora.segments[-1]
    aurora.segments = (*aurora.segments[:-1], type(last)(2, 3, last.upserts, last.withdrawals, ref))
    aurora.refresh()
    with pytest.raises(VerificationFailed):
        sync(cobalt, aurora)
    assert held_keys(cobalt, aurora) == held


# --- manifests that the feed signed and that are refused all the same --------------------------------------------


def forks(cobalt: Cobalt, aurora: Aurora, held: set[bytes], what: str) -> None:
    """The sync says by name what was forked and what to do, keeps the last state, and goes on after `forget`."""
    before = cobalt.store(aurora).held()
    done = cobalt.run("sync", "--json")
    error = done.json["lists"][0]["error"]
    assert done.status == 4
    assert error["type"] == ListForked.slug
    assert f"{aurora.name} was forked" in error["detail"] and what in error["detail"]
    assert "incident" in error["next_step"]
    assert error["held"] != error["offered"]
    assert cobalt.store(aurora).held() == before
    assert held_keys(cobalt, aurora) == held
    assert cobalt.run("verify").status == 7
    assert cobalt.run("forget", aurora.name, "--yes").status == 0
    assert cobalt.run("sync").status == 0


def test_it_rejects_another_manifest_of_the_version_held(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(20))
    sync(cobalt, aurora)
    held = set(aurora.live)
    document = json.loads(aurora.manifest(2).to_bytes())
    aurora.sign(json.dumps({**document, "poll_seconds": 301}).encode())
    forks(cobalt, aurora, held, "version 2")


def test_it_rejects_a_later_manifest_whose_past_is_another(cobalt: Cobalt, aurora: Aurora) -> None:
    """The other version 3 was never seen here, but the chain of version 4 tells of it."""
    aurora.release(items(20))
    aurora.release(items(2))
    sync(cobalt, aurora)
    held = set(aurora.live)
    other = Operations({item.sha256: (1, None, item) for item in items(2)})
    aurora.segments = (aurora.segments[0], aurora._segment(2, 3, other))
    aurora.release(items(1))
    forks(cobalt, aurora, held, "the changes from version 2 to 3")


def test_it_rejects_another_base_of_the_version_held(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(20))
    aurora.renew_base()
    aurora.release(items(2))
    sync(cobalt, aurora)
    held = set(aurora.live)
    aurora.base = aurora._base(2, items(20))
    aurora.release(items(1))
    forks(cobalt, aurora, held, "its base at version 2")


@pytest.mark.parametrize("fault", ["gap", "overlap", "backwards", "short", "unreachable base"])
def test_it_rejects_a_chain_that_does_not_hold(cobalt: Cobalt, aurora: Aurora, held: set[bytes], fault: str) -> None:
    aurora.release(items(1))
    document = json.loads(aurora.manifest(4).to_bytes())
    chain = document["segments"]
    if fault == "gap":
        del chain[1]
    elif fault == "overlap":
        chain.insert(1, chain[0])
    elif fault == "backwards":
        chain.reverse()
    elif fault == "short":
        chain.pop()
    else:
        del chain[0]
    aurora.sign(json.dumps(document).encode())
    refused(cobalt, aurora, held, MalformedManifest)
    done = cobalt.run("sync")
    assert f"{aurora.name}   error" in done.err
    assert "version 2 stays in use" in done.err


def test_it_rejects_a_manifest_that_names_an_object_which_is_not_there(
    cobalt: Cobalt, aurora: Aurora, held: set[bytes]
) -> None:
    del aurora.objects[aurora.object_path("delta-2-3")]
    refused(cobalt, aurora, held, MissingObject)


def test_words_of_a_hub_do_not_drive_the_terminal(cobalt: Cobalt, north: North) -> None:
    problem = b'{"type": "x/not-entitled", "detail": "\\u001b[2Jall \\u0007is well [bold]x[/bold]"}'
    north.faults.append(Fault("heads", status=403, body=problem))
    done = cobalt.run("sync")
    assert done.status == 3
    assert "\x1b" not in done.err
    assert "[bold]x[/bold]" in done.err

"""Content that the hotline did not sign, or signed for something else, never comes into use."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hashshare.wire import keys
from hashshare.wire.manifest import Manifest
from hashshare.wire.repository import read_role, sign_release
from tests.attacks.scene import Scene, Victim


@pytest.mark.parametrize("name", ["parquet", "manifest.json"])
def test_arbitrary_bytes_in_place_of_an_object(scene: Scene, cobalt: Victim, name: str) -> None:
    scene.between.serve(rf"/targets/.*\.{name}$", body=b"PAR1 whatever I like PAR1")
    cobalt.refused("wrong-digest")
    scene.between.honest()
    cobalt.recovers()


def test_arbitrary_content_signed_by_a_stranger(scene: Scene, cobalt: Victim) -> None:
    """Even when the hub's own key vouches for it."""
    body = scene.manifest(scene.list_id).replace(b'"entries":405', b'"entries":406')
    forged = sign_release(
        list_id=scene.list_id,
        manifest=body,
        version=read_role(scene.list_id, scene.newest(scene.list_id)).version + 1,
        signers=[keys.tuf_signer(keys.generate())],
        now=datetime.now(UTC),
    )
    scene.serve_object(scene.list_id, "manifest.json", body)
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: forged})
    cobalt.refused("signature-threshold")


def test_the_wrong_list_under_a_right_name(scene: Scene, cobalt: Victim) -> None:
    """Another list's manifest, which the same hotline signed, served as this one's."""
    other = scene.manifest(scene.other_id)
    scene.between.serve(rf"/targets/{scene.list_id}/[0-9a-f]+\.manifest\.json$", body=other)
    cobalt.refused("wrong-digest")


def test_a_feed_that_speaks_for_another_list(scene: Scene, cobalt: Victim) -> None:
    """Whoever holds the key of one list has nothing to say about the other."""
    stolen = sign_release(
        list_id=scene.list_id,
        manifest=scene.manifest(scene.list_id),
        version=read_role(scene.list_id, scene.newest(scene.list_id)).version + 1,
        signers=[keys.tuf_signer(scene.officer_key("root"))],
        now=datetime.now(UTC),
    )
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: stolen})
    cobalt.refused("signature-threshold")


def test_versions_that_never_were_together(scene: Scene, cobalt: Victim) -> None:
    """Mix-and-match: this list's first feed metadata under a snapshot that names its second."""
    newest = scene.newest(scene.list_id)
    version = read_role(scene.list_id, newest).version
    older = scene.fetch(f"metadata/{version - 1}.{scene.list_id}.json")
    scene.between.serve(rf"/metadata/{version}\.{scene.list_id}\.json$", body=older)
    cobalt.refused(("wrong-digest", "malformed-metadata"))
    scene.between.honest()
    cobalt.recovers()


def test_a_snapshot_that_leaves_a_list_out(scene: Scene, cobalt: Victim) -> None:
    scene.lie_with(feeds={scene.other_id: scene.newest(scene.other_id)})
    cobalt.refused(("malformed-metadata", "verification-failed"))


def test_extraneous_content_is_never_asked_for(scene: Scene, cobalt: Victim) -> None:
    """A hub that offers a list of its own invention, and more objects than were signed for."""
    invented = (
        f'{{"name":"aurora.example/extra","id":"{"ab" * 8}","publisher":"aurora.example",'
        '"role_version":1,"version":1,"published_at":"2026-11-22T12:00:00Z"}'
    )
    heads = f'{{"lists":[{invented}]}}'.encode()
    scene.between.serve(r"/heads$", body=heads)
    done = cobalt.attempt("sync")
    lists = {row.get("name"): row.get("error") for row in done.document["lists"]}
    assert done.code == 4 or lists["aurora.example/extra"], done
    assert not (cobalt.machine.home / "lists" / ("ab" * 8)).exists()
    scene.between.honest()
    cobalt.recovers()
    named = {segment.object.sha256 for segment in Manifest.parse(scene.manifest(scene.list_id)).segments}
    fetched = {path.rpartition("/")[2].partition(".")[0] for _, path, *_ in scene.between.seen if ".parquet" in path}
    assert fetched
    assert fetched <= named

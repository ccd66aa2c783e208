"""Content that the hotline did not sign, or signed for something else, never comes into use."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import requests
from tuf.api.metadata import TargetFile

from hashshare.wire import keys
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import read_role, sign_release
from tests.attacks.scene import DOMAIN, Scene, Victim

EXTRA: Final = "ab" * 8
"""The id of a list that nobody delegated."""


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
        f'{{"name":"aurora.example/extra","id":"{EXTRA}","publisher":"aurora.example",'
        '"role_version":1,"version":1,"published_at":"2026-11-22T12:00:00Z"}'
    )
    heads = f'{{"lists":[{invented}]}}'.encode()
    scene.between.serve(r"/heads$", body=heads)
    done = cobalt.attempt("sync")
    lists = {row.get("name"): row.get("error") for row in done.document["lists"]}
    assert (done.code, lists["aurora.example/extra"]["type"]) == (3, "not-found"), done
    assert not [name for name in names_of(cobalt) if EXTRA in name]
    scene.between.honest()
    cobalt.recovers()
    named = {segment.object.sha256 for segment in Manifest.parse(scene.manifest(scene.list_id)).segments}
    fetched = {path.rpartition("/")[2].partition(".")[0] for _, path, *_ in scene.between.seen if ".parquet" in path}
    assert fetched
    assert fetched <= named


def test_extraneous_roles_and_objects_are_left_alone(scene: Scene, cobalt: Victim, tmp_path: Path) -> None:
    """A snapshot of the hub that names a role more, whose metadata, manifest and segment lie ready under it."""
    signer, body = keys.tuf_signer(scene.online_key), scene.manifest(scene.list_id)
    extra = sign_release(list_id=EXTRA, manifest=body, version=1, signers=[signer], now=datetime.now(UTC))
    scene.lie_with(feeds={**scene.feeds(), EXTRA: extra})
    scene.serve_object(EXTRA, "manifest.json", body)
    digest = scene.serve_object(scene.list_id, "delta-2-3.parquet", b"PAR1 whatever PAR1")
    cobalt.recovers()
    asked = [path for _, path, *_ in scene.between.seen]
    assert not [path for path in asked if EXTRA in path or digest in path]
    assert EXTRA not in kept_by(cobalt)
    assert digest not in kept_by(cobalt)
    scene.between.honest()
    honest = scene.cobalt(tmp_path / "honest")
    honest.recovers()
    assert names_of(cobalt) == names_of(honest)


def test_a_feed_that_signs_more_than_its_manifest(scene: Scene, cobalt: Victim) -> None:
    """The feed's own key over a second target: the hub refuses it, and a member whom it reaches asks for no second."""
    version, path = read_role(scene.list_id, scene.newest(scene.list_id)).version + 1, f"{scene.list_id}/more.parquet"
    feed = read_role(scene.list_id, scene.newest(scene.list_id)).metadata
    feed.signed.version = version
    feed.signed.targets[path] = TargetFile.from_data(path, b"PAR1", ["sha256"])
    feed.sign(keys.tuf_signer(scene.officer_key("feed")))
    forged = feed.to_bytes()
    assert scene.commit({scene.list_id: forged}, follows=version - 1) == (422, "malformed-metadata")
    digest = scene.serve_object(scene.list_id, "more.parquet", b"PAR1")
    scene.lie_with(feeds={**scene.feeds(), scene.list_id: forged})
    cobalt.sync()
    assert not [path for _, path, *_ in scene.between.seen if digest in path]
    assert not [name for name in names_of(cobalt) if digest in name]


def test_an_object_that_no_manifest_names_is_served_to_nobody(scene: Scene) -> None:
    """What a hotline uploads and never publishes is to Cobalt, who may read the list, as if it were not there."""
    body = secrets.token_bytes(500)
    ref = ObjectRef.of(f"{scene.list_id}/delta-8-9.parquet", body)
    path = f"tuf/{DOMAIN}/targets/{ref.stored_path}"
    assert scene.signed("PUT", path, body, Content_Type="application/octet-stream").status_code == 201
    bearer = {"Authorization": f"Bearer {scene.access_key}"}
    never = path.replace(ref.sha256, "0" * 64)
    there, not_there = (requests.get(f"{scene.url}/api/v1/{it}", headers=bearer, timeout=30) for it in (path, never))
    assert (there.status_code, there.json()["type"]) == (not_there.status_code, not_there.json()["type"])
    assert (there.status_code, body in there.content) == (404, False)


def names_of(victim: Victim) -> set[str]:
    """Every file that the member keeps, but for locks and what a log has sealed meanwhile."""
    paths = (path.relative_to(victim.machine.home) for path in victim.machine.home.rglob("*") if path.is_file())
    return {str(path) for path in paths if path.parts[0] not in ("locks", "logs", "receipts")}


def kept_by(victim: Victim) -> str:
    """Names and content of all that the member keeps."""
    files = [path for path in victim.machine.home.rglob("*") if path.is_file() and "metadata" not in path.parts]
    return "\n".join(f"{path}\n{path.read_bytes().decode('latin-1')}" for path in files)

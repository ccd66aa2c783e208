"""A restored hub that lost the majors with the rest: two sign anew for what comes back, and all goes on."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.publisher import OwnPublisher, find_list
from hashshare.wire.errors import MajorRequired
from hashshare.wire.major import Major
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, manifest_path
from hashshare.wire.repository import major_documents, read_role
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.test_rotate import ALONE, DOMAIN

LOST = 150


def wants_a_major(north: North, list_id: str) -> None:
    """Version 2 is refused until a major stands for that very manifest and number."""

    def verdict(manifest: Manifest) -> None:
        if manifest.version != 2:
            return
        ref = major_documents(north.shelf.major).get((list_id, 2)) if north.shelf.major else None
        body = north.shelf.objects.get(ref.stored_path, b"") if ref else b""
        named = ObjectRef.of(manifest_path(list_id), manifest.to_bytes())
        found = Major.parse(body) if body else None
        if found is None or (found.lost, found.manifest) != (LOST, named):
            raise MajorRequired(f"This release takes {LOST} entries.", lost=LOST - 20, total=LOST)

    north.verdict = verdict


@pytest.fixture
def restored(images: Desk, north: North) -> Desk:
    """Version 2 took 150 entries after the backup; of its majors nothing is left anywhere."""
    images.json("publisher", "major", DOMAIN, ALONE)
    images.json("publish", LIST, images.csv(entries(range(400)), header=HEADER))
    backup = copy.deepcopy(north.shelf)
    kept = images.csv(entries(range(LOST, 400)), header=HEADER)
    images.json("publish", LIST, kept, "--reason", "incorrect", "--allow-withdrawals", str(LOST))
    backup.objects = north.shelf.objects
    shutil.rmtree(OwnPublisher(images.home, DOMAIN).folder / "signed-majors", ignore_errors=True)
    north.shelf, north.restored = backup, True
    wants_a_major(north, find_list(images.home, LIST).list_id)
    return images


def waits(north: North) -> bool:
    return north.restored


def asked(desk: Desk) -> Any:
    return desk.json("publisher", "resend", DOMAIN, exit_code=6)["error"]


def signed(desk: Desk, request: Path) -> Any:
    """With both major keys of a trial."""
    keys = OwnPublisher(desk.home, DOMAIN).keys_folder
    return desk.json("publisher", "sign", request, "--keys", keys, "--yes")


def test_it_says_who_has_to_sign_and_goes_on_once_they_have(restored: Desk, north: North) -> None:
    refused = asked(restored)
    request = Path(refused["request"])
    assert refused["type"] == "major-required"
    assert f"hashshare publisher submit {request}" in refused["next_step"]
    assert waits(north)
    assert restored.json("publisher", "submit", request, exit_code=6)["job"] is None
    done = signed(restored, request)
    assert f"{LOST} entries of {LIST} may go with its version 2" in done["changes"][0]["lines"][0]
    assert done["missing"] == []
    restored.json("publisher", "submit", request)
    assert not waits(north)
    assert not request.exists()
    assert north.shelf.manifests[find_list(restored.home, LIST).list_id].version == 2
    more = restored.csv(entries(range(LOST, 401)), header=HEADER)
    assert restored.json("publish", LIST, more)["version"] == 3


def test_asked_again_it_is_the_same_request_with_its_signatures(restored: Desk) -> None:
    request = Path(asked(restored)["request"])
    signed(restored, request)
    body = request.read_bytes()
    assert asked(restored)["request"] == str(request)
    assert request.read_bytes() == body


def test_its_version_is_above_the_one_that_members_saw(
    restored: Desk, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashshare.client.resent_majors._seen", lambda mine: 7)
    request = Path(asked(restored)["request"])
    assert signed(restored, request)["changes"][0]["version"] == 8
    restored.json("publisher", "submit", request)
    assert read_role("major", north.shelf.major or b"").version == 8


def test_without_a_major_role_it_says_what_is_left(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(400)), header=HEADER))
    backup = copy.deepcopy(north.shelf)
    images.json("publish", LIST, images.csv(entries(range(401)), header=HEADER))
    backup.objects = north.shelf.objects
    north.shelf, north.restored = backup, True
    wants_a_major(north, find_list(images.home, LIST).list_id)
    assert "nobody can sign for it" in asked(images)["next_step"]

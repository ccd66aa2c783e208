"""`publisher recover`: a new machine where the old one was lost, from the officers' keys and what the hub has."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from hashshare.client import trust
from hashshare.client.publisher import OwnPublisher, find_list, own_key
from hashshare.client.signers import open_signer
from hashshare.wire import errors, repository
from tests.client.hotlines.desk import HEADER, LIST, Desk, desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.test_rotate import ALONE, DOMAIN


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    images.json("withdraw", LIST, entries([3])[0][0], "--reason", "incorrect")
    return images


@pytest.fixture
def backup(published: Desk, tmp_path: Path) -> Path:
    """Root and targets keys on a stick in the safe; the feed key was never copied."""
    folder = tmp_path / "stick"
    shutil.copytree(OwnPublisher(published.home, DOMAIN).keys_folder, folder)
    for name in ("feed.pem", "feed.json"):
        (folder / name).unlink()
    return folder


@pytest.fixture
def spare(published: Desk, tmp_path: Path, url: str) -> Desk:
    """Another machine, enrolled, with nothing of the publisher."""
    (tmp_path / "spare").mkdir()
    return desk(tmp_path / "spare", url)


def fingerprint(published: Desk) -> str:
    known = trust.publisher(published.home, DOMAIN)
    assert known is not None
    return known.fingerprint


def test_it_publishes_on_from_a_new_machine(published: Desk, spare: Desk, backup: Path, north: North) -> None:
    lost = own_key(OwnPublisher(published.home, DOMAIN), "feed")
    before = find_list(published.home, LIST)
    done = spare.json("publisher", "recover", DOMAIN, "--root", fingerprint(published), "--keys", backup, ALONE)
    assert (done["recovered"], done["removed"], done["unknown"]) == ([LIST], [lost.keyid], [])
    assert find_list(spare.home, LIST).terms == before.terms

    more = spare.json("publish", LIST, spare.csv(entries(range(10, 30)), header=HEADER), "--changes")
    assert (more["version"], more["added"]) == (3, 10)
    refused = spare.json("publish", LIST, spare.csv(entries([3]), header=HEADER), "--changes", exit_code=6)
    assert refused["error"]["type"] == "withdrawn-key"  # its history came along
    forged = repository.renew_feed(
        north.shelf.feeds[before.list_id],
        list_id=before.list_id,
        signers=[open_signer(lost, lambda _: None)],
        now=datetime.now(UTC),
    )
    with pytest.raises(errors.BadSignature):
        north.submit({before.list_id: forged}, follows=repository.read_role(before.list_id, forged).version - 1)


def test_it_may_be_repeated(published: Desk, spare: Desk, backup: Path) -> None:
    words = ("publisher", "recover", DOMAIN, "--root", fingerprint(published), "--keys", backup, ALONE)
    first = spare.json(*words)
    again = spare.json(*words)
    assert first["added"] and (again["added"], again["job"]) == ([], None)
    assert again["recovered"] == [LIST]


def test_it_recovers_weeks_after_the_feed_has_expired(published: Desk, spare: Desk, backup: Path, north: North) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30)):
        north.seal()
        spare.json("publisher", "recover", DOMAIN, "--root", fingerprint(published), "--keys", backup, ALONE)
        assert (
            spare.json("publish", LIST, spare.csv(entries(range(30, 32)), header=HEADER), "--changes")["version"] == 3
        )


def test_a_list_without_a_release_is_as_the_catalogue_says(published: Desk, spare: Desk, backup: Path) -> None:
    video = f"{DOMAIN}/video"
    published.json("publisher", "list", "create", video, "--algorithms", "sha256", "--scheme", "uk-abc")
    done = spare.json("publisher", "recover", DOMAIN, "--root", fingerprint(published), "--keys", backup, ALONE)
    assert (sorted(done["recovered"]), done["declared"]) == ([LIST, video], [video])
    assert find_list(spare.home, video).terms == find_list(published.home, video).terms


def test_a_hub_with_another_root_is_not_believed(published: Desk, spare: Desk, backup: Path) -> None:
    refused = spare.json("publisher", "recover", DOMAIN, "--root", "ab" * 32, "--keys", backup, ALONE, exit_code=4)
    assert "not the one" in refused["error"]["detail"]
    assert not OwnPublisher(spare.home, DOMAIN).root_path.exists()


def test_a_manifest_that_was_tampered_with_is_not_believed(
    published: Desk, spare: Desk, backup: Path, north: North
) -> None:
    list_id = find_list(published.home, LIST).list_id
    path = repository.feed_manifest(north.shelf.feeds[list_id], list_id=list_id).stored_path
    north.shelf.objects[path] = north.shelf.objects[path].replace(b"uk-abc", b"uk-abd")
    words = ("publisher", "recover", DOMAIN, "--root", fingerprint(published), "--keys", backup, ALONE)
    assert spare.json(*words, exit_code=4)["error"]["type"] == "wrong-digest"
    assert not OwnPublisher(spare.home, DOMAIN).slugs


def test_a_hub_names_no_file_outside_the_folder(
    published: Desk, spare: Desk, backup: Path, north: North, tmp_path: Path
) -> None:
    published.json("publisher", "list", "create", f"{DOMAIN}/video", "--algorithms", "sha256", "--scheme", "uk-abc")
    north.lists["video"]["name"] = f"{DOMAIN}/../../../escaped"
    words = ("publisher", "recover", DOMAIN, "--root", fingerprint(published), "--keys", backup, ALONE)
    refused = spare.json(*words, exit_code=2)["error"]
    assert "not a list's name" in refused["detail"]
    assert not list(tmp_path.rglob("escaped*"))


def test_without_officers_keys_it_writes_a_request_for_them(published: Desk, spare: Desk, north: North) -> None:
    done = spare.json("publisher", "recover", DOMAIN, "--root", fingerprint(published), ALONE)
    assert done["job"] is None and Path(done["request"]).exists()
    assert done["recovered"] == [LIST]
    assert [need["need"] for need in done["missing"]] == [1]
    said = spare.run("publisher", "recover", DOMAIN, "--root", fingerprint(published), ALONE)
    assert "Carry this file to them" in said.output


def test_a_lost_feed_key_alone_is_replaced_in_the_same_folder(published: Desk) -> None:
    OwnPublisher(published.home, DOMAIN).key_path("feed").unlink()
    more = published.csv(entries(range(30, 32)), header=HEADER)
    published.json("publish", LIST, more, "--changes", exit_code=2)
    published.json("publisher", "recover", DOMAIN, "--root", fingerprint(published), ALONE)
    assert published.json("publish", LIST, more, "--changes")["version"] == 3

"""`publisher rotate`: every key of a hotline replaced by a command, killed anywhere and run again, the old ones kept
aside until they are destroyed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client import keyring, trust
from hashshare.client.publisher import OwnPublisher, find_list, own_key
from hashshare.client.signers import find_key, held_keys, open_signer
from hashshare.wire import errors, keys, repository
from hashshare.wire.repository.rotation import feed_keys, officer_keys
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North

DOMAIN = "aurora.example"
ALONE = "--no-passphrase"


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    return images


def mine(desk: Desk) -> OwnPublisher:
    return OwnPublisher(desk.home, DOMAIN)


def list_id(desk: Desk) -> str:
    return find_list(desk.home, LIST).list_id


def publish_more(desk: Desk, number: int) -> Any:
    return desk.json("publish", LIST, desk.csv(entries(range(number)), header=HEADER))


def targets_of(north: North) -> bytes:
    assert north.shelf.targets is not None
    return north.shelf.targets


# --- feed --------------------------------------------------------------------------------------------------------


def test_a_new_feed_key_signs_what_is_served_and_the_old_one_is_refused(published: Desk, north: North) -> None:
    old = own_key(mine(published), "feed")
    thief = open_signer(old, lambda _: None)
    manifest = north.shelf.manifests[list_id(published)]
    done = published.json("publisher", "rotate", "feed", DOMAIN, ALONE)

    new = own_key(mine(published), "feed")
    assert (done["removed"], done["added"]) == ([old.keyid], [new.keyid])
    assert done["lists"] == [list_id(published)]
    assert done["job"]
    assert north.shelf.manifests[list_id(published)] == manifest
    assert repository.read_role(list_id(published), north.shelf.feeds[list_id(published)]).version == 2
    forged = repository.renew_feed(
        north.shelf.feeds[list_id(published)], list_id=list_id(published), signers=[thief], now=datetime.now(UTC)
    )
    with pytest.raises(errors.BadSignature):
        north.submit({list_id(published): forged}, follows=2)
    assert publish_more(published, 30)["version"] == 2


def test_the_old_key_is_kept_under_a_dated_name_for_its_owner_to_destroy(published: Desk) -> None:
    old = own_key(mine(published), "feed")
    [kept] = published.json("publisher", "rotate", "feed", DOMAIN, ALONE)["retired"]
    assert kept["keyid"] == old.keyid
    path = Path(kept["kept"])
    assert "feed-until-" in path.name
    assert keys.fingerprint_of(keys.load(path))
    second = published.run("publisher", "rotate", "feed", DOMAIN, ALONE)
    assert second.exit_code == 0, second.output
    assert second.output.count("Destroy the old key") == 2
    assert {key.name for key in held_keys(mine(published).keys_folder)} >= {"root", "targets", "feed"}
    assert len(keyring.retired_keys(mine(published))) == 2
    assert not list(mine(published).keys_folder.glob("*-next*"))


def test_every_list_of_the_key_goes_with_it_published_or_not(published: Desk, north: North) -> None:
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc")
    published.json("publisher", "list", "create", f"{DOMAIN}/video", *declared)
    done = published.json("publisher", "rotate", "feed", DOMAIN, ALONE)
    assert len(done["lists"]) == 2
    assert {key.keyid for found in feed_keys(targets_of(north)).values() for key in found} == set(done["added"])


def test_it_wants_a_passphrase_for_the_new_key(published: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HASHSHARE_PASSPHRASE", raising=False)
    refused = published.json("publisher", "rotate", "feed", DOMAIN, exit_code=2)["error"]
    assert "passphrase" in refused["detail"] or "terminal" in refused["detail"]
    assert not keyring.is_under_way(mine(published))


def test_a_feed_that_has_expired_is_rotated_all_the_same(published: Desk, north: North) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30)):
        north.seal()
        published.json("publisher", "rotate", "feed", DOMAIN, ALONE)
        assert publish_more(published, 30)["version"] == 2


def test_it_signs_no_feed_but_the_one_that_the_snapshot_names(published: Desk, north: North) -> None:
    name = f"1.{list_id(published)}.json"
    north.shelf.metadata[name] += b" "
    refused = published.json("publisher", "rotate", "feed", DOMAIN, ALONE, exit_code=4)["error"]
    assert refused["type"] == "wrong-digest"
    assert "snapshot" in refused["detail"]


def test_it_signs_no_feed_that_no_key_of_the_list_has_signed(published: Desk, north: North) -> None:
    """A hub alone puts nothing before the new key to sign."""
    forged = repository.sign_release(
        list_id=list_id(published),
        manifest=b"{}",
        version=2,
        signers=[keys.tuf_signer(keys.generate())],
        now=datetime.now(UTC),
    )
    north.shelf.feeds[list_id(published)] = forged
    north.shelf.metadata[f"2.{list_id(published)}.json"] = forged
    north.seal()
    refused = published.json("publisher", "rotate", "feed", DOMAIN, ALONE, exit_code=4)["error"]
    assert "not signed by a key of that list" in refused["detail"]
    assert len(north.jobs) == 3


# --- killed ------------------------------------------------------------------------------------------------------


def lose_answers(north: North) -> None:
    """The hub takes the commit; whoever asks after its job hears nothing."""
    answer = north.answer

    def lost(method: str, path: str, headers: object, body: bytes) -> tuple[int, object]:
        return (504, {}) if "/jobs/" in path else answer(method, path, headers, body)

    north.answer = lost  # type: ignore[method-assign]


def find_answers(north: North) -> None:
    north.answer = type(north).answer.__get__(north)  # type: ignore[method-assign]


@pytest.mark.parametrize("role", ["feed", "targets", "root"])
def test_killed_while_the_job_ran_the_command_goes_on_with_the_same_key(
    published: Desk, north: North, role: str
) -> None:
    lose_answers(north)
    assert published.run("publisher", "rotate", role, DOMAIN, ALONE).exit_code == 5
    coming = find_key(mine(published).keys_folder, keyring.next_name(role))
    assert coming is not None
    find_answers(north)
    done = published.json("publisher", "rotate", role, DOMAIN, ALONE)
    assert done["added"] == [coming.keyid]
    assert own_key(mine(published), role).keyid == coming.keyid
    assert own_key(mine(published), role).place == mine(published).key_path(role)
    assert not keyring.is_under_way(mine(published))


def test_killed_after_the_hub_accepted_a_publication_uses_the_new_key(published: Desk, north: North) -> None:
    lose_answers(north)
    published.run("publisher", "rotate", "feed", DOMAIN, ALONE)
    find_answers(north)
    for job in north.jobs.values():
        while job["state"] in ("queued", "running"):
            north.poll(job)
    old = own_key(mine(published), "feed").keyid
    assert publish_more(published, 30)["version"] == 2
    assert own_key(mine(published), "feed").keyid != old


# --- targets, root, hub ------------------------------------------------------------------------------------------


def test_a_new_targets_key_signs_the_targets_and_the_feeds_stay(published: Desk, north: North) -> None:
    feed = north.shelf.feeds[list_id(published)]
    done = published.json("publisher", "rotate", "targets", DOMAIN, ALONE)
    assert {role: row["version"] for role, row in done["roles"].items()} == {"root": 2, "targets": 3}
    assert north.shelf.root is not None
    assert [key.keyid for key in officer_keys(north.shelf.root, "targets")] == done["added"]
    assert north.shelf.feeds[list_id(published)] == feed
    published.json("publisher", "renew", DOMAIN)
    assert publish_more(published, 30)["version"] == 2


def test_a_new_root_key_leaves_the_fingerprint_as_it_was(published: Desk, north: North) -> None:
    before = trust.publisher(published.home, DOMAIN)
    done = published.json("publisher", "rotate", "root", DOMAIN, ALONE)
    assert list(done["roles"]) == ["root"]
    assert trust.publisher(published.home, DOMAIN) == before
    assert north.shelf.root is not None
    assert [key.keyid for key in officer_keys(north.shelf.root, "root")] == done["added"]
    assert list(published.json("publisher", "renew", DOMAIN, "--root")["roles"]) == ["root", "targets"]


def test_the_root_names_the_hubs_new_keys(published: Desk, north: North) -> None:
    unchanged = published.json("publisher", "rotate", "hub", DOMAIN)
    assert (unchanged["removed"], unchanged["job"]) == ([], None)
    lost = north.keys[0]
    other_hub_keys(north, [north.private[1], keys.generate()])
    done = published.json("publisher", "rotate", "hub", DOMAIN)
    assert (done["removed"], done["added"]) == ([lost.keyid], [north.keys[1].keyid])
    assert publish_more(published, 30)["version"] == 2


def other_hub_keys(north: North, private: list[Ed25519PrivateKey]) -> None:
    """North signs with the first of these from now on."""
    north.private = private
    north.keys = [keys.tuf_key(keys.public_bytes(key)) for key in private]
    north.signer = keys.tuf_signer(private[0])
    north.seal()


def test_a_hub_that_lost_both_keys_is_named_anew(published: Desk, north: North) -> None:
    """Until then nothing of it verifies, and nothing else can be done."""
    other_hub_keys(north, [keys.generate(), keys.generate()])
    more = published.csv(entries(range(30)), header=HEADER)
    assert published.json("publish", LIST, more, exit_code=4)["error"]["type"] == "signature-threshold"
    assert len(published.json("publisher", "rotate", "hub", DOMAIN)["removed"]) == 2
    assert published.json("publish", LIST, more)["version"] == 2


def test_a_stolen_hub_key_that_raised_the_numbers_is_dropped(published: Desk, north: North) -> None:
    """The hotline's own machine has seen them too."""
    honest, north.shelf.seals = north.shelf.seals, 10**9
    north.seal()
    published.json("publisher", "refresh", LIST, "--now")
    north.shelf.seals = honest + 1
    other_hub_keys(north, [north.private[1], keys.generate()])
    more = published.csv(entries(range(30)), header=HEADER)
    assert "older metadata" in published.json("publish", LIST, more, exit_code=4)["error"]["detail"]
    published.json("publisher", "rotate", "hub", DOMAIN)
    assert published.json("publish", LIST, more)["version"] == 2


def test_all_of_them_in_a_row(published: Desk, north: North) -> None:
    for role in ("feed", "targets", "root", "feed"):
        assert published.json("publisher", "rotate", role, DOMAIN, ALONE)["job"]
    assert publish_more(published, 30)["version"] == 2
    assert published.json("publisher", "renew", DOMAIN)["job"]


def test_a_key_that_is_not_here_is_not_replaced(published: Desk) -> None:
    mine(published).key_path("root").unlink()
    refused = published.json("publisher", "rotate", "root", DOMAIN, ALONE, exit_code=2)["error"]
    assert "not on this machine" in refused["detail"]
    assert "--in-place-of" in refused["next_step"]

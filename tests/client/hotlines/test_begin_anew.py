"""`publisher init --anew`: a hotline whose root is lost begins anew under its own name; lists go on, old keys stay."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hashshare.client import anew, trust
from hashshare.client.publisher import OwnPublisher, find_list, own_key
from hashshare.client.signers import held_keys
from hashshare.wire import keys, repository
from hashshare.wire.repository.rotation import feed_keys
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.hotlines.officers import officers
from tests.client.hotlines.test_rotate import ALONE, DOMAIN


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    return images


def mine(desk: Desk) -> OwnPublisher:
    return OwnPublisher(desk.home, DOMAIN)


def served(north: North) -> str:
    return hashlib.sha256(north.shelf.metadata["1.root.json"]).hexdigest()


def keyids(desk: Desk) -> dict[str, str]:
    """Name -> key id, of all keys that the desk has."""
    return {key.name: key.keyid for key in held_keys(mine(desk).keys_folder)}


def lose_officers_keys(desk: Desk) -> None:
    for role in ("root", "targets"):
        (mine(desk).keys_folder / f"{role}.pem").unlink()


def publishes_on(desk: Desk, north: North, *, version: int) -> None:
    done = desk.json("publish", LIST, desk.csv(entries(range(20 + version)), header=HEADER))
    assert done["version"] == version
    assert served(north) == repository.root_fingerprint(mine(desk).root_path.read_bytes())


def test_without_the_operators_leave_nothing_changes(published: Desk, north: North) -> None:
    before, keys = served(north), keyids(published)
    refused = published.run("publisher", "init", DOMAIN, "--anew", ALONE)
    assert refused.exit_code == 6
    assert f"begin_anew {DOMAIN} --root-now {before}" in refused.stderr
    assert (served(north), keyids(published)) == (before, keys)
    assert not mine(published).beginning.folder.exists()


def test_without_being_told_so_it_refuses_as_ever_and_says_how(published: Desk, north: North) -> None:
    north.anew = True
    mine(published).root_path.unlink()
    refused = published.run("publisher", "init", DOMAIN, ALONE)
    assert refused.exit_code == 6
    assert f"publisher init {DOMAIN} --anew" in refused.stderr


def test_lists_go_on_under_the_new_root_with_the_feed_key_that_they_have(published: Desk, north: North) -> None:
    before, feed, list_id = served(north), keyids(published)["feed"], find_list(published.home, LIST).list_id
    lose_officers_keys(published)
    north.anew = True
    done = published.json("publisher", "init", DOMAIN, "--anew", ALONE)
    assert done["fingerprint"] == served(north) != before
    assert sorted(done["keys_made"]) == ["root", "targets"]
    known = trust.publisher(published.home, DOMAIN)
    assert known is not None and (known.fingerprint, known.state) == (done["fingerprint"], "confirmed")
    assert north.shelf.targets is not None
    assert [key.keyid for key in feed_keys(north.shelf.targets)[list_id]] == [feed] == [keyids(published)["feed"]]
    publishes_on(published, north, version=2)
    assert published.json("publisher", "renew", DOMAIN, "--root")["job"]


def test_old_keys_and_the_old_root_are_set_aside_and_none_is_deleted(published: Desk, north: North) -> None:
    before, old = served(north), keyids(published)
    root = mine(published).root_path.read_bytes()
    north.anew = True
    told = published.run("publisher", "init", DOMAIN, "--anew", ALONE)
    assert told.exit_code == 0, told.stderr
    assert "Destroy the old key" in told.stdout
    assert f"hashshare pin {DOMAIN} FINGERPRINT --replace" in told.stdout
    after = keyids(published)
    assert {old["root"], old["targets"]} <= set(after.values())
    assert {after[role] for role in ("root", "targets")}.isdisjoint(old.values())
    assert (mine(published).folder / "replaced" / before / "1.root.json").read_bytes() == root
    assert not mine(published).beginning.folder.exists()


def test_a_lost_feed_key_is_made_anew_and_signs_what_is_served(published: Desk, north: North) -> None:
    list_id = find_list(published.home, LIST).list_id
    before = north.shelf.feeds[list_id]
    shutil.rmtree(mine(published).keys_folder)
    north.anew = True
    done = published.json("publisher", "init", DOMAIN, "--anew", ALONE)
    assert sorted(done["keys_made"]) == ["feed", "root", "targets"]
    after = repository.read_role(list_id, north.shelf.feeds[list_id])
    assert after.version == repository.read_role(list_id, before).version + 1
    assert list(after.metadata.signatures) == [own_key(mine(published), "feed").keyid]
    publishes_on(published, north, version=2)


def test_new_officers_sign_it_while_releases_go_on(published: Desk, north: North, tmp_path: Path) -> None:
    before, people = served(north), officers(tmp_path)
    lose_officers_keys(published)
    north.anew = True
    cards = [word for person in people for word in ("--officer", str(person.card))]
    begun = published.json("publisher", "init", DOMAIN, "--anew", *cards)
    again = published.json("publisher", "init", DOMAIN, "--anew", *cards)
    assert (begun["job"], again["request"]) == (None, begun["request"])
    publishes_on(published, north, version=2)
    shown = published.json("publisher", "sign-request", DOMAIN)
    assert shown["request"] == begun["request"]
    assert [str(path) for path, _ in anew.every_waiting(mine(published))] == [begun["request"]]
    people[0].sign(begun["request"])
    assert published.json("publisher", "submit", begun["request"], exit_code=6)["job"] is None
    signed = people[1].sign(begun["request"])
    done = published.json("publisher", "submit", begun["request"])
    assert done["fingerprint"] == signed["fingerprint"] == served(north) != before
    publishes_on(published, north, version=3)
    request = published.json("publisher", "renew", DOMAIN)["request"]
    for person in people[1:]:
        person.sign(request)
    assert published.json("publisher", "submit", request)["job"]


STEPS = ("finish", "keyring.leave", "keyring.copy_key", "shutil.copy2", "shutil.rmtree")


@pytest.mark.parametrize("step", STEPS)
def test_stopped_at_any_step_after_the_hub_took_it_it_carries_on(
    published: Desk, north: North, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    north.anew = True
    holder, _, name = step.rpartition(".")

    def stop(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    place = getattr(anew, holder) if holder else __import__("hashshare.client.ceremony", fromlist=["finish"])
    with monkeypatch.context() as patched:
        patched.setattr(place, name, stop)
        published.run("publisher", "init", DOMAIN, "--anew", ALONE)
    done = published.json("publisher", "init", DOMAIN, "--anew", ALONE)
    assert done["fingerprint"] == served(north)
    assert not mine(published).beginning.folder.exists()
    publishes_on(published, north, version=2)
    assert published.json("publisher", "renew", DOMAIN, "--root")["job"]


def test_a_list_that_is_not_known_here_is_not_left_behind(published: Desk, north: North) -> None:
    north.anew = True
    mine(published).list_path("images").unlink()
    refused = published.run("publisher", "init", DOMAIN, "--anew", ALONE)
    assert refused.exit_code == 2
    assert "publisher recover" in refused.stderr
    assert north.anew


def test_it_takes_its_name_back_from_somebody_who_began_anew_in_it(published: Desk, north: North) -> None:
    """Another's root stands at the hub, with the list under a feed key of hers."""
    list_id = find_list(published.home, LIST).list_id
    officer, feed_key = keys.generate(), keys.generate()
    own, signers, now = [keys.tuf_key(keys.public_bytes(officer))], [keys.tuf_signer(officer)], datetime.now(UTC)
    root = repository.create_root(root_keys=own, targets_keys=own, hub_keys=north.keys, signers=signers, now=now)
    targets = repository.delegate_list(
        repository.create_targets(signers=[], now=now),
        list_id=list_id,
        keys=[keys.tuf_key(keys.public_bytes(feed_key))],
        signers=signers,
        now=now,
        amend=True,
    )
    feed = repository.renew_feed(
        north.shelf.feeds[list_id], list_id=list_id, signers=[keys.tuf_signer(feed_key)], now=now
    )
    north.anew = True
    north.accept({"root": root, "targets": targets, list_id: feed})
    told = published.json("publish", LIST, published.csv(entries(range(21)), header=HEADER), exit_code=4)
    assert told["error"]["type"] == "root-replaced"

    north.anew = True
    done = published.json("publisher", "init", DOMAIN, "--anew", ALONE)
    assert done["fingerprint"] == served(north) != repository.root_fingerprint(root)
    publishes_on(published, north, version=2)

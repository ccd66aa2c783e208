"""Every key of a publisher replaced: what North accepts, what a member with the unmodified `tuf.ngclient` follows, and
where the old key is refused from then on.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tuf.api.exceptions import UnsignedMetadataError

from hashshare.wire import repository
from hashshare.wire.errors import BadSignature, MalformedMetadata, UsageError
from hashshare.wire.repository import rotation
from tests.wire.aurora import LIST_ID, OTHER_LIST_ID, Aurora, Hand, keys_of, manifest_of, signers_of, two
from tests.wire.test_ngclient import fetch_manifest, updater

MANIFEST = manifest_of().to_bytes()


@pytest.fixture
def aurora() -> Aurora:
    """With one release."""
    made = Aurora()
    made.publish(MANIFEST, version=1)
    return made


def take(aurora: Aurora, **roles: bytes) -> None:
    """North judges and serves; `feed` is that of the first list."""
    named = {LIST_ID if role == "feed" else role: body for role, body in roles.items()}
    aurora.commit_roles(named)
    for role, body in named.items():
        aurora.serve_metadata(role, body)
    aurora.root, aurora.targets = roles.get("root", aurora.root), roles.get("targets", aurora.targets)
    aurora.feeds |= {role: body for role, body in named.items() if role not in ("root", "targets")}
    aurora.seal()


def rotated_feed(aurora: Aurora, new: Hand) -> dict[str, bytes]:
    lists = rotation.lists_of_key(aurora.targets, aurora.feed.key.keyid)
    keys = rotation.with_feed_replaced(aurora.targets, new=new.key, lists=lists)
    targets = repository.delegate_lists(aurora.targets, keys=keys, signers=two(aurora), now=aurora.now)
    standing = aurora.feeds[LIST_ID]
    return {
        "targets": targets,
        "feed": repository.renew_feed(standing, list_id=LIST_ID, signers=[new.signer], now=aurora.now),
    }


def replace_officer(aurora: Aurora, new: Hand) -> bytes:
    """The third officer's key in both roles; the two others sign."""
    old = aurora.officers[2].key.keyid
    return repository.next_root(
        aurora.root,
        root_keys=rotation.with_replaced(rotation.officer_keys(aurora.root, "root"), old=old, new=new.key),
        targets_keys=rotation.with_replaced(rotation.officer_keys(aurora.root, "targets"), old=old, new=new.key),
        signers=two(aurora),
        now=aurora.now,
    )


# --- a feed key --------------------------------------------------------------------------------------------------


def test_a_new_feed_key_is_followed_and_the_old_one_refused_at_once(aurora: Aurora, tmp_path: Path) -> None:
    updater(tmp_path, aurora).refresh()
    stolen, new = aurora.feed, Hand()
    take(aurora, **rotated_feed(aurora, new))
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1

    with pytest.raises(BadSignature):
        aurora.commit(feed=aurora.sign(MANIFEST, version=3, by=stolen))
    forged = aurora.sign(MANIFEST, version=3, by=stolen)
    aurora.feeds[LIST_ID] = forged
    aurora.serve_metadata(LIST_ID, forged)
    aurora.seal()  # even with the hub on the thief's side
    with pytest.raises(UnsignedMetadataError):
        fetch_manifest(updater(tmp_path, aurora))


def test_every_list_of_a_feed_key_changes_hands_in_one_version(aurora: Aurora) -> None:
    aurora.targets = repository.delegate_list(
        aurora.targets, list_id=OTHER_LIST_ID, keys=[aurora.feed.key], signers=two(aurora), now=aurora.now
    )
    before, new = repository.read_role("targets", aurora.targets).version, Hand()
    take(aurora, **rotated_feed(aurora, new))
    assert repository.read_role("targets", aurora.targets).version == before + 1
    assert rotation.feed_keys(aurora.targets) == {LIST_ID: (new.key,), OTHER_LIST_ID: (new.key,)}
    assert rotation.lists_of_key(aurora.targets, aurora.feed.key.keyid) == ()


def test_a_feed_that_the_new_key_alone_signs_needs_nothing(aurora: Aurora) -> None:
    assert rotation.with_feed_replaced(aurora.targets, new=aurora.feed.key, lists=[LIST_ID]) == {}


def test_a_new_feed_key_leaves_the_release_as_it_is(aurora: Aurora) -> None:
    feed = rotated_feed(aurora, Hand())["feed"]
    before = repository.feed_manifest(aurora.feeds[LIST_ID], list_id=LIST_ID)
    assert repository.feed_manifest(feed, list_id=LIST_ID) == before
    assert repository.read_role(LIST_ID, feed).version == 2


def test_it_tells_which_feeds_new_targets_would_leave_hanging(aurora: Aurora) -> None:
    roles = rotated_feed(aurora, Hand())
    assert rotation.uncovered(aurora.trusted, targets=roles["targets"]) == (LIST_ID,)
    renewed = repository.renew_targets(aurora.targets, signers=two(aurora), now=aurora.now)
    assert rotation.uncovered(aurora.trusted, targets=renewed) == ()


# --- an officer's key --------------------------------------------------------------------------------------------


def test_a_lost_officers_key_is_replaced_by_the_two_others(aurora: Aurora, tmp_path: Path) -> None:
    """Targets signed by the two who stay are still covered, so that the root alone will do."""
    updater(tmp_path, aurora).refresh()
    new = Hand()
    root = replace_officer(aurora, new)
    assert rotation.uncovered(aurora.trusted, root=root) == ()
    take(aurora, root=root)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1

    stolen = [aurora.officers[0].signer, aurora.officers[2].signer]
    with pytest.raises(BadSignature):
        aurora.commit(targets=repository.renew_targets(aurora.targets, signers=stolen, now=aurora.now))
    with pytest.raises(BadSignature):
        aurora.commit(root=repository.next_root(aurora.root, signers=stolen, now=aurora.now))
    renewed = signers_of([aurora.officers[0], new])
    aurora.commit(targets=repository.renew_targets(aurora.targets, signers=renewed, now=aurora.now))


def test_targets_that_a_replaced_officer_signed_come_signed_anew(aurora: Aurora, tmp_path: Path) -> None:
    """Officers one and three signed them; without three's signature they have one of two."""
    updater(tmp_path, aurora).refresh()
    pair = signers_of([aurora.officers[0], aurora.officers[2]])
    take(aurora, targets=repository.renew_targets(aurora.targets, signers=pair, now=aurora.now))
    root = replace_officer(aurora, Hand())
    assert rotation.uncovered(aurora.trusted, root=root) == ("targets",)
    with pytest.raises(BadSignature):
        aurora.commit(root=root)
    targets = repository.renew_targets(aurora.targets, signers=two(aurora), now=aurora.now)
    take(aurora, root=root, targets=targets)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1


def test_every_officer_at_once_needs_the_old_threshold_and_the_new(aurora: Aurora, tmp_path: Path) -> None:
    updater(tmp_path, aurora).refresh()
    new = [Hand(), Hand(), Hand()]
    sign_root = partial(
        repository.next_root, aurora.root, root_keys=keys_of(new), targets_keys=keys_of(new), now=aurora.now
    )
    for signers in (two(aurora), signers_of(new)):
        with pytest.raises(BadSignature):
            aurora.commit(root=sign_root(signers=signers))
    root = sign_root(signers=two(aurora) + signers_of(new[:2]))
    targets = repository.renew_targets(aurora.targets, signers=signers_of(new[1:]), now=aurora.now)
    take(aurora, root=root, targets=targets)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1
    assert fetch_manifest(updater(tmp_path / "newcomer", aurora)).version == 1


def test_it_names_the_keys_that_changed_between_two_roots(aurora: Aurora) -> None:
    new = Hand()
    changes = rotation.key_changes(aurora.root, replace_officer(aurora, new))
    old = aurora.officers[2].key.keyid
    assert [(change.role, change.removed, change.added) for change in changes] == [
        ("root", (old,), (new.key.keyid,)),
        ("targets", (old,), (new.key.keyid,)),
    ]
    renewed = repository.next_root(aurora.root, signers=two(aurora), now=aurora.now)
    assert rotation.key_changes(aurora.root, renewed) == ()


def test_a_key_is_replaced_by_another_and_only_where_it_stands(aurora: Aurora) -> None:
    standing = rotation.officer_keys(aurora.root, "root")
    with pytest.raises(UsageError, match="not one of those"):
        rotation.with_replaced(standing, old="00" * 32, new=Hand().key)
    with pytest.raises(UsageError, match="already"):
        rotation.with_replaced(standing, old=standing[0].keyid, new=standing[1])


def test_it_tells_who_signed(aurora: Aurora) -> None:
    known = [*keys_of(aurora.officers), aurora.feed.key]
    assert rotation.signers_of("targets", aurora.targets, known) == tuple(key.keyid for key in known[:2])
    assert rotation.signers_of(LIST_ID, aurora.feeds[LIST_ID], known) == (aurora.feed.key.keyid,)


# --- the hub's keys ----------------------------------------------------------------------------------------------


def test_a_root_names_the_hubs_new_keys_and_drops_a_stolen_one(aurora: Aurora, tmp_path: Path) -> None:
    updater(tmp_path, aurora).refresh()
    stolen, standby = aurora.north
    aurora.north = [standby, Hand()]  # the standby took over, and a new standby was made
    with pytest.raises(MalformedMetadata):
        aurora.commit(root=repository.next_root(aurora.root, signers=two(aurora), now=aurora.now))
    root = repository.next_root(aurora.root, hub_keys=aurora.hub_keys, signers=two(aurora), now=aurora.now)
    assert rotation.uncovered(aurora.trusted, root=root) == ()
    take(aurora, root=root)
    assert fetch_manifest(updater(tmp_path, aurora)).version == 1

    aurora.seal(by=stolen)
    with pytest.raises(UnsignedMetadataError):
        updater(tmp_path, aurora).refresh()

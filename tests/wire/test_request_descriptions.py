"""What an officer is told before signing: all that changes, from the metadata alone."""

from __future__ import annotations

from dataclasses import replace

from hashshare.wire import repository
from hashshare.wire.repository.changes import describe, key_name
from hashshare.wire.repository.requests import SigningRequest
from tests.wire.aurora import LIST_ID, NOW, OTHER_LIST_ID, Aurora, Hand, hands, keys_of

AURORA = Aurora()


def told(**roles: bytes) -> str:
    request = SigningRequest("aurora.example", (AURORA.root,), AURORA.targets, roles)
    return "\n".join(line for change in describe(request) for line in change.lines)


def test_a_renewal_changes_nothing_else() -> None:
    root = repository.next_root(AURORA.root, signers=[], now=NOW)
    targets = repository.renew_targets(AURORA.targets, signers=[], now=NOW)
    assert told(root=root).splitlines() == ["The same keys as before; only the date is new."]
    assert told(targets=targets).splitlines() == ["The same lists and keys as before; only the date is new."]


def test_a_founding_tells_every_key_and_threshold() -> None:
    roles = {"root": AURORA.root, "targets": repository.create_targets(signers=[], now=NOW)}
    request = SigningRequest("aurora.example", (), None, roles)
    first, second = describe(request)
    text = "\n".join(first.lines)
    assert (first.role, first.version, second.role, second.version) == ("root", 1, "targets", 1)
    assert "Root takes any 2 of 3 keys." in text
    assert all(key_name(key.keyid) in text for key in [*keys_of(AURORA.officers), *AURORA.hub_keys])
    assert second.lines == ("Begins without a list.",)


def test_it_names_an_officers_key_that_comes_and_one_that_goes() -> None:
    new = Hand()
    keys = [*keys_of(AURORA.officers[1:]), new.key]
    text = told(root=repository.next_root(AURORA.root, root_keys=keys, signers=[], now=NOW))
    assert f"May sign root from now on: {key_name(new.key.keyid)}." in text
    assert f"May no longer sign root: {key_name(AURORA.officers[0].key.keyid)}." in text
    assert "targets" not in text


def test_it_names_a_threshold_that_falls() -> None:
    text = told(root=repository.next_root(AURORA.root, threshold=1, targets_threshold=3, signers=[], now=NOW))
    assert "Root takes any 1 of 3 keys, no longer any 2 of 3 keys." in text
    assert "Targets takes any 3 of 3 keys, no longer any 2 of 3 keys." in text


def test_it_names_a_hub_key_that_changes() -> None:
    new = hands(1)[0]
    text = told(root=repository.next_root(AURORA.root, hub_keys=[AURORA.hub_keys[0], new.key], signers=[], now=NOW))
    assert text.count(key_name(new.key.keyid)) == 2
    assert text.count(key_name(AURORA.hub_keys[1].keyid)) == 2
    assert "the hub's snapshots" in text and "the hub's timestamps" in text


def test_it_names_a_list_that_comes_and_a_feed_key_that_changes() -> None:
    new = Hand()
    targets = repository.delegate_list(AURORA.targets, list_id=OTHER_LIST_ID, keys=[new.key], signers=[], now=NOW)
    assert f"New list {OTHER_LIST_ID}: its releases are signed by: {key_name(new.key.keyid)}." in told(targets=targets)
    targets = repository.delegate_list(AURORA.targets, list_id=LIST_ID, keys=[new.key], signers=[], now=NOW)
    text = told(targets=targets)
    assert f"May sign releases of list {LIST_ID} from now on: {key_name(new.key.keyid)}." in text
    assert f"May no longer sign releases of list {LIST_ID}: {key_name(AURORA.feed.key.keyid)}." in text


def test_what_the_requester_calls_people_plays_no_part() -> None:
    root = repository.next_root(AURORA.root, threshold=1, signers=[], now=NOW)
    request = SigningRequest("aurora.example", (AURORA.root,), AURORA.targets, {"root": root})
    assert describe(request) == describe(replace(request, officers=()))


def test_a_delegated_role_names_its_targets() -> None:
    feed = repository.sign_release(list_id=LIST_ID, manifest=b"{}", version=1, signers=[], now=NOW)
    request = SigningRequest("aurora.example", (AURORA.root,), AURORA.targets, {LIST_ID: feed})
    assert f"Names {LIST_ID}/manifest.json, 2 bytes, sha256 44136fa355b3678a" in describe(request)[0].lines[0]

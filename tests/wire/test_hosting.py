"""A delegation that says that the hub keeps a list's key."""

from __future__ import annotations

import json

import pytest
from tuf.api.metadata import Targets

from hashshare.wire import repository
from hashshare.wire.errors import MalformedMetadata, MalformedRequest
from hashshare.wire.repository.changes import describe
from hashshare.wire.repository.metadata import TARGETS, read_typed
from hashshare.wire.repository.request_files import check_request
from hashshare.wire.repository.requests import SigningRequest
from hashshare.wire.repository.shapes import check_targets
from tests.wire.aurora import LIST_ID, NOW, OTHER_LIST_ID, Hand, keys_of, signers_of

OFFICER, HUB, OWN = Hand(), Hand(), Hand()


def begun() -> bytes:
    return repository.create_targets(signers=signers_of([OFFICER]), now=NOW)


def delegated(targets: bytes, list_id: str, hand: Hand, *, hosted: bool) -> bytes:
    return repository.delegate_list(
        targets, list_id=list_id, keys=keys_of([hand]), signers=signers_of([OFFICER]), now=NOW, hosted=hosted
    )


def root() -> bytes:
    officers = keys_of([OFFICER])
    return repository.create_root(
        root_keys=officers, targets_keys=officers, hub_keys=keys_of([Hand()]), signers=signers_of([OFFICER]), now=NOW
    )


def test_it_names_the_lists_whose_keys_the_hub_keeps() -> None:
    both = delegated(delegated(begun(), LIST_ID, HUB, hosted=True), OTHER_LIST_ID, OWN, hosted=False)
    assert repository.hosted_lists(both) == {LIST_ID}
    check_targets(read_typed(TARGETS, both, Targets).signed, hub_keys=())


def test_a_list_that_goes_home_is_hosted_no_more() -> None:
    hosted = delegated(begun(), LIST_ID, HUB, hosted=True)
    assert repository.hosted_lists(delegated(hosted, LIST_ID, OWN, hosted=False)) == frozenset()


def test_a_renewal_keeps_what_is_said() -> None:
    hosted = delegated(begun(), LIST_ID, HUB, hosted=True)
    renewed = repository.renew_targets(hosted, signers=signers_of([OFFICER]), now=NOW)
    assert repository.hosted_lists(renewed) == {LIST_ID}


@pytest.mark.parametrize("said", [False, 1, "true", None])
def test_it_says_true_or_nothing(said: object) -> None:
    document = json.loads(delegated(begun(), LIST_ID, HUB, hosted=True))
    document["signed"]["delegations"]["roles"][0]["hosted"] = said
    with pytest.raises(MalformedMetadata, match="hosted"):
        check_targets(read_typed(TARGETS, json.dumps(document).encode(), Targets).signed, hub_keys=())


def test_officers_are_told_what_they_sign() -> None:
    stands = delegated(begun(), LIST_ID, OWN, hosted=False)
    there = SigningRequest("aurora.example", (root(),), stands, {TARGETS: delegated(stands, LIST_ID, HUB, hosted=True)})
    check_request(there)
    (change,) = describe(there)
    assert any("is hosted: the hub keeps that key" in line for line in change.lines)
    back = there.roles[TARGETS]
    home = SigningRequest("aurora.example", (root(),), back, {TARGETS: delegated(back, LIST_ID, OWN, hosted=False)})
    assert any("is no longer hosted" in line for line in describe(home)[0].lines)


def test_officers_are_asked_nothing_else_that_is_not_told() -> None:
    stands = begun()
    document = json.loads(delegated(stands, LIST_ID, HUB, hosted=True))
    document["signed"]["delegations"]["roles"][0]["also"] = True
    asked = SigningRequest("aurora.example", (root(),), stands, {TARGETS: json.dumps(document).encode()})
    with pytest.raises(MalformedRequest, match="does not know"):
        check_request(asked)

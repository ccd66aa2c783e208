"""Officers' cards: two public keys and a name, in one shape and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire import keys
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.repository.cards import MAX_CARD, OfficerCard, card_fingerprint, read_card


def a_key() -> Any:
    return keys.tuf_key(keys.public_bytes(keys.generate()))


CARD = OfficerCard("Anna Berg", a_key(), a_key())
BODY = CARD.to_bytes()


def test_it_is_read_as_it_was_written() -> None:
    card = read_card(BODY)
    assert (card.name, card.officer) == (CARD.name, CARD.officer)
    assert card.file_name == "anna-berg.card.json"


def test_its_fingerprint_is_that_of_both_keys() -> None:
    others = [OfficerCard("Anna Berg", a_key(), CARD.targets), OfficerCard("Anna Berg", CARD.root, a_key())]
    assert len({card_fingerprint(card.officer) for card in [CARD, *others]}) == 3
    renamed = OfficerCard("Somebody Else", CARD.root, CARD.targets)
    assert card_fingerprint(renamed.officer) == card_fingerprint(CARD.officer)


def test_one_key_for_both_is_refused() -> None:
    with pytest.raises(MalformedMetadata, match="under two key ids"):
        read_card(OfficerCard("Anna Berg", CARD.root, CARD.root).to_bytes())


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "Anna\nBerg", "Anna\x1b[2J", "../anna", " Anna", "Anna  Berg"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    document = {**json.loads(BODY), "name": name}
    with pytest.raises(MalformedMetadata):
        read_card(json.dumps(document).encode())


def test_other_keys_under_the_same_fingerprint_are_refused() -> None:
    document = json.loads(BODY)
    document["root"] = json.loads(OfficerCard("Eve", a_key(), a_key()).to_bytes())["root"]
    with pytest.raises(MalformedMetadata, match="fingerprint"):
        read_card(json.dumps(document).encode())


def test_a_card_of_any_length_is_refused() -> None:
    with pytest.raises(MalformedMetadata, match="are allowed"):
        read_card(b" " * (MAX_CARD + 1))


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_changed_bytes_are_read_or_refused_by_name(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(BODY)))
    end = data.draw(st.integers(start, min(len(BODY), start + 40)))
    changed = BODY[:start] + data.draw(st.binary(max_size=40) | st.just(b"null") | st.just(b"{}")) + BODY[end:]
    try:
        assert read_card(changed).officer == CARD.officer
    except MalformedMetadata:
        return

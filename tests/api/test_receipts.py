"""GET receipts: one's own rows and proofs, and nobody else's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hashshare.log_keys import log_key
from hashshare.models import Leaf, Log, Publisher
from hashshare.selectors import receipts as selector
from hashshare.selectors.logs import begun
from hashshare.services.sealing import publish_checkpoints, seal_logs
from hashshare.wire.errors import WrongProof
from hashshare.wire.log import (
    AcknowledgementRow,
    DeliveryRow,
    Opening,
    Receipt,
    Verifier,
    entry_of,
    read_row,
)
from tests import logs
from tests.api.parties import Party, enrolled, refused
from tests.api.publishing import Hotline, subscribed
from tests.api.statements import ORIGIN, document, opened, raw, send
from tests.builders import now

pytestmark = pytest.mark.django_db
PATH = "receipts?list=aurora.example/images"


def fetch_manifest(who: Party, hotline: Hotline) -> None:
    assert who.get(hotline.path_of("manifest.json")).status_code == 200


def receipts(who: Party, query: str = "") -> list[dict[str, Any]]:
    answer = who.get(PATH + query)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    for one in document["receipts"]:
        if one["receipt"] is not None:
            assert Receipt.parse(one["receipt"]).checkpoint_note == document["checkpoint"]
    opened(document["checkpoint"])
    return list(document["receipts"])


def verified(one: dict[str, Any]) -> Any:
    """The row, once its place in the log is proved."""
    (nonce,) = raw([one["nonce"]])
    receipt = Receipt.parse(one["receipt"])
    assert receipt.index == one["index"]
    receipt.verify(entry_of(Opening(nonce, one["row"])), Verifier(ORIGIN, log_key().public), origin=ORIGIN)
    return read_row(one["row"])


def test_they_prove_what_was_delivered_and_acknowledged(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    fetch_manifest(cobalt, images)
    assert send(cobalt, document(cobalt, images)).status_code == 201
    waiting = receipts(cobalt)
    assert [(one["kind"], one["index"], one["receipt"]) for one in waiting] == [
        ("delivery", None, None),
        ("acknowledgement", None, None),
    ]
    logs.leaves(Log.objects.get(publisher__domain="aurora.example"), 500)
    seal_logs(now=now())
    sealed = receipts(cobalt)
    assert [one["row"] for one in sealed] == [one["row"] for one in waiting]
    delivery, acknowledged = map(verified, sealed)
    assert isinstance(delivery, DeliveryRow)
    assert isinstance(acknowledged, AcknowledgementRow)
    assert (delivery.organisation, delivery.version, delivery.acknowledged) == ("cobalt", 1, None)
    assert (acknowledged.version, acknowledged.purged, acknowledged.key) == (1, 1, cobalt.fingerprint)


def test_a_receipt_of_another_member_proves_nothing_of_ones_own(images: Hotline, cobalt: Party) -> None:
    granite = enrolled("member", "Granite")
    for who in (cobalt, granite):
        subscribed(who, images)
        fetch_manifest(who, images)
    seal_logs(now=now())
    (mine,), (theirs,) = receipts(cobalt), receipts(granite)
    assert (verified(mine).organisation, verified(theirs).organisation) == ("cobalt", "granite")
    with pytest.raises(WrongProof):
        verified(mine | {"receipt": theirs["receipt"], "index": theirs["index"]})


def test_they_are_ones_own_alone(images: Hotline, aurora: Party, cobalt: Party) -> None:
    granite = enrolled("member", "Granite")
    subscribed(cobalt, images)
    fetch_manifest(cobalt, images)
    fetch_manifest(aurora, images)
    seal_logs(now=now())
    assert receipts(granite) == []
    assert [verified(one).organisation for one in receipts(cobalt)] == ["cobalt"]
    assert [verified(one).organisation for one in receipts(aurora)] == ["aurora"]  # its own tool's, not its members'


def test_a_private_list_is_as_one_that_never_was(aurora: Party, cobalt: Party, settings: Any, tmp_path: Any) -> None:
    settings.HASHSHARE_OBJECTS = tmp_path / "objects"
    Hotline(aurora, "aurora.example", visibility="private").publish()
    answers = [cobalt.get(f"receipts?list={name}") for name in ("aurora.example/images", "nobody.example/x", "x", "")]
    answers.append(cobalt.get("receipts"))
    assert len({repr(refused(answer, 403, "not-entitled")) for answer in answers}) == 1


def test_they_go_on_from_an_index(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    log = Log.objects.get(publisher__domain="aurora.example")
    row = log.publisher.lists.get()  # type: ignore[union-attr]
    logs.leaves(log, 5, organisation=cobalt.organisation, hash_list=row)
    publish_checkpoints(now=now() + timedelta(hours=1))
    logs.leaves(log, 3, organisation=cobalt.organisation, hash_list=row)
    seal_logs(now=now())
    logs.leaves(log, 2, organisation=cobalt.organisation, hash_list=row)

    def indexes(query: str) -> list[int | None]:
        return [one["index"] for one in receipts(cobalt, query)]

    assert indexes("") == [0, 1, 2, 3, 4, 256, 257, 258, None, None]
    assert indexes("&after=3&limit=3") == [4, 256, 257]
    assert indexes("&after=257&limit=3") == [258, None, None]
    assert indexes("&after=258&limit=1") == [None]
    assert indexes("&after=9999") == [None, None]
    assert Leaf.objects.filter(index=None).count() == 2


def test_what_is_sealed_while_the_answer_is_made_is_in_it(
    images: Hotline, cobalt: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the member would say that the hub took a statement and did not log it."""
    subscribed(cobalt, images)
    fetch_manifest(cobalt, images)

    def sealed_after(publisher: Publisher) -> Log:
        log = begun(publisher)
        seal_logs(now=now())
        return log

    with monkeypatch.context() as busy:
        busy.setattr(selector, "begun", sealed_after)
        assert [(one["kind"], one["index"]) for one in receipts(cobalt)] == [("delivery", None)]
    assert [one["index"] for one in receipts(cobalt)] == [0]


@pytest.mark.parametrize("query", ["&limit=0", "&limit=201", "&limit=x", "&after=-2", "&after=1e3", "&after=\u0661"])
def test_numbers_out_of_bounds_are_refused(images: Hotline, cobalt: Party, query: str) -> None:
    refused(cobalt.get(PATH + query), 400, "invalid-request")

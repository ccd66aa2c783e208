"""The logs over HTTP: to the public the state of the hour, to readers what is sealed, to the publisher the openings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hashshare.models import Leaf, Log
from hashshare.services.sealing import publish_checkpoints, seal_logs
from hashshare.wire.log import (
    Opening,
    PaddingRow,
    check_opening,
    leaf_hash,
    read_entries,
    read_row,
    root_of,
    tile_path,
    tiles_of,
    verify_acknowledgement,
    verify_consistency,
)
from tests import logs
from tests.api.parties import CLIENT, Party, enrolled, refused
from tests.api.publishing import Hotline, subscribed
from tests.api.statements import ORIGIN, document, opened, raw, send
from tests.builders import now

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def log(images: Hotline) -> Log:
    return Log.objects.get(publisher__domain="aurora.example")


def public(path: str) -> Any:
    return CLIENT.get(f"/log/{path}", SERVER_NAME="127.0.0.1")


def public_entries(name: str, origin: str) -> tuple[int, list[bytes]]:
    """The whole log as an auditor without credentials reads it, every tile of it, held against the checkpoint."""
    checkpoint = opened(public(f"{name}/checkpoint").content.decode(), origin)
    held: list[bytes] = []
    for level, index, width in logs.places(checkpoint.size):
        body = public(f"{name}/{tile_path(level, index, width)}")
        assert body.status_code == 200, (level, index, width)
        assert body.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        if level < 0:
            held += read_entries(body.content, width=width)
    assert root_of([leaf_hash(entry) for entry in held]) == checkpoint.root
    return checkpoint.size, held


def test_anybody_may_read_the_whole_public_log(log: Log) -> None:
    logs.leaves(log, 600)
    publish_checkpoints(now=now() + HOUR)
    logs.leaves(log, 90)
    seal_logs(now=now())
    size, held = public_entries("aurora.example", ORIGIN)
    assert (size, len(held)) == (768, 768)
    answer = public("aurora.example/checkpoint")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=60"


def test_the_public_sees_no_leaf_of_the_running_hour(log: Log) -> None:
    logs.leaves(log, 3)
    publish_checkpoints(now=now() + HOUR)
    logs.leaves(log, 700)
    seal_logs(now=now())
    assert opened(public("aurora.example/checkpoint").content.decode()).size == 256
    seen = {(place.level, place.index, width) for place in tiles_of(256) for width in range(1, place.width + 1)}
    for place in tiles_of(956):
        for width in {1, 2, place.width - 1, place.width} - {0}:
            status = public(f"aurora.example/{tile_path(place.level, place.index, width)}").status_code
            assert status == (200 if (place.level, place.index, width) in seen else 404), (place, width)


@pytest.mark.parametrize(
    "path",
    [
        "aurora.example/tile/0/000.p/0",
        "aurora.example/tile/0/000.p/256",
        "aurora.example/tile/0/00",
        "aurora.example/tile/8/000",
        "aurora.example/tile/-1/000",
        "aurora.example/tile/entries/../0/000",
        "aurora.example/tile/0/x000/000",
        "aurora.example/tile/0/x999/x999/x999/x999/x999/x999/999",
        "aurora.example/tile/",
        "nobody.example/checkpoint",
        "borealis.example/checkpoint",
        "nobody.example/tile/0/000",
    ],
)
def test_what_is_not_there_is_not_found(log: Log, borealis: Party, path: str) -> None:
    publish_checkpoints(now=now() + HOUR)
    refused(public(path), 404, "not-found")


def test_anybody_may_read_what_was_published(images: Hotline) -> None:
    seal_logs(now=now())
    size, held = public_entries("publication", "127.0.0.1:8000/log/publication")
    assert size == 4
    assert all(entry.startswith(b"hashshare-publication/1\n") for entry in held)


def test_a_reader_sees_what_is_sealed(log: Log, images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    logs.leaves(log, 300)
    seal_logs(now=now())
    first = opened(cobalt.get("log/aurora.example/checkpoint").content.decode())
    logs.leaves(log, 41)
    seal_logs(now=now())
    answer = cobalt.get("log/aurora.example/checkpoint")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    second = opened(answer.content.decode())
    assert (first.size, second.size) == (300, 341)
    proof = cobalt.get("log/aurora.example/consistency?old=300&new=341").json()["consistency"]
    verify_consistency(300, old_root=first.root, new_size=341, new_root=second.root, proof=raw(proof))
    assert cobalt.get("log/aurora.example/consistency?old=300").json()["consistency"] == proof
    held: list[bytes] = []
    for place in tiles_of(341):
        body = cobalt.get(f"log/aurora.example/{tile_path(*logs_place(place))}")
        assert body.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        held += read_entries(body.content) if place.level < 0 else []
    assert root_of([leaf_hash(entry) for entry in held]) == second.root
    refused(cobalt.get("log/aurora.example/tile/0/001.p/86"), 404, "not-found")


def logs_place(place: Any) -> tuple[int, int, int]:
    return place.level, place.index, place.width


@pytest.mark.parametrize("query", ["old=301", "old=5&new=4", "old=0&new=301", "old=-1", "new=x"])
def test_a_proof_of_what_cannot_be_is_refused(log: Log, aurora: Party, query: str) -> None:
    logs.leaves(log, 300)
    seal_logs(now=now())
    refused(aurora.get(f"log/aurora.example/consistency?{query}"), 400, "invalid-request")


def test_whoever_reads_no_list_of_the_publisher_is_turned_away(log: Log, cobalt: Party) -> None:
    for path in ("checkpoint", "consistency?old=0", "tile/0/000"):
        there, nowhere = (cobalt.get(f"log/{domain}/{path}") for domain in ("aurora.example", "nobody.example"))
        assert refused(there, 403, "not-entitled") == refused(nowhere, 403, "not-entitled")


def test_the_publisher_gets_every_opening(log: Log, images: Hotline, aurora: Party, cobalt: Party) -> None:
    subscribed(cobalt, images)
    assert cobalt.get(images.path_of("manifest.json")).status_code == 200
    said = document(cobalt, images)
    assert send(cobalt, said).status_code == 201
    publish_checkpoints(now=now() + HOUR)
    told = aurora.get("log/aurora.example/audit").json()
    leaves = told["leaves"]
    assert [leaf["index"] for leaf in leaves] == list(range(256))
    assert [leaf["kind"] for leaf in leaves] == ["delivery", "acknowledgement", *["padding"] * 254]
    entries = [raw([leaf["entry"]])[0] for leaf in leaves]
    for leaf, entry in zip(leaves, entries, strict=True):
        check_opening(Opening(raw([leaf["nonce"]])[0], leaf["row"]), entry=entry)
        assert leaf["erased"] is False
    assert root_of([leaf_hash(entry) for entry in entries]) == opened(told["checkpoint"]).root
    assert read_row(leaves[200]["row"]) == PaddingRow(200)
    assert leaves[1]["statement"].encode() == said
    stated, key = verify_acknowledgement(leaves[1]["statement"].encode(), public_keys=raw([leaves[1]["public_key"]]))
    assert (stated.organisation, key) == ("cobalt", cobalt.fingerprint)
    assert leaves[0]["statement"] is leaves[0]["public_key"] is None
    assert aurora.get("log/aurora.example/audit?start=1&limit=2").json()["leaves"] == leaves[1:3]
    assert aurora.get("log/aurora.example/audit?start=256").json()["leaves"] == []
    assert aurora.get("log/aurora.example/audit?start=255&limit=1000").json()["leaves"] == leaves[255:]


def test_an_opening_that_the_hub_lost_is_told_as_missing(log: Log, aurora: Party) -> None:
    logs.leaves(log, 3)
    seal_logs(now=now())
    Leaf.objects.filter(log=log, index=1).delete()
    leaves = aurora.get("log/aurora.example/audit").json()["leaves"]
    assert [(leaf["kind"], leaf["row"] is None, leaf["erased"]) for leaf in leaves] == [
        ("delivery", False, False),
        ("missing", True, False),
        ("delivery", False, False),
    ]


def test_nobody_else_gets_an_opening(log: Log, images: Hotline, cobalt: Party, borealis: Party, delta: Party) -> None:
    subscribed(cobalt, images)
    for who, slug in ((cobalt, "not-allowed"), (delta, "not-allowed"), (borealis, "not-entitled")):
        refused(who.get("log/aurora.example/audit"), 403, slug)
    refused(borealis.get("log/nobody.example/audit"), 403, "not-entitled")
    granite = enrolled("hotline", "Granite", domains=("granite.example",))
    subscribed(granite, images)
    refused(granite.get("log/aurora.example/audit"), 403, "not-entitled")  # a subscriber, though a hotline


def test_leaves_reveal_nothing_without_their_openings(log: Log, images: Hotline, cobalt: Party, aurora: Party) -> None:
    """All that anybody gets of a delivery, an acknowledgement and of padding is 32 bytes of noise each."""
    subscribed(cobalt, images)
    for _ in range(2):
        assert cobalt.get(images.path_of("manifest.json")).status_code == 200
    assert send(cobalt, document(cobalt, images)).status_code == 201
    publish_checkpoints(now=now() + HOUR)
    _, held = public_entries("aurora.example", ORIGIN)
    assert {(entry[:21], len(entry)) for entry in held} == {(b"hashshare-delivery/1\n", 53)}
    assert len(set(held)) == 256
    rows = [leaf["row"] for leaf in aurora.get("log/aurora.example/audit").json()["leaves"]]
    guessed = {b"hashshare-delivery/1\n" + Opening(bytes(32), row).commitment for row in rows}
    assert not guessed & set(held)


def test_a_log_that_has_not_begun_is_told_as_such(borealis: Party) -> None:
    for path in ("checkpoint", "audit", "consistency?old=0"):
        refused(borealis.get(f"log/borealis.example/{path}"), 404, "not-found")

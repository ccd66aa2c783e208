"""`audit` reads the hub's public log too: which hub took over, and whether it is the log that witnesses cosigned."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hashshare.client.witnesses import add_witness, require
from hashshare.wire import keys
from hashshare.wire.log import (
    Checkpoint,
    Cosigner,
    TakenOver,
    cosign,
    leaf_hash,
    publication_entry,
    root_of,
    sign_checkpoint,
)
from tests.client.hotlines.desk import LIST, Desk
from tests.client.hotlines.north import North
from tests.vectors.cast import key

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
SOUTH = key(71)
WITNESS = Cosigner("south.example/witness", keys.public_bytes(SOUTH))
HOUR = 3600


def cosigned(north: North, entries: Sequence[bytes], *, ago: float = 60) -> str:
    """The checkpoint of a log of these entries, signed by the hub and cosigned by South."""
    named = Checkpoint("north/log/publication", len(entries), root_of(leaf_hash(entry) for entry in entries))
    at = int(time.time() - ago)
    line = cosign(named.to_text(), name=WITNESS.name, key=SOUTH, at=at).line
    return sign_checkpoint(named, key=north.ledger.key) + line


@pytest.fixture
def entries(images: Desk, north: North) -> list[bytes]:
    """What the hub has published: 300 files; no witness is required yet."""
    north.published = [publication_entry(b"%d" % number) for number in range(300)]
    return list(north.published)


@pytest.fixture
def requiring(images: Desk, entries: list[bytes]) -> list[bytes]:
    """South's cosignature is required, of the publication log alone in what follows."""
    add_witness(images.home, WITNESS.to_text(), now=datetime.now(UTC))
    require(images.home, 1, now=datetime.now(UTC))
    return entries


def test_it_names_who_took_over_when_and_by_which_keys(images: Desk, north: North, entries: list[bytes]) -> None:
    moved = TakenOver("aurora.example", "north.example", "south.example", AT)
    other = TakenOver("corona.example", "north.example", "east.example", AT)
    north.published = [*entries, other.to_entry(), moved.to_entry()]
    found = images.json("audit", LIST)
    assert found["moves"] == [{"before": "north.example", "after": "south.example", "at": "2026-11-28T12:00:00Z"}]
    assert found["publication_log"]["key"] == keys.fingerprint_of(north.ledger.key)
    assert found["timestamp_keys"] == [north.keys[0].keyid]
    told = " ".join(images.run("audit", LIST).stdout.split())
    assert "south.example took over from north.example at 2026-11-28T12:00:00Z" in told
    assert keys.fingerprint_of(north.ledger.key) in told
    assert north.keys[0].keyid in told
    assert "corona" not in told
    assert not any(path.endswith("/cosigned") for _, path in north.asked), "nothing is required"


def test_the_log_that_is_read_must_extend_the_one_that_was_cosigned(
    images: Desk, north: North, requiring: list[bytes]
) -> None:
    north.cosigned = [cosigned(north, requiring[:270])]
    found = images.json("audit", LIST, exit_code=7)["publication_log"]  # the delivery log is not cosigned here
    assert (found["cosigned_by"], found["alarm"]) == ([WITNESS.name], None)
    assert "publication log cosigned by south.example/witness" in images.run("audit", LIST).stdout

    # The hub shows its hotline a log in which the take-over is left out.
    hidden = TakenOver("aurora.example", "north.example", "south.example", AT).to_entry()
    for others in ([*requiring[:100], hidden, *requiring[100:250]], [*requiring[:299], hidden]):
        north.cosigned = [cosigned(north, others)]
        error = images.json("audit", LIST, exit_code=4)["error"]
        assert (error["type"], WITNESS.name in error["detail"]) == ("log-forked", True)


def test_more_that_was_cosigned_than_some_cache_shows_is_read_too(
    images: Desk, north: North, requiring: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = TakenOver("aurora.example", "north.example", "south.example", AT).to_entry()
    north.published = [*requiring, moved]
    north.cosigned = [cosigned(north, north.published)]
    stale = cosigned(north, requiring).partition("\u2014 south")[0].encode()
    fresh = north.publication
    monkeypatch.setattr(north, "publication", lambda path: stale if path == "checkpoint" else fresh(path))
    assert [it["after"] for it in images.json("audit", LIST, exit_code=7)["moves"]] == ["south.example"]


@pytest.mark.parametrize("ago", [None, 30 * HOUR])
def test_too_few_cosignatures_are_an_alarm(
    images: Desk, north: North, requiring: list[bytes], ago: float | None
) -> None:
    north.cosigned = [] if ago is None else [cosigned(north, requiring, ago=ago)]
    ran = images.run("audit", LIST)
    assert ran.exit_code == 7
    assert "publication log may be another" in " ".join(ran.stderr.split())

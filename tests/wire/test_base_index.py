from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.errors import MalformedManifest
from tests.wire.aurora import LIST_ID, base_of, manifest_of

INDEX, BASE = base_of(LIST_ID, version=1, entries=6, bodies=[b"one", b"two", b"three"])


def document() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(INDEX.to_bytes())
    return parsed


def parse(value: object) -> BaseIndex:
    return BaseIndex.parse(json.dumps(value).encode())


def test_it_survives_a_round_trip_with_fields_of_a_newer_version() -> None:
    assert BaseIndex.parse(INDEX.to_bytes()) == INDEX
    value = document()
    value["later"] = value["shards"][1]["later"] = [1]
    assert json.loads(parse(value).to_bytes()) == value


def test_an_empty_list_has_no_shards() -> None:
    index, _ = base_of(LIST_ID, version=1)
    assert BaseIndex.parse(index.to_bytes()).shards == ()


def test_it_is_the_one_that_the_manifest_describes() -> None:
    INDEX.check_against(manifest_of(base=BASE, entries=6))
    for other in (base_of(LIST_ID, version=1)[1], base_of(LIST_ID, version=1, entries=6, bodies=[b"two"] * 3)[1]):
        with pytest.raises(MalformedManifest):
            INDEX.check_against(manifest_of(base=other, entries=other.entries))


def test_neighbours_share_no_prefix() -> None:
    """Else one key could be in both."""
    value = document()
    following = int(value["shards"][1]["low"], 16)
    value["shards"][0]["high"] = f"{following - 1:016x}"
    parse(value)
    for high in (following, following + 1):
        value["shards"][0]["high"] = f"{high:016x}"
        with pytest.raises(MalformedManifest):
            parse(value)


FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "format": lambda value: value.update(format="hashshare-base/2"),
    "list": lambda value: value.update(list="aurora"),
    "entries": lambda value: value.update(entries=7),
    "order": lambda value: value["shards"].reverse(),
    "range": lambda value: value["shards"][2].update(low="f" * 16, high="0" * 16),
    "prefix": lambda value: value["shards"][0].update(low="0"),
    "empty shard": lambda value: value["shards"][0].update(entries=0),
    "number": lambda value: value["shards"][0]["object"].update(path=f"{LIST_ID}/base-1-0001.parquet"),
    "foreign": lambda value: value["shards"][0]["object"].update(path="0123456789abcdef/base-1-0000.parquet"),
    "shards": lambda value: value.update(shards=None),
    "too many": lambda value: value.update(shards=value["shards"] * 2_000),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_rejects(fault: str) -> None:
    value = document()
    FAULTS[fault](value)
    with pytest.raises(MalformedManifest):
        parse(value)

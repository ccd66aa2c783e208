from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hashshare.wire.errors import MalformedManifest, UnknownRequirement
from hashshare.wire.manifest import Manifest, Redistribution
from hashshare.wire.objects import ObjectRef
from tests.wire.aurora import LIST_ID, base_of, manifest_of, segment_of

FULL = manifest_of(
    segment_of(LIST_ID, 1, 3, upserts=5, withdrawals=2),
    segment_of(LIST_ID, 3, 4),
    base=base_of(LIST_ID, version=2, entries=4, bodies=[b"one", b"two"])[1],
    entries=7,
)


def document() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(FULL.to_bytes())
    return parsed


def parse(value: object) -> Manifest:
    return Manifest.parse(json.dumps(value).encode())


def test_it_survives_a_round_trip() -> None:
    for manifest in (
        FULL,
        manifest_of(),
        replace(FULL, status="withdrawn", poll_seconds=60),
        replace(FULL, redistribution=Redistribution("named", ("south.example",), ("XX",))),
    ):
        assert Manifest.parse(manifest.to_bytes()) == manifest


def test_it_says_what_it_holds() -> None:
    assert FULL.publisher == "aurora.example"
    assert [ref.name for ref in FULL.object_refs()] == ["base-2.json", "delta-1-3.parquet", "delta-3-4.parquet"]
    assert [segment.operations for segment in FULL.segments] == [7, 1]


def test_it_keeps_fields_of_a_newer_version() -> None:
    value = document()
    for place in (value, value["list"], value["redistribution"], value["base"], value["base"]["index"]):
        place["later"] = {"of": ["a", "newer", 1]}
    value["segments"][0]["later"] = 2
    value["segments"][0]["object"]["custom"] = {"x": 1}

    again = json.loads(parse(value).to_bytes())

    assert again == value


def test_it_names_a_requirement_that_it_does_not_know_before_anything_else() -> None:
    value = {"format": "hashshare-manifest/1", "requires": ["fuzzy-keys"], "segments": "of another shape"}
    with pytest.raises(UnknownRequirement, match="fuzzy-keys") as refusal:
        parse(value)
    assert refusal.value.facts == {"requires": ["fuzzy-keys"]}


def put(*path: str | int, value: object) -> Callable[[dict[str, Any]], object]:
    def edit(at: Any) -> None:
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value

    return edit


FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "format": put("format", value="hashshare-manifest/2"),
    "no requires": lambda value: value.pop("requires"),
    "no list": lambda value: value.pop("list"),
    "list id": put("list", "id", value="IMAGES"),
    "list name": put("list", "name", value="aurora.example"),
    "list name path": put("list", "name", value="aurora.example/../x"),
    "version 0": put("version", value=0),
    "version true": put("version", value=True),
    "version text": put("version", value="4"),
    "version float": put("version", value=4.0),
    "version huge": put("version", value=2**70),
    "status": put("status", value="paused"),
    "no algorithms": put("algorithms", value=[]),
    "algorithm twice": put("algorithms", value=["md5", "md5"]),
    "algorithm query": put("algorithms", value=["md5; drop"]),
    "columns": put("columns", value="category"),
    "published at": put("published_at", value="2026-11-22"),
    "published never": put("published_at", value="2026-13-22T12:00:00Z"),
    "base never built": lambda value: value["base"].pop("built_at"),
    "base built at no time": put("base", "built_at", value="2026-11-22T12:00:00+01:00"),
    "entries": put("entries", value=-1),
    "policy": put("redistribution", "policy", value="everybody"),
    "poll": put("poll_seconds", value=0),
    "poll for ever": put("poll_seconds", value=10**12),
    "country with a zero byte": put("redistribution", "not_in", value=["N\0"]),
    "country without end": put("redistribution", "not_in", value=["N" * 101]),
    "base newer": put("base", "version", value=9),
    "foreign index": put("base", "index", "path", value="0123456789abcdef/base-2.json"),
    "index above": put("base", "index", "path", value=f"{LIST_ID}/../base-2.json"),
    "huge index": put("base", "index", "length", value=2**33),
    "second hash": put("base", "index", "hashes", "md5", value="00" * 16),
    "hash": put("base", "index", "hashes", "sha256", value="ZZ" * 32),
    "segment name": put("segments", 0, "object", "path", value=f"{LIST_ID}/delta-1-2.parquet"),
    "segment length": put("segments", 0, "object", "length", value=0),
    "segment huge": put("segments", 0, "object", "length", value=2**40),
    "segment operations": put("segments", 0, "upserts", value=2**31),
    "segment missing": lambda value: value["segments"].pop(0),
    "head missing": lambda value: value["segments"].pop(),
    "segments object": put("segments", value={}),
    "segments number": put("segments", value=[1]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_it_rejects(fault: str) -> None:
    value = document()
    FAULTS[fault](value)
    with pytest.raises(MalformedManifest):
        parse(value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b"[" * 100_000,
        FULL.to_bytes() + b"{}",
        FULL.to_bytes().replace(b'"version":4', b'"version":3,"version":4'),
        FULL.to_bytes().replace(b'"entries":7', b'"entries":NaN'),
        FULL.to_bytes().replace(b'"status"', b'"\\ud800":1,"status"'),
        FULL.to_bytes() + b" " * 2**20,
    ],
    ids=range(10),
)
def test_it_rejects_what_is_not_strict_json(body: bytes) -> None:
    with pytest.raises(MalformedManifest):
        Manifest.parse(body)


def test_a_reference_becomes_the_library_s_target_file() -> None:
    ref = ObjectRef.of(f"{LIST_ID}/manifest.json", b"body")
    target = ref.to_target()
    target.verify_length_and_hashes(b"body")
    assert {**target.to_dict(), "path": ref.path} == ref.to_json()
    assert ref.stored_path == f"{LIST_ID}/{ref.sha256}.manifest.json"

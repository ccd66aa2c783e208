"""What leaves say: each row has one text, and what is no row is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashshare.wire.errors import MalformedLog, UnknownRequirement
from hashshare.wire.log import AcknowledgementRow, DeliveryRow, ErasureRow, PaddingRow, RelayedRow, Row, read_row

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DELIVERY = DeliveryRow(
    organisation="cobalt",
    list_name="aurora.example/images",
    list_id="3f9c0a51d2e4b786",
    version=6,
    acknowledged=5,
    manifest_sha256="a1" * 32,
    bytes=2_048,
    at=AT,
    key="SHA256:x",
)
ACKNOWLEDGEMENT = AcknowledgementRow(
    organisation="cobalt",
    list_name="aurora.example/images",
    list_id="3f9c0a51d2e4b786",
    version=6,
    purged=4,
    manifest_sha256="a1" * 32,
    at=AT,
    statement_sha256="b2" * 32,
    key="SHA256:x",
)
RELAYED = RelayedRow(
    hub="south.example",
    via="south.example",
    organisation="cobalt",
    list_name="aurora.example/images",
    list_id="3f9c0a51d2e4b786",
    version=6,
    purged=4,
    manifest_sha256="a1" * 32,
    at=AT,
    statement_sha256="b2" * 32,
    key="SHA256:x",
)
ROWS: list[Row] = [
    DELIVERY,
    replace(DELIVERY, version=1, acknowledged=None, key=""),
    replace(DELIVERY, acknowledged=1, bytes=0),
    ACKNOWLEDGEMENT,
    replace(ACKNOWLEDGEMENT, version=1, purged=0),
    RELAYED,
    replace(RELAYED, hub="east.example:8443"),
    PaddingRow(255),
    ErasureRow(until=AT, count=1_000, at=AT),
]


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_read_as_it_was_written(row: Row) -> None:
    assert read_row(row.to_row()) == row


def test_a_row_has_one_text() -> None:
    assert DELIVERY.to_row() == (
        '{"acknowledged":5,"at":"2026-11-22T12:00:00Z","bytes":2048,"key":"SHA256:x","kind":"delivery",'
        '"list":"aurora.example/images","list_id":"3f9c0a51d2e4b786","manifest_sha256":"' + "a1" * 32 + '",'
        '"organisation":"cobalt","version":6}'
    )
    text = PaddingRow(1).to_row()
    for other in (f"{text} ", f"{text}\n", text.replace(":", ": "), '{"number":1,"kind":"padding"}'):
        with pytest.raises(MalformedLog):
            read_row(other)


def test_names_of_all_scripts_stand_as_they_are() -> None:
    row = replace(DELIVERY, organisation="\u041a\u043e\u0431\u0430\u043b\u044c\u0442 \u20ac", key='"\\')
    assert "\u041a" in row.to_row()
    assert read_row(row.to_row()) == row


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 0},
        {"version": -6},
        {"version": 6.0},
        {"version": "6"},
        {"version": True},
        {"version": 2**53},
        {"acknowledged": 0},
        {"acknowledged": False},
        {"acknowledged": ""},
        {"bytes": -1},
        {"bytes": None},
        {"list": "images"},
        {"list_id": "3f9c0a51d2e4b78"},
        {"manifest_sha256": "A1" * 32},
        {"at": "2026-11-22T12:00:00+00:00"},
        {"at": "2026-13-22T12:00:00Z"},
        {"organisation": ""},
        {"organisation": "co\nbalt"},
        {"organisation": "x" * 256},
        {"key": None},
        {"kind": 1},
        {"kind": "x" * 65},
    ],
)
def test_a_row_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    value = {**json.loads(DELIVERY.to_row()), **wrong}
    with pytest.raises(MalformedLog):
        read_row(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


@pytest.mark.parametrize("name", json.loads(DELIVERY.to_row()))
def test_a_row_that_lacks_a_field_is_refused(name: str) -> None:
    value = json.loads(DELIVERY.to_row())
    del value[name]
    with pytest.raises(MalformedLog):
        read_row(json.dumps(value, sort_keys=True, separators=(",", ":")))


@pytest.mark.parametrize("text", ["", "[]", "null", "\ud800", '{"kind":"padding","kind":"padding","number":1}', "NaN"])
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(MalformedLog):
        read_row(text)


@settings(deadline=None)
@given(st.text(max_size=100))
def test_no_text_is_a_row(text: str) -> None:
    with pytest.raises(MalformedLog):
        read_row(text)


def test_a_row_of_more_than_4_kib_is_refused() -> None:
    with pytest.raises(MalformedLog):
        read_row(json.dumps({"kind": "padding", "more": "x" * 4_096, "number": 1}, separators=(",", ":")))


def test_fields_of_later_versions_are_passed_over_and_their_kinds_named() -> None:
    assert read_row('{"kind":"padding","later":1,"number":7}') == PaddingRow(7)
    with pytest.raises(UnknownRequirement, match="cosigned"):
        read_row('{"kind":"cosigned","number":7}')

"""The report as a document: what is written is read, what is odd is refused, and what is much is told in parts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from federation.reports import MAX_REPORT, Report, Statement, fitting, read_statement, sign_report, verify_report
from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, MalformedReport
from hashshare.wire.log.dsse import sign_document
from tests.vectors.cast import key
from tests.vectors.reports import PEER, report

SIGNED = sign_report(report(), key=key(PEER))
PUBLIC = keys.public_bytes(key(PEER))


def test_it_is_read_as_it_was_written() -> None:
    read = verify_report(SIGNED, peer_key=PUBLIC)
    assert read == report()
    assert {read_statement(it, read)[0].organisation for it in read.statements} == {"cobalt", "granite"}
    assert [read.hub_of(it.path) for it in read.hubs] == ["south.example", "east.example"]


def test_it_is_held_to_the_one_key() -> None:
    with pytest.raises(BadSignature):
        verify_report(SIGNED, peer_key=keys.public_bytes(key(PEER + 1)))


def test_a_document_of_another_kind_is_refused() -> None:
    other = sign_document(report().to_bytes(), payload_type="application/vnd.hashshare.other+json", key=key(PEER))
    with pytest.raises(MalformedReport):
        verify_report(other, peer_key=PUBLIC)


def test_unknown_fields_are_passed_over() -> None:
    value = json.loads(report().to_bytes())
    value["later"] = value["hubs"][0]["later"] = value["members"][0]["later"] = 1
    assert Report.parse(json.dumps(value).encode()) == report()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("format",), "hashshare-report/2"),
        (("sequence",), 0),
        (("sequence",), True),
        (("from",), "South Example"),
        (("list",), "aurora"),
        (("mode",), "all"),
        (("at",), "2026-11-22"),
        (("hubs", 0, "mode"), "all"),
        (("hubs", 0, "path"), ["south.example"]),
        (("hubs", 0, "path"), ["east.example"]),
        (("hubs", 1, "path"), ["east.example"] * 2),
        (("hubs", 1, "path"), "east.example"),
        (("hubs", 0, "withdrawals", 0, "applied"), -1),
        (("hubs", 0, "withdrawals", 0, "applied"), 1.5),
        (("hubs", 0, "withdrawals", 1, "version"), 58),
        (("members", 0, "access"), 1),
        (("members", 0, "organisation"), "co balt"),
        (("members", 0, "organisation"), ""),
        (("members", 0, "country"), "de"),
        (("members", 0, "name"), "a\nb"),
        (("members", 0, "name"), "a\u2067b"),
        (("members", 1, "organisation"), "cobalt"),
        (("statements", 0, "key"), "AAAA"),
        (("statements", 0, "document"), 5),
    ],
)
def test_what_is_odd_is_refused(where: tuple[Any, ...], value: object) -> None:
    document = json.loads(report().to_bytes())
    if where == ("members", 1, "organisation"):
        document["members"][1]["path"] = []
    inner = document
    for name in where[:-1]:
        inner = inner[name]
    inner[where[-1]] = value
    with pytest.raises(MalformedReport):
        Report.parse(json.dumps(document).encode())


@pytest.mark.parametrize("name", ["from", "to", "sequence", "hubs", "members", "statements", "mode"])
def test_nothing_may_be_missing(name: str) -> None:
    document = json.loads(report().to_bytes())
    del document[name]
    with pytest.raises(MalformedReport):
        Report.parse(json.dumps(document).encode())


def test_as_much_as_fits_is_taken_in_order_and_still_is_a_report() -> None:
    (first, *_) = report().statements
    long = replace(first, document=first.document + " " * (4096 - len(first.document)))
    items = fitting([*report().hubs, *report().members, *([long] * 400)])
    statements = tuple(it for it in items if isinstance(it, Statement))
    assert 100 < len(statements) < 400
    assert items[: len(items) - len(statements)] == [*report().hubs, *report().members]
    whole = replace(report(), statements=statements)
    signed = sign_report(whole, key=key(PEER))
    assert len(signed) < MAX_REPORT
    assert len(verify_report(signed, peer_key=PUBLIC).statements) == len(statements)

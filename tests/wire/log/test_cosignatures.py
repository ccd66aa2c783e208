"""Cosignatures: made as C2SP says, verified by hand too, passed over from strangers and refused when they are false."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from hashshare.wire.errors import BadSignature, MalformedLog
from hashshare.wire.log import Cosigner, Verifier, cosign, cosignatures, open_checkpoint
from hashshare.wire.log.cosignatures import MAX_TIME
from tests.vectors.cast import key
from tests.vectors.cosignatures import (
    AT,
    COSIGNER,
    READERS,
    WITNESS,
    WITNESS_KEY,
    cosigned,
    grown,
    line,
    slug,
)
from tests.vectors.cosignatures import cosignatures as vector
from tests.vectors.log import ORIGIN, VERIFIER

VECTOR: dict[str, Any] = vector()


def test_it_is_what_the_specification_says() -> None:
    """Key ID, timestamp and signed message of tlog-cosignature v1, put together here without the code under test."""
    raw = base64.b64decode(line().split(" ")[2])
    public = key(WITNESS_KEY).public_key().public_bytes_raw()
    assert raw[:4] == hashlib.sha256(WITNESS.encode() + b"\n\x04" + public).digest()[:4]
    assert raw[4:12] == AT.to_bytes(8, "big")
    text = cosigned().rpartition("\n\n")[0] + "\n"
    key(WITNESS_KEY).public_key().verify(raw[12:], f"cosignature/v1\ntime {AT}\n{text}".encode())
    assert len(raw) == 76
    assert line().startswith(f"\u2014 {WITNESS} ")


def test_it_reads_the_example_of_the_specification() -> None:
    """Its key is not published, but name, key ID and time are in the line."""
    example = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    raw = base64.b64decode(example)
    assert len(raw) == 76
    assert int.from_bytes(raw[4:12], "big") == 1679315147


def test_it_reads_what_it_wrote() -> None:
    (found,) = cosignatures(cosigned(), [COSIGNER])
    assert (found.cosigner, found.at, found.line) == (COSIGNER, AT, line())
    assert Cosigner.parse(COSIGNER.to_text()) == COSIGNER


def test_the_log_is_read_as_before_with_cosignatures_below() -> None:
    assert open_checkpoint(cosigned(), VERIFIER, origin=ORIGIN) == grown().checkpoint


@pytest.mark.parametrize("given", VECTOR["passed_over"], ids=lambda given: given["case"])
def test_it_passes_over_others(given: dict[str, str]) -> None:
    assert cosignatures(given["note"], [COSIGNER]) == []


@pytest.mark.parametrize("given", VECTOR["refused"], ids=lambda given: f"{given['read']}, {given['case']}")
def test_it_refuses(given: dict[str, str]) -> None:
    assert slug(given["read"], given["text"]) == given["problem"]
    assert given["read"] in READERS


def test_it_counts_each_witness_once_and_takes_its_newest() -> None:
    note = grown().note + line(at=AT - 60) + line(at=AT) + line(at=AT - 30)
    assert [found.at for found in cosignatures(note, [COSIGNER])] == [AT]


def test_one_key_under_two_names_is_two_cosigners_that_do_not_mix() -> None:
    east = Cosigner("east.example/witness", COSIGNER.public)
    assert east.key_hash != COSIGNER.key_hash
    assert [found.cosigner for found in cosignatures(cosigned(), [east, COSIGNER])] == [COSIGNER]


def test_a_witness_key_is_no_log_key_and_the_reverse() -> None:
    with pytest.raises(MalformedLog):
        Verifier.parse(COSIGNER.to_text())
    with pytest.raises(MalformedLog):
        Cosigner.parse(Verifier(WITNESS, COSIGNER.public).to_text())


def test_its_time_has_an_end() -> None:
    text = grown().checkpoint.to_text()
    for at in (-1, MAX_TIME + 1):
        with pytest.raises(MalformedLog):
            cosign(text, name=WITNESS, key=key(WITNESS_KEY), at=at)
    last = cosign(text, name=WITNESS, key=key(WITNESS_KEY), at=MAX_TIME)
    assert cosignatures(grown().note + last.line, [COSIGNER])[0].at == MAX_TIME
    beyond = base64.b64decode(last.line.split(" ")[2])
    raised = beyond[:4] + (MAX_TIME + 1).to_bytes(8, "big") + beyond[12:]
    with pytest.raises(MalformedLog):
        cosignatures(f"{grown().note}\u2014 {WITNESS} {base64.b64encode(raised).decode()}\n", [COSIGNER])


def test_a_changed_checkpoint_takes_its_cosignature_with_it() -> None:
    with pytest.raises(BadSignature):
        cosignatures(cosigned().replace("\n5\n", "\n6\n"), [COSIGNER])

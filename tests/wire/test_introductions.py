"""A new key shows that it is held by whoever introduces it."""

from __future__ import annotations

import pytest

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, UsageError
from hashshare.wire.introductions import check_proof, prove_key

HUB = "https://north.example"
OLD, NEW = keys.generate(), keys.generate()
RAW, INTRODUCER = keys.public_bytes(NEW), keys.fingerprint_of(OLD)
PROOF = prove_key(NEW, hub=HUB, introducer=INTRODUCER)


def test_it_accepts_the_key_s_own_proof() -> None:
    check_proof(PROOF, public_key=RAW, hub=HUB, introducer=INTRODUCER)
    check_proof(PROOF, public_key=RAW, hub=f"{HUB}/", introducer=INTRODUCER)


@pytest.mark.parametrize(
    ("proof", "public_key", "hub", "introducer"),
    [
        (prove_key(OLD, hub=HUB, introducer=INTRODUCER), RAW, HUB, INTRODUCER),
        (PROOF, keys.public_bytes(OLD), HUB, INTRODUCER),
        (PROOF, RAW, "https://south.example", INTRODUCER),
        (PROOF, RAW, HUB, keys.fingerprint_of(NEW)),
        (bytes(64), RAW, HUB, INTRODUCER),
        (b"", RAW, HUB, INTRODUCER),
    ],
    ids=["another key's", "for another key", "for another hub", "on another's word", "zeros", "nothing"],
)
def test_it_rejects_any_other(proof: bytes, public_key: bytes, hub: str, introducer: str) -> None:
    with pytest.raises(BadSignature):
        check_proof(proof, public_key=public_key, hub=hub, introducer=introducer)


def test_it_rejects_a_key_under_which_one_signature_fits_many_messages() -> None:
    with pytest.raises(UsageError):
        check_proof(bytes(64), public_key=bytes(32), hub=HUB, introducer=INTRODUCER)

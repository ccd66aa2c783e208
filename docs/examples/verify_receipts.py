"""Verify receipts of a hub's log without hashshare: Python's own library, and `cryptography` for the signature.

    python verify_receipts.py VERIFIER_KEY RECEIPT.tlog-proof...

VERIFIER_KEY is `origin+hash+key` as docs/log.md makes it of the hub's key; take it from the hub, not from whoever shows
the receipts. Beside each receipt stand its row (`.row`) and nonce (`.nonce`, base64), byte for byte as the hub gave
them: `hashshare receipts LIST --export FOLDER` writes the three. It prints where each row stands in the log and the
row, or stops with the reason.
"""

import base64
import hashlib
import hmac
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def verify(vkey: str, row: bytes, nonce: str, receipt: str) -> str:
    """Where the row stands in the log."""
    head, _, note = receipt.partition("\n\n")
    first, *lines = [line for line in head.split("\n") if not line.startswith("extra ")]
    index = int(lines[0].removeprefix("index "))
    size, root = signed_root(note, vkey)
    check(first == "c2sp.org/tlog-proof@v1" and 0 <= index < size, "that is no receipt")

    secret = base64.b64decode(nonce)
    check(len(secret) == 32, "a nonce has 32 bytes")
    entry = b"hashshare-delivery/1\n" + hmac.digest(secret, row, "sha256")
    hashed = hashlib.sha256(b"\0" + entry).digest()
    place, last = index, size - 1
    for line in lines[1:]:  # RFC 9162 section 2.1.3.2
        check(last > 0, "the proof is too long")
        sibling = base64.b64decode(line)
        if place % 2 or place == last:
            hashed = hashlib.sha256(b"\1" + sibling + hashed).digest()
            while place % 2 == 0 and place:
                place, last = place >> 1, last >> 1
        else:
            hashed = hashlib.sha256(b"\1" + hashed + sibling).digest()
        place, last = place >> 1, last >> 1
    check(last == 0 and hashed == root, "the row is not in the log under this checkpoint")
    return f"leaf {index} of {size}"


def signed_root(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint, once its signature by the key was verified."""
    check(vkey.count("+") > 1, "that is no verifier key")
    name, key_hash, key = vkey.split("+", 2)
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = f"{text}\n".split("\n")[:3]
    check(origin == name, f"the checkpoint is one of {origin}")
    for line in signatures.splitlines():
        _, signer, signature = line.split(" ")
        raw = base64.b64decode(signature)
        if signer == name and raw[:4].hex() == key_hash:
            try:
                Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(raw[4:], f"{text}\n".encode())
            except InvalidSignature:
                sys.exit("the checkpoint's signature does not verify")
            return int(size), base64.b64decode(root)
    sys.exit("the checkpoint is not signed by that key")


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(otherwise)


if __name__ == "__main__":
    check(len(sys.argv) > 2, __doc__)
    for file in map(Path, sys.argv[2:]):
        row, nonce = file.with_suffix(".row").read_bytes(), file.with_suffix(".nonce").read_text()
        print(verify(sys.argv[1], row, nonce, file.read_bytes().decode()), row.decode())

"""Verify a receipt of a hub's log without hashshare: Python's own library, and `cryptography` for the signature.

    python verify_receipt.py VERIFIER_KEY RECEIPT ROW NONCE

VERIFIER_KEY is `origin+hash+key` as docs/log.md makes it of the hub's key; RECEIPT and ROW are files, byte for byte as
the hub gave them; NONCE is base64. It prints the row and where it stands in the log, or stops with the reason.
"""

import base64
import hashlib
import hmac
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def main(vkey: str, receipt: str, row: str, nonce: str) -> None:
    head, _, note = Path(receipt).read_bytes().decode().partition("\n\n")
    first, *lines = [line for line in head.split("\n") if not line.startswith("extra ")]
    index = int(lines[0].removeprefix("index "))
    size, root = signed_root(note, vkey)
    check(first == "c2sp.org/tlog-proof@v1" and 0 <= index < size, "that is no receipt")

    said = Path(row).read_bytes()
    entry = b"hashshare-delivery/1\n" + hmac.digest(base64.b64decode(nonce), said, "sha256")
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
    print(f"leaf {index} of {size} in {vkey.split('+')[0]}:\n{said.decode()}")


def signed_root(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint, once its signature by the key was verified."""
    name, key_hash, key = vkey.split("+", 2)
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = f"{text}\n".split("\n")[:3]
    check(origin == name, f"the checkpoint is one of {origin}")
    for line in signatures.splitlines():
        _, signer, signature = line.split(" ")
        raw = base64.b64decode(signature)
        if signer == name and raw[:4].hex() == key_hash:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:]).verify(raw[4:], f"{text}\n".encode())
            return int(size), base64.b64decode(root)
    sys.exit("the checkpoint is not signed by that key")


def check(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(otherwise)


if __name__ == "__main__":
    main(*sys.argv[1:])

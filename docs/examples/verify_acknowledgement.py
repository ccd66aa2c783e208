"""Verify one acknowledgement of a member without hashshare: Python's own library, and `cryptography` for the signature.

    python verify_acknowledgement.py KEY FILE

KEY is the member's raw Ed25519 public key in base64; have it from the member, not from whoever shows the document. FILE
is the DSSE document byte for byte as the member signed it, through however many hubs it came. It prints what the member
stated, or stops with the reason.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TYPE = "application/vnd.hashshare.acknowledgement+json"


def verify(key: str, document: bytes) -> dict[str, object]:
    """What was signed."""
    raw, envelope = base64.b64decode(key), json.loads(document)
    payload = base64.b64decode(envelope["payload"])
    (signature,) = envelope["signatures"]
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
    check(envelope["payloadType"] == TYPE, "that is no acknowledgement")
    check(signature["keyid"] == fingerprint, f"it is signed by {signature['keyid']}, not by {fingerprint}")
    signed = b"DSSEv1 %d %b %d %b" % (len(TYPE), TYPE.encode(), len(payload), payload)
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature["sig"]), signed)
    except InvalidSignature:
        sys.exit("refused: the signature does not fit")
    stated: dict[str, object] = json.loads(payload)
    check(stated["format"] == "hashshare-acknowledgement/1", "it is of a newer format")
    return stated


def check(holds: bool, reason: str) -> None:
    if not holds:
        sys.exit(f"refused: {reason}")


if __name__ == "__main__":
    found = verify(sys.argv[1], Path(sys.argv[2]).read_bytes())
    print("{organisation} at {hub} applied {list} version {version} ({manifest_sha256}) by {at},".format(**found))
    print("and holds nothing that was withdrawn up to version {purged}.".format(**found))

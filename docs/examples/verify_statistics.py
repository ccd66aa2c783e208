"""Check that coalition statistics come from a hub, unchanged: with `securesystemslib` alone (pip install it).

curl -s https://north.example/.well-known/hashshare > hub.json    # once, and keep it
python verify_statistics.py hub.json coalition-statistics-2026-W47-r1.json

It prints whose figures of which period these are, or stops with the reason. `verify` returns all of them.
"""

import json
import sys
from pathlib import Path

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Key

TYPE = "application/vnd.hashshare.statistics+json"


def verify(hub: dict, body: bytes) -> dict:
    """What the document says. `hub` is the hub's descriptor, whose keys were both the hub's when you fetched it."""
    described = [dict(key) for key in hub["keys"]]
    keys = [Key.from_dict(key.pop("keyid"), key) for key in described]
    envelope = Envelope.from_dict(json.loads(body))
    envelope.verify(keys, threshold=1)
    if envelope.payload_type != TYPE:
        sys.exit(f"this is no statistics document but {envelope.payload_type}")
    return json.loads(envelope.payload)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    hub, file = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        said = verify(json.loads(hub.read_bytes()), file.read_bytes())
    except VerificationError:
        sys.exit(f"{file} is not signed by a key of this hub, or was changed since")
    print(f"{said['hub']}, {said['period']}, revision {said['revision']}, as of {said['as_of']}: good")
    print(f"{len(said['figures'])} figures, {len(said['commitments'])} actions of the statement")

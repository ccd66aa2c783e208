"""The coalition's figures as a signed document: JSON in a DSSE envelope under the hub's key in use.

Source: DSSE 1.0.2 (github.com/secure-systems-lab/dsse). Names and numbers of figures are those of docs/statistics.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from securesystemslib.dsse import Envelope
from securesystemslib.signer import Key, Signer

from hashshare.wire.documents import write_object

PAYLOAD_TYPE: Final = "application/vnd.hashshare.statistics+json"
FORMAT: Final = "hashshare-statistics/1"


def sign_statistics(document: Mapping[str, Any], *, signer: Signer) -> bytes:
    """The DSSE document over `document` and its format."""
    envelope = Envelope(write_object({"format": FORMAT, **document}), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), separators=(",", ":")).encode() + b"\n"


def verify_statistics(body: bytes, *, keys: Iterable[Key]) -> dict[str, Any]:
    """What the document says, if one of `keys` signed it. Raises VerificationError, ValueError, KeyError."""
    envelope = Envelope.from_dict(json.loads(body))
    envelope.verify(list(keys), threshold=1)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise ValueError(f"This is no {FORMAT}, but {envelope.payload_type}.")
    found = json.loads(envelope.payload)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"This is no {FORMAT}.")
    return found

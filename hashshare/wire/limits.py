"""Bounds on everything that arrives from somebody else.

A number stands here when both ends of a wire must agree on it; what only a hub's operator chooses is a
setting instead. Sizes are bytes unless the name says otherwise.
"""

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

MAX_JSON_BODY: Final = 1 * MIB
"""Any API request body that is JSON, a commit of signed metadata included."""

MAX_METADATA: Final = 512 * KIB
"""One signed TUF metadata file."""

MAX_MANIFEST: Final = 1 * MIB
MAX_MAJOR: Final = 4 * KIB
MAX_MAJORS: Final = 1_000
"""Major documents that one metadata file of a publisher's major role names; the oldest are left out."""

MAX_BASE_INDEX: Final = 4 * MIB
MAX_OBJECT: Final = 2 * GIB
"""One segment; shards hold about a million entries, some 100 MB with every algorithm."""

MAX_ENTRIES_PER_SEGMENT: Final = 20_000_000
MAX_SHARDS: Final = 4_096
MAX_SEGMENTS_IN_CHAIN: Final = 4_096
MAX_ALGORITHMS: Final = 8
MAX_HASH_WIDTH: Final = 1_024

MAX_LINE: Final = 64 * KIB
"""One line of a CSV or NDJSON file that is being published."""

MAX_PROBLEM_LINES: Final = 100
"""How many malformed lines are reported one by one; the rest are counted."""

SIGNATURE_WINDOW_SECONDS: Final = 300
"""How far apart a signed request's `created` and the verifier's clock may be, either way."""

TOKEN_SECONDS: Final = 600
MAX_NONCE: Final = 64
"""Characters of a request nonce."""

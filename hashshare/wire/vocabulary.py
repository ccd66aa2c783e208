"""The words an entry's metadata may use. Fixed by the format: a new word is a new requirement of the manifest."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

SCHEMES: Final = MappingProxyType(
    {
        "uk-abc": ("A", "B", "C"),
        "interpol-baseline": ("baseline",),
        "ncmec": ("A1", "A2", "B1", "B2"),
        "ucs": (),
    }
)
"""Classification schemes and their categories, gravest first.

INTERPOL's Baseline is one criterion that material meets or not. The Universal Classification Schema is a set of labels,
of which several hold at once, so no single category stands for it: such a list has no `category` column.
"""

AGE_BANDS: Final = ("0-2", "3-6", "7-10", "11-13", "14-15", "16-17")
MEDIA: Final = ("image", "video")
ORIGINS: Final = ("camera", "self-generated", "synthetic", "unknown")
REASONS: Final = ("incorrect", "superseded", "expired", "other")
"""Why an entry was withdrawn: coarse, since every member reads it."""

OPERATIONS: Final = MappingProxyType({"upsert": 1, "withdraw": 2, "reinstate": 3})
"""Operations of a delta by their name in files for people; `reinstate` is the upsert of a withdrawn key."""

UPSERT: Final = 1
WITHDRAW: Final = 2
REINSTATE: Final = 3

METADATA_COLUMNS: Final = MappingProxyType(
    {
        "category": "VARCHAR",
        "age_band": "VARCHAR",
        "media": "VARCHAR",
        "origin": "VARCHAR",
        "first_seen": "DATE",
        "expires": "DATE",
        "pdq_quality": "UTINYINT",
    }
)
"""Metadata columns in the order in which a segment has them, with their DuckDB types."""

MAX_PDQ_QUALITY: Final = 100
FIRST_DAY: Final = "1900-01-01"
LAST_DAY: Final = "9999-12-31"
"""Dates outside these are faults of whoever wrote them, and not every reader can hold them."""


def words(column: str, *, scheme: str) -> tuple[str, ...] | None:
    """The words that `column` may hold under `scheme`, or None for a column that is not a choice of words."""
    if column == "category":
        return SCHEMES[scheme]
    return {"age_band": AGE_BANDS, "media": MEDIA, "origin": ORIGINS}.get(column)

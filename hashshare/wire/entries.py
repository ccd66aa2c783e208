"""What the rows of one list look like: its algorithms, classification scheme and metadata columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from hashshare.wire.algorithms import Algorithm, algorithm
from hashshare.wire.errors import UsageError
from hashshare.wire.limits import MAX_ALGORITHMS
from hashshare.wire.vocabulary import METADATA_COLUMNS, SCHEMES

Kind = Literal["base", "delta"]
"""A base shard holds entries; a delta holds operations on them."""


@dataclass(frozen=True, slots=True)
class ListFormat:
    """A list's declared shape. The first algorithm is the key; `columns` are put in the format's order.

    Raises UsageError (UnknownAlgorithm for an algorithm) when it makes no sense.
    """

    algorithms: tuple[str, ...]
    scheme: str
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.algorithms) <= MAX_ALGORITHMS or len(set(self.algorithms)) < len(self.algorithms):
            raise UsageError(f"A list has 1 to {MAX_ALGORITHMS} different algorithms, the key first.")
        for name in self.algorithms:
            algorithm(name)
        if self.scheme not in SCHEMES:
            raise UsageError(f"{self.scheme!r} is not a scheme; known are {', '.join(SCHEMES)}.")
        unknown = [column for column in self.columns if column not in METADATA_COLUMNS]
        if unknown or len(set(self.columns)) < len(self.columns):
            raise UsageError(f"A list's columns are different ones of {', '.join(METADATA_COLUMNS)}.")
        if "category" in self.columns and not SCHEMES[self.scheme]:
            raise UsageError(f"{self.scheme} has labels, not categories; leave the column category out.")
        ordered = tuple(column for column in METADATA_COLUMNS if column in self.columns)
        object.__setattr__(self, "columns", ordered)

    @property
    def key(self) -> Algorithm:
        """The algorithm that identifies an entry."""
        return algorithm(self.algorithms[0])

    @property
    def further(self) -> tuple[Algorithm, ...]:
        """The other algorithms, each a nullable column."""
        return tuple(algorithm(name) for name in self.algorithms[1:])

    @property
    def header(self) -> tuple[str, ...]:
        """Column names of this list's files for people: every algorithm, then the metadata."""
        return self.algorithms + self.columns


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list as found by a lookup. `hashes` are the known further hashes by algorithm name."""

    key: bytes
    hashes: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, str | int | date] = field(default_factory=dict)


def segment_columns(fmt: ListFormat, kind: Kind) -> dict[str, str]:
    """The columns of a segment in order, with their DuckDB types."""
    operations = {"op": "UTINYINT", "reason": "VARCHAR"} if kind == "delta" else {}
    further = {hashed.name: "BLOB" for hashed in fmt.further}
    metadata = {column: METADATA_COLUMNS[column] for column in fmt.columns}
    return operations | {"p": "UBIGINT", "s": "BLOB"} | further | metadata


def row_columns(fmt: ListFormat) -> tuple[str, ...]:
    """The columns that are an entry's content: all but its key and the operation on it."""
    return tuple(hashed.name for hashed in fmt.further) + fmt.columns


def quoted(name: str) -> str:
    """A column name as an SQL identifier; vendor algorithms have hyphens in theirs."""
    return '"' + name.replace('"', '""') + '"'

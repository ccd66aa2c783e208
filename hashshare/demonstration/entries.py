"""Entries of a demonstration: hashes of counting numbers, so that lists of several hotlines have some in common."""

from __future__ import annotations

from typing import Final

from hashshare.wire.engine import Engine
from hashshare.wire.entries import ListFormat, quoted, segment_columns
from hashshare.wire.vocabulary import words

WEIGHTS: Final = {
    "category": (5, 9, 17, 30),
    "age_band": (2, 6, 19, 24, 14, 5),
    "media": (9, 1),
    "origin": (6, 3, 1, 4),
}
"""How often each word comes, of what a list has of them; one that has more repeats the last."""

WIDTHS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "pdq": 64}
"""Hex digits."""


def fill_table(engine: Engine, fmt: ListFormat, *, first: int, count: int) -> None:
    """A table `rows` with the base columns of so many entries, those of the numbers from `first` on."""
    kinds = segment_columns(fmt, "base")
    columns = ", ".join(f"CAST({_value(fmt, name)} AS {kind}) AS {quoted(name)}" for name, kind in kinds.items())
    numbers = f"SELECT range AS n, {_digest(fmt.key.name, 'range')} AS key FROM range({first}, {first + count})"
    engine.execute(f"CREATE TABLE rows AS SELECT {columns} FROM ({numbers})")


def _digest(algorithm: str, number: str) -> str:
    """Hex text of the algorithm's width."""
    return f"left(sha256('made up {algorithm} ' || {number}), {WIDTHS[algorithm]})"


def _value(fmt: ListFormat, name: str) -> str:
    if name == "p":
        return "('0x' || left(key, 16))"
    if name == "s":
        return "unhex(substr(key, 17))"
    if name in fmt.algorithms:
        return f"CASE WHEN n % 7 < 6 THEN unhex({_digest(name, 'n')}) END"
    if name == "first_seen":
        return "DATE '2014-12-11' + (n % 4300)::INTEGER"
    if name == "expires":
        return "NULL"
    if name == "pdq_quality":
        return "50 + n % 51"
    return _word(name, fmt.scheme)


def _word(column: str, scheme: str) -> str:
    """A CASE that gives each word its share."""
    choices = words(column, scheme=scheme) or ()
    weights = [WEIGHTS[column][min(i, len(WEIGHTS[column]) - 1)] for i in range(len(choices))]
    place, whens = 0, []
    for word, weight in zip(choices, weights, strict=True):
        place += weight
        whens.append(f"WHEN hash(n, '{column}') % {sum(weights)} < {place} THEN '{word}'")
    return f"CASE {' '.join(whens)} END"

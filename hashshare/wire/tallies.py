"""Counting a list's entries by what they say of themselves: numbers out, never a key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from hashshare.wire.engine import Engine
from hashshare.wire.entries import ListFormat, quoted
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.state import HeldState, fold_later, held_rows

DIVISIONS: Final = ("category", "age_band", "media", "origin")
"""Columns whose words divide entries up."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of the entries that have not lapsed by the day of counting.

    `hashes`: by algorithm. `divided`: column -> word -> entries; a category with its scheme before it (`uk-abc A`), ""
    where nothing is said. `lapsed`: how many lapsed on which day. `next_lapse`: the day when the next will.
    """

    entries: int
    hashes: Mapping[str, int]
    divided: Mapping[str, Mapping[str, int]]
    lapsed: Mapping[date, int]
    next_lapse: date | None


def tally_entries(engine: Engine, state: HeldState, *, today: date, lapsed_since: date) -> Tally:
    """Counts by query, in the memory of the engine; `lapsed` has the days after `lapsed_since` up to `today`."""
    fmt = state.fmt
    divisions = [name for name in DIVISIONS if name in fmt.columns]
    further = [it.name for it in fmt.further]
    dated = ["expires"] if "expires" in fmt.columns else []
    fold_later(engine, state, columns=["op", *further, *divisions, *dated])
    held = held_rows(state, ["p", *further, *divisions, *dated], condition=not_lapsed(fmt, today))
    chosen = ", ".join(["count(*)", *(f"count({quoted(it)})" for it in further), *map(quoted, divisions)])
    rows = engine.execute(f"SELECT {chosen} FROM ({held}) GROUP BY ALL").fetchall()
    counts = [sum(row[n] for row in rows) for n in range(1 + len(further))]
    divided = {
        name: _by_word(fmt, name, {}, counts[0])
        if name not in divisions
        else _by_word(fmt, name, _margin(rows, 1 + len(further) + divisions.index(name)), 0)
        for name in DIVISIONS
    }
    hashes = {fmt.key.name: counts[0], **dict(zip(further, counts[1:], strict=True))}
    lapsed, next_lapse = _lapses(engine, state, today, lapsed_since) if dated else ({}, None)
    return Tally(counts[0], hashes, divided, lapsed, next_lapse)


def _margin(rows: list[tuple[object, ...]], place: int) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[str(row[place] or "")] += int(str(row[0]))
    return found


def _by_word(fmt: ListFormat, column: str, found: Mapping[str, int], unsaid: int) -> dict[str, int]:
    named = {f"{fmt.scheme} {word}" if column == "category" and word else word: n for word, n in found.items()}
    return {word: n for word, n in ({**named, "": unsaid} if unsaid else named).items() if n}


def _lapses(engine: Engine, state: HeldState, today: date, since: date) -> tuple[dict[date, int], date | None]:
    """Over entries that are held still; `fold_later` was done."""
    held = held_rows(state, ["expires"], condition="expires IS NOT NULL")
    past = f"expires > DATE '{since.isoformat()}' AND expires <= DATE '{today.isoformat()}'"
    days = engine.execute(f"SELECT expires, count(*) FROM ({held}) WHERE {past} GROUP BY expires").fetchall()
    row = engine.execute(f"SELECT min(expires) FROM ({held}) WHERE expires > DATE '{today.isoformat()}'").fetchone()
    return dict(days), row[0] if row else None

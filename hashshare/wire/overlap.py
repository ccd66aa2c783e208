"""How many keys several publishers have in common: an exact join over the sorted segments, key range by key range.

Memory is that of one range, whatever the lists' size. Numbers out, never a key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Final

from hashshare.wire.engine import Engine
from hashshare.wire.lapsing import not_lapsed
from hashshare.wire.state import HeldState, fold_later, held_rows

AT_ONCE: Final = 1_000_000
"""Keys that are joined at one time, if they are spread evenly; more of them spill to disk."""
TOP: Final = 2**64


def count_shared(
    engine: Engine, states: Mapping[str, Sequence[HeldState]], *, entries: int, today: date, at_once: int = AT_ONCE
) -> dict[tuple[str, str], int]:
    """By pair of owners, in alphabetical order, how many keys both have; pairs without any are left out.

    `states`: each owner's lists, all with the same key algorithm; `entries`: about how many keys they have in all.
    Entries that lapsed by `today` (UTC) do not count.
    """
    owners, found = sorted(states), Counter[tuple[str, str]]()
    for within in _ranges(max(-(-entries // at_once), 1)):
        engine.execute("CREATE OR REPLACE TEMP TABLE keys (owner USMALLINT, p UBIGINT, s BLOB)")
        for number, owner in enumerate(owners):
            for state in states[owner]:
                _add_keys(engine, state, number, within, today)
        for numbers, keys in _shared(engine):
            for one, other in combinations(numbers, 2):
                found[owners[one], owners[other]] += keys
    return dict(found)


def _ranges(parts: int) -> Iterator[str]:
    """The whole range of `p` in so many parts, each a condition in SQL."""
    for n in range(parts):
        yield f"p BETWEEN {TOP * n // parts} AND {TOP * (n + 1) // parts - 1}"


def _add_keys(engine: Engine, state: HeldState, owner: int, within: str, today: date) -> None:
    fold_later(
        engine, state, columns=["op", *(["expires"] if "expires" in state.fmt.columns else [])], condition=within
    )
    held = held_rows(state, ["p", "s"], condition=f"{within} AND ({not_lapsed(state.fmt, today)})")
    engine.execute(f"INSERT INTO keys SELECT {owner}, p, s FROM ({held})")


def _shared(engine: Engine) -> list[tuple[list[int], int]]:
    """Sets of owners by number, ascending, and how many keys exactly these have in common."""
    return engine.execute("""
        WITH shared AS (SELECT p, s FROM keys GROUP BY p, s HAVING min(owner) < max(owner)),
        held_by AS (SELECT list_sort(list(DISTINCT owner)) AS owners FROM keys SEMI JOIN shared USING (p, s)
                    GROUP BY p, s)
        SELECT owners, count(*) FROM held_by GROUP BY owners""").fetchall()

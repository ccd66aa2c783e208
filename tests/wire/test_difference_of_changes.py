"""A list of changes against a long history: what it finds equals what a plain dictionary says, read either way."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from hashshare.wire import touched
from hashshare.wire.compaction import renew_base
from hashshare.wire.difference import difference
from hashshare.wire.engine import open_engine
from hashshare.wire.intake import read_entries
from hashshare.wire.state import HeldState

from .lists import IMAGES, TODAY, Row, delta, digest, reinstate, upsert, withdraw

HEADER = "op,reason,sha256,md5,category,first_seen,expires\n"


class Plain:
    """The naive list: every key's last row, and the keys taken back."""

    def __init__(self) -> None:
        self.live: dict[int, tuple[str | None, bytes | None]] = {}
        self.gone: set[int] = set()

    def apply(self, operations: list[tuple[int, Row]]) -> None:
        for key, row in operations:
            if row.op == 2:
                del self.live[key]
                self.gone.add(key)
            else:
                self.live[key] = (row.category, row.md5)
                self.gone.discard(key)

    def release(self, choose: random.Random) -> list[tuple[int, Row]]:
        """Some valid operations."""
        made: dict[int, Row] = {}
        for key in choose.sample(range(60), 12):
            if key in self.gone:
                if choose.random() < 0.3:
                    made[key] = reinstate(key)
            elif key in self.live and choose.random() < 0.4:
                made[key] = withdraw(key)
            else:
                made[key] = some(key, choose)
        return list(made.items())


def some(key: int, choose: random.Random) -> Row:
    """An upsert that may differ from another one of the key in its metadata, in its further hash, or not at all."""
    md5 = choose.choice((None, digest(("md5", key), 16)))
    return replace(upsert(key, category=choose.choice("AB")), md5=md5)


def history(folder: Path, choose: random.Random) -> tuple[HeldState, Plain]:
    """A base in the middle of some releases, so that there are segments before it and after it."""
    plain, files = Plain(), list[Path]()
    for number in range(choose.randrange(1, 7)):
        operations = plain.release(choose)
        plain.apply(operations)
        files.append(delta(folder, f"delta-{number}", [row for _, row in operations])[0])
    middle = choose.randrange(len(files) + 1)
    if not middle:
        return HeldState(IMAGES, deltas=tuple(files)), plain
    before = HeldState(IMAGES, deltas=tuple(files[:middle]))
    with open_engine(read=files, write=folder) as engine:
        shards = renew_base(engine, before, folder, version=9, today=TODAY, shard_entries=5)
    base = tuple(shard.path for shard in shards)
    return HeldState(IMAGES, base, tuple(files[middle:]), tuple(files[:middle])), plain


def line(op: str, row: Row) -> str:
    return f"{op},{row.reason or ''},{row.key.hex()},{row.md5.hex() if row.md5 else ''},{row.category or ''},,\n"


@pytest.mark.parametrize("few", [20_000, 0], ids=["by-number", "by-prefix"])
@pytest.mark.parametrize("seed", range(12))
def test_it_equals_a_plain_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, few: int) -> None:
    monkeypatch.setattr(touched, "FEW_HITS", few)
    choose = random.Random(seed)
    state, plain = history(tmp_path, choose)
    keys = choose.sample(range(80), 40)
    asked = {key: choose.choice(("upsert", "upsert", "withdraw", "reinstate")) for key in keys}
    rows = {key: withdraw(key) if op == "withdraw" else some(key, choose) for key, op in asked.items()}
    path = tmp_path / "changes.csv"
    path.write_text(HEADER + "".join(line(op, rows[key]) for key, op in asked.items()))
    with open_engine(read=[*state.paths, path], write=tmp_path) as engine:
        found = difference(engine, state, read_entries(engine, path, fmt=IMAGES, changes=True), today=TODAY)
        written = engine.execute(f"SELECT p, op FROM {found.table}").fetchall()
    fates = {key: fate(plain, key, op, rows[key]) for key, op in asked.items()}
    tally = [sum(it == name for it in fates.values()) for name in ("added", "updated", "reinstated", "withdrawn")]
    assert [found.added, found.updated, found.reinstated, found.withdrawn] == tally
    assert set(found.blocked_examples) == {digest(key).hex() for key, it in fates.items() if it == "blocked"}
    assert set(found.unheld_examples) == {digest(key).hex() for key, it in fates.items() if it == "unheld"}
    ops = {"added": 1, "updated": 1, "reinstated": 3, "withdrawn": 2}
    assert set(written) == {(int.from_bytes(digest(key)[:8], "big"), ops[it]) for key, it in fates.items() if it in ops}


def fate(plain: Plain, key: int, op: str, row: Row) -> str:
    if op == "withdraw":
        return "withdrawn" if key in plain.live else "nothing" if key in plain.gone else "unheld"
    if key in plain.gone:
        return "reinstated" if op == "reinstate" else "blocked"
    if key not in plain.live:
        return "added"
    return "nothing" if plain.live[key] == (row.category, row.md5) else "updated"

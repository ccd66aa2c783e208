"""Is this hash on a list that is held here? Exact matches only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from hashshare.client.home import Home
from hashshare.client.store import Held, ListStore, stores
from hashshare.wire.algorithms import algorithm, parse, render
from hashshare.wire.engine import Engine
from hashshare.wire.entries import Entry
from hashshare.wire.errors import BadHash, HashshareError, NotSynced
from hashshare.wire.lapsing import day_of
from hashshare.wire.seeking import lookup
from hashshare.wire.state import HeldState

FAULTS: Final = (HashshareError, OSError, duckdb.Error)
"""What reading a list that is damaged, or whose disk is, comes to."""


@dataclass(frozen=True, slots=True)
class Match:
    """`digest` is under `algorithm` on `list_name`, there under the key `entry.key` of `key_algorithm`."""

    list_name: str
    version: int
    algorithm: str
    digest: bytes
    key_algorithm: str
    entry: Entry

    def to_json(self) -> dict[str, Any]:
        hashes = {self.key_algorithm: render(self.entry.key, algorithm(self.key_algorithm))}
        hashes |= {name: render(value, algorithm(name)) for name, value in self.entry.hashes.items()}
        return {
            "list": self.list_name,
            "version": self.version,
            "algorithm": self.algorithm,
            "hash": render(self.digest, algorithm(self.algorithm)),
            "hashes": hashes,
            "metadata": {name: _plain(value) for name, value in self.entry.metadata.items()},
        }


def _plain(value: object) -> object:
    return value if isinstance(value, str | int) else str(value)


Opened = tuple[Engine, Held, HeldState]
Failed = Callable[[ListStore, Exception], None]


@dataclass(slots=True)
class Index:
    """Held lists opened for matching; the objects stay in place while it is open, whatever a sync does.

    A list that fails is left, and told to `failed`; matching goes on with the others.
    """

    failed: Failed
    _open: dict[ListStore, tuple[Opened, contextlib.ExitStack]] = field(default_factory=dict)

    @property
    def opened(self) -> tuple[Opened, ...]:
        return tuple(opened for opened, _ in self._open.values())

    def add(self, store: ListStore) -> None:
        """Open a list. Raises NotSynced, VerificationFailed, MissingObject, OSError, duckdb.Error."""
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(store.reading())
            self._open[store] = opened, stack.pop_all()

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1][1].close()

    @property
    def algorithms(self) -> frozenset[str]:
        """Every algorithm that an open list has."""
        return frozenset(name for _, held, _ in self.opened for name in held.algorithms)

    def matches(self, digests: Sequence[bytes], *, algorithm: str) -> Iterator[Match]:
        """One query per list that has the algorithm, however many digests."""
        today = day_of(datetime.now(UTC))
        for store, ((engine, held, state), _) in list(self._open.items()):
            if algorithm not in held.algorithms or not digests:
                continue
            try:
                found = lookup(engine, state, digests, algorithm=algorithm, today=today)
            except FAULTS as error:
                self._leave(store, error)
                continue
            for digest, entries in found.items():
                for entry in entries:
                    yield Match(held.name, held.version, algorithm, digest, held.algorithms[0], entry)

    def _leave(self, store: ListStore, error: Exception) -> None:
        _, stack = self._open.pop(store)
        told = error
        try:
            # The store may know better what a fault while reading it means.
            stack.__exit__(type(error), error, error.__traceback__)
        except FAULTS as known:
            told = known
        self.failed(store, told)


def _raise(_: ListStore, error: Exception) -> None:
    raise error


@contextlib.contextmanager
def open_index(home: Home, chosen: Iterable[ListStore] | None = None, *, failed: Failed = _raise) -> Iterator[Index]:
    """All held lists, or those chosen. `failed` is told of each that cannot be read; without it that is raised.

    Raises NotSynced when there are none, and the first failure when none can be opened.
    """
    picked = list(stores(home) if chosen is None else chosen)
    if not picked:
        raise NotSynced("No list is held here yet.", next_step="hashshare sync")
    index, faults = Index(failed), dict[ListStore, Exception]()
    with contextlib.closing(index):
        for store in picked:
            try:
                index.add(store)
            except FAULTS as error:
                faults[store] = error
        if len(faults) == len(picked):
            _raise(*faults.popitem())
        for store, fault in faults.items():
            failed(store, fault)
        yield index


def readings(text: str, algorithms: Iterable[str]) -> list[tuple[str, bytes]]:
    """What `text` (`<hash>` or `<algorithm>:<hash>`) can mean among `algorithms`. Raises BadHash when nothing."""
    named, colon, rest = text.strip().partition(":")
    candidates = [named] if colon else sorted(algorithms)
    found: list[tuple[str, bytes]] = []
    for name in candidates:
        try:
            found.append((name, parse(rest if colon else text, algorithm(name))))
        except BadHash:
            if colon:
                raise
    if not found:
        raise BadHash(f"{text[:80]!r} is not a hash of {', '.join(candidates)}, the algorithms of the held lists.")
    return found


def look_up(index: Index, texts: Sequence[str]) -> dict[str, list[Match]]:
    """Each text's matches, in the order given. Raises BadHash before anything is looked up."""
    meanings = {text: readings(text, index.algorithms) for text in texts}
    wanted: dict[str, set[bytes]] = {}
    for pairs in meanings.values():
        for name, digest in pairs:
            wanted.setdefault(name, set()).add(digest)
    found: dict[tuple[str, bytes], list[Match]] = {}
    for name, digests in wanted.items():
        for match in index.matches(sorted(digests), algorithm=name):
            found.setdefault((name, match.digest), []).append(match)
    return {text: [match for pair in pairs for match in found.get(pair, [])] for text, pairs in meanings.items()}

"""Going over from a log that ended to the one that openly supersedes it, as after the hub was restored from a backup.

It is not taken on trust that nothing is lost, nor hidden that something is: what was remembered of the old log is kept
with the hub's signed statement, for good. If the new log holds all of it, that is proved like any growth; if not, the
hub has signed how much of what it once confirmed it no longer holds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hashshare.client.acknowledged import Told, save_told, told
from hashshare.client.home import Home, checked_domain, read_json, write_json
from hashshare.client.store import stores
from hashshare.wire.errors import LogForked, MalformedLog, WrongProof
from hashshare.wire.log import Checkpoint, Verifier, verify_consistency
from hashshare.wire.log.successions import Succession, first_origin, number_of, open_succession

MOST: Final = 100
"""Statements that are read of one log: it is restored rarely."""

Prove = Callable[[int, int], Sequence[bytes]]
"""(old size, new size) -> the hub's proof over the new log."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """From the log that was remembered at `size` to its successor. `kept`: how many leaves of it the successor begins
    with at least; `lost` of those that were remembered are not among them.
    """

    origin: str
    successor: str
    size: int
    kept: int

    @property
    def lost(self) -> int:
        return max(self.size - self.kept, 0)


def is_successor(origin: str, known: str) -> bool:
    """Whether `origin` names a later log in the place of the one `known`."""
    try:
        return first_origin(origin) == first_origin(known) and number_of(origin) > number_of(known)
    except MalformedLog:
        return False


def read_statements(answer: object) -> list[str]:
    """Raises MalformedLog for anything but the hub's list of notes."""
    found = answer.get("successions") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) > MOST or not all(isinstance(note, str) for note in found):
        raise MalformedLog("The hub's answer does not hold the successions of its log.")
    return found


def follow(known: Checkpoint, key: bytes, successor: str, statements: Sequence[str]) -> tuple[Crossing, Checkpoint]:
    """The way from `known` to the log `successor` by the hub's signed statements; and what the successor must extend:
    `known` itself if that is in it, else the last of the statements.

    Raises WrongProof when a statement is missing, BadSignature, MalformedLog; LogForked when one contradicts `known`.
    """
    kept, seen, origin = known.size, known, known.origin
    while origin != successor:
        said = _statement(origin, key, statements)
        if said.size == known.size and said.root != known.root and origin == known.origin:
            raise LogForked(f"The hub says that {origin} had another root at {said.size} leaves than it had signed.")
        if said.size < kept:
            kept, seen = said.size, Checkpoint(said.successor, said.size, said.root)
        origin = said.successor
    return Crossing(known.origin, successor, known.size, kept), seen


def _statement(origin: str, key: bytes, statements: Sequence[str]) -> Succession:
    """The one about this log. Raises WrongProof when there is none."""
    note = next((note for note in statements if note.split("\n", 2)[1:2] == [origin]), None)
    if note is None:
        raise WrongProof(f"The hub goes on under another name and does not say what became of {origin}.")
    return open_succession(note, Verifier(origin, key))


def check_crossing(seen: Checkpoint, found: Checkpoint, prove: Prove) -> None:
    """That the successor, now at `found`, begins as it must. Raises LogForked, WrongProof."""
    proof = prove(seen.size, found.size) if 0 < seen.size < found.size else ()
    verify_consistency(seen.size, old_root=seen.root, new_size=found.size, new_root=found.root, proof=tuple(proof))


# --- what is remembered ------------------------------------------------------------------------------------------


def evidence_path(home: Home, domain: str) -> Any:
    return home.account / "logs" / "superseded" / f"{checked_domain(domain)}.json"


def crossings(home: Home, domain: str) -> list[dict[str, Any]]:
    """What was kept of each log that ended, oldest first: `origin`, `successor`, `size`, `kept`, `lost`, `checkpoint`,
    `statements`, `at`, `told`, and the statements of ours that are not in the successor.
    """
    document = read_json(evidence_path(home, domain)) or {}
    found = document.get("logs")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def keep_crossing(
    home: Home, domain: str, crossing: Crossing, *, checkpoint: str, statements: Sequence[str], at: str
) -> None:
    """Keep the evidence before the new log is taken over; and, if leaves are lost, tell the hub again what is held."""
    kept = [row for row in crossings(home, domain) if row.get("origin") != crossing.origin]
    facts = {**dataclasses.asdict(crossing), "lost": crossing.lost, "checkpoint": checkpoint}
    unlogged = _tell_again(home, domain) if crossing.lost else {}
    row = {**facts, "statements": list(statements), "at": at, "told": False, "unlogged": unlogged}
    write_json(evidence_path(home, domain), {"format": "hashshare-superseded/1", "logs": [*kept, row]})


def _tell_again(home: Home, domain: str) -> dict[str, dict[str, str]]:
    """Every list's acknowledgement is to be sent anew; by list, the statements that were taken and not seen logged."""
    unlogged = {}
    for store in stores(home):
        held = store.held()
        if held is None or held.publisher != domain:
            continue
        state = told(store)
        if state.unseen:
            unlogged[store.list_id] = dict(state.unseen)
        save_told(store, Told())
    return unlogged


def untold(home: Home) -> list[tuple[str, dict[str, Any]]]:
    """(publisher, crossing) of each that nobody was told of yet."""
    folder = home.account / "logs" / "superseded"
    domains = sorted(path.stem for path in folder.glob("*.json"))
    return [(domain, row) for domain in domains for row in crossings(home, domain) if not row.get("told")]


def mark_told(home: Home) -> None:
    for domain in {domain for domain, _ in untold(home)}:
        rows = [{**row, "told": True} for row in crossings(home, domain)]
        write_json(evidence_path(home, domain), {"format": "hashshare-superseded/1", "logs": rows})


def known_origins(home: Home, domain: str) -> dict[str, int | None]:
    """The names under which this log was followed before -> how many leaves of it its successors have."""
    found: dict[str, int | None] = {}
    bound: int | None = None
    for row in reversed(crossings(home, domain)):
        kept = int(row.get("kept", 0))
        bound = kept if bound is None else min(bound, kept)
        found[str(row.get("origin"))] = bound
    return found

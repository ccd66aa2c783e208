"""A publisher's audit of its own delivery log: every leaf, every opening, every statement, against the signed root.

The hub hands out leaves in pages; nothing of it is believed. What is wrong with one leaf is noted and the audit goes
on; leaves that do not make up the tree end it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hashshare.client.leaves import AuditedLeaf, Known, check_leaf, signer
from hashshare.client.published import published
from hashshare.client.publisher import OwnPublisher, find_list
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date
from hashshare.wire.errors import MalformedLog, MissingOpening, VerificationFailed, WrongProof
from hashshare.wire.log import (
    AcknowledgementRow,
    Checkpoint,
    DeliveryRow,
    ErasureRow,
    RelayedRow,
    Row,
    leaf_hash,
    root_of,
)

PAGE: Final = 1_000
SHOWN_PROBLEMS: Final = 1_000
"""Kept of all that are found; the rest is counted."""
DISORDER: Final = timedelta(hours=1)
"""How far the leaves' order may differ from that of their times."""


@dataclass(frozen=True, slots=True)
class Line:
    """A leaf as it is reported. `row` is None where the opening is erased, missing or wrong; `index` is -1 of a problem
    that is not one leaf's.
    """

    index: int
    kind: str
    row: Row | None
    problem: VerificationFailed | None


@dataclass(slots=True)
class Member:
    """What the log has of one organisation. `keys`: fingerprints of those that signed its statements."""

    deliveries: int = 0
    acknowledgements: int = 0
    version: int = 0
    purged: int = 0
    keys: set[str] = field(default_factory=set)

    def add(self, row: DeliveryRow | AcknowledgementRow | RelayedRow) -> None:
        if isinstance(row, DeliveryRow):
            self.deliveries += 1
            return
        self.acknowledgements += 1
        self.version, self.purged = max(self.version, row.version), row.purged
        self.keys.add(row.key)


@dataclass(slots=True)
class Report:
    """What an audit found. `kinds`: leaves by kind, "erased" and "missing" among them. `problem_count` are all,
    `problems` the first of them. `members`: (organisation, list) -> what the log has; those of other hubs, whose
    statements were relayed, as `cobalt@south.example`. `erased_count`: openings that the
    log says were erased, `unexplained` whether more are gone, or younger ones.
    """

    checkpoint: Checkpoint
    kinds: Counter[str] = field(default_factory=Counter)
    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    problems: list[Line] = field(default_factory=list)
    problem_count: int = 0
    erased_until: datetime | None = None
    erased_count: int = 0
    unexplained: bool = False


Listener = Callable[[Line], None]


def audit(
    session: Session,
    checkpoint: Checkpoint,
    *,
    known: Known,
    listener: Listener = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Check every leaf of the publisher's log up to `checkpoint`; `listener` sees each, in order.

    Raises WrongProof when the leaves do not make up the tree that the hub signed, MalformedLog when some are not handed
    out, NotEntitled, NetworkError. Problems of single leaves are in the report.
    """
    auditor = _Auditor(Report(checkpoint), known, listener)
    root = root_of(auditor.entries(_leaves(session, known.domain, checkpoint.size, progress)))
    if root != checkpoint.root:
        raise WrongProof(f"Log of {known.domain}: the leaves that the hub hands out are not those that it signed.")
    auditor.check_erasures()
    return auditor.report


class _Auditor:
    """One pass over the leaves."""

    def __init__(self, report: Report, known: Known, listener: Listener) -> None:
        self.report, self._known, self._listener = report, known, listener
        self._latest: datetime | None = None
        self._youngest_erased: tuple[int, datetime] | None = None

    def entries(self, leaves: Iterator[AuditedLeaf]) -> Iterator[bytes]:
        """The leaves' hashes, each leaf examined on the way."""
        for leaf in leaves:
            self._examine(leaf)
            yield leaf_hash(leaf.entry)

    def _examine(self, leaf: AuditedLeaf) -> None:
        if leaf.erased:
            self._note(Line(leaf.index, "erased", None, None))
            if self._latest is not None:
                self._youngest_erased = (leaf.index, self._latest)
            return
        try:
            row = check_leaf(leaf, self._known)
        except VerificationFailed as error:
            kind = "missing" if isinstance(error, MissingOpening) else "wrong"
            self._note(Line(leaf.index, kind, None, error))
            return
        self._count(row)
        self._note(Line(leaf.index, row.kind, row, None))

    def _count(self, row: Row) -> None:
        if isinstance(row, ErasureRow):
            self.report.erased_until = max(row.until, self.report.erased_until or row.until)
            self.report.erased_count += row.count
        if isinstance(row, DeliveryRow | AcknowledgementRow | RelayedRow):
            who = row.organisation if isinstance(row, DeliveryRow) else signer(row)
            self.report.members.setdefault((who, row.list_name), Member()).add(row)
        if isinstance(row, DeliveryRow):
            # Statements bear their member's time, which may be wrong or long ago.
            self._latest = max(row.at, self._latest or row.at)

    def _note(self, line: Line) -> None:
        self.report.kinds[line.kind] += 1
        if line.problem is not None:
            self._complain(line)
        self._listener(line)

    def _complain(self, line: Line) -> None:
        self.report.problem_count += 1
        if len(self.report.problems) < SHOWN_PROBLEMS:
            self.report.problems.append(line)

    def check_erasures(self) -> None:
        """Openings may be gone only if the log says so, no more than it says, and only from before the time it says."""
        gone, told, until = self.report.kinds["erased"], self.report.erased_count, self.report.erased_until
        if gone and until is None:
            self._unexplained(-1, "Openings were erased, and no leaf says so.")
        elif gone > told:
            self._unexplained(-1, f"{gone:,} openings are erased; the log says so of {told:,}.")
        if until and self._youngest_erased is not None and self._youngest_erased[1] > until + DISORDER:
            index = self._youngest_erased[0]
            words = f"The opening of leaf {index} was erased, though it is younger than what the log says was erased."
            self._unexplained(index, words)

    def _unexplained(self, index: int, words: str) -> None:
        self.report.unexplained = True
        self._complain(Line(index, "erased", None, MissingOpening(words)))


def _leaves(session: Session, domain: str, size: int, progress: Callable[[int], None]) -> Iterator[AuditedLeaf]:
    """Every leaf from the first to the last. Raises MalformedLog when one is left out."""
    index = 0
    while index < size:
        params = {"start": str(index), "limit": str(min(PAGE, size - index))}
        answer = session.get_json(f"log/{domain}/audit", params=params)
        documents: Any = answer.get("leaves") if isinstance(answer, dict) else None
        if not isinstance(documents, list) or not documents or len(documents) > PAGE:
            raise MalformedLog(f"Log of {domain}: the hub hands out {index:,} of {size:,} leaves.")
        for document in documents[: size - index]:
            leaf = AuditedLeaf.read(document)
            if leaf.index != index:
                raise MalformedLog(f"Log of {domain}: where leaf {index} is due, the hub hands out leaf {leaf.index}.")
            yield leaf
            index += 1
        progress(index)


def known_releases(session: Session, mine: OwnPublisher) -> Known:
    """What was published of every list that is published from here, each brought up to date first, so that nothing in a
    checkpoint fetched before can be newer. Raises like `bring_up_to_date`.
    """
    known = Known(mine.domain)
    for slug in mine.slugs:
        own = find_list(mine.home, f"{mine.domain}/{slug}")
        held = bring_up_to_date(session, own)
        known.newest[own.list_id] = held.version if held else 0
        known.digests.update({(own.list_id, version): digest for version, digest in published(own).items()})
    return known

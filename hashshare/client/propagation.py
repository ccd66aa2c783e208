"""How far a list's withdrawals have got: which entitled members have applied each, who is overdue, how fast it went.

The hub counts; whether it counts right is for `audit`, which reads what members signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hashshare.client.home import split_list_name
from hashshare.client.session import Session
from hashshare.wire.documents import write_time
from hashshare.wire.errors import NetworkError

SHORTEST_LOOK: Final = 1.0
LONGEST_LOOK: Final = 30.0
LOOK_SHARE: Final = 0.05
"""Seconds between two looks while waiting: a twentieth of the time waited so far, within these bounds."""
MISSED_LOOKS: Final = 20
"""In a row, after which waiting for a hub that is out of reach is given up: some minutes."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member that was entitled when the withdrawal was published; times are ISO 8601, "" for not yet.

    `state`: waiting | applied | purged | overdue | left (its access ended before it had applied it).
    """

    slug: str
    name: str
    country: str
    state: str
    applied_at: str
    purged_at: str

    @property
    def awaited(self) -> bool:
        """Whether it still has to apply the withdrawal."""
        return self.state in ("waiting", "overdue")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another hub's members, as that hub reports. `path`: the hubs from the home hub to it, itself the last.

    `evidence`: documents (its members' signed statements are at the home hub), counts, or "" while it told nothing;
    `told_at` when it last did. `mirrored_at`: when its own copy had the release, "" for not yet or not known. `stated`:
    of how many members a statement that covers it is there, some of them one by one in `members`.
    """

    path: tuple[str, ...]
    evidence: str
    told_at: str
    mirrored_at: str
    entitled: int
    applied: int
    purged: int
    overdue: int
    stated: int
    median: float | None
    p95: float | None
    members: tuple[Recipient, ...]

    @property
    def name(self) -> str:
        """`east.example via south.example`"""
        *via, hub = self.path
        return f"{hub} via {', '.join(reversed(via))}" if via else hub


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A release with withdrawals. `seconds`: median and 95th percentile until applied, None while nobody has."""

    version: int
    published_at: str
    entries: int
    deadline: str
    median: float | None
    p95: float | None
    members: tuple[Recipient, ...]
    hubs: tuple[Elsewhere, ...] = ()

    @property
    def applied(self) -> int:
        return sum(bool(member.applied_at) for member in self.members)

    @property
    def purged(self) -> int:
        return sum(bool(member.purged_at) for member in self.members)

    @property
    def overdue(self) -> tuple[Recipient, ...]:
        return tuple(member for member in self.members if member.state == "overdue")

    @property
    def awaited(self) -> int:
        """How many have yet to apply it."""
        return sum(member.awaited for member in self.members)


@dataclass(frozen=True, slots=True)
class Propagation:
    """A list's withdrawals, the newest first, and the hub's document whole."""

    name: str
    as_of: str
    deadline_hours: int
    withdrawals: tuple[Withdrawal, ...]
    document: Mapping[str, Any]


def propagation(session: Session, name: str, *, version: int | None = None) -> Propagation:
    """All recent withdrawals of a list, or that of one version. Raises NotEntitled, NetworkError."""
    domain, slug = split_list_name(name)
    params = {} if version is None else {"version": str(version)}
    return _read(session.get_json(f"lists/{domain}/{slug}/propagation", params=params), name)


def await_propagation(
    session: Session,
    name: str,
    *,
    version: int,
    patience: float | None,
    watch: Callable[[Withdrawal], None],
    clock: Callable[[], float] = time.monotonic,
) -> Propagation:
    """Look until every entitled member has applied the withdrawal, or one is overdue, or `patience` seconds are over.

    `watch` sees every look. A hub out of reach for a while is waited for. Raises NetworkError when it stays away.
    """
    began, missed = clock(), 0
    while True:
        waited = clock() - began
        over = patience is not None and waited >= patience
        try:
            seen = propagation(session, name, version=version)
        except NetworkError:
            missed += 1
            if over or missed > MISSED_LOOKS:
                raise
        else:
            missed = 0
            if _ended(seen, watch) or over:
                return seen
        pause = min(max(waited * LOOK_SHARE, SHORTEST_LOOK), LONGEST_LOOK)
        session.wait(pause if patience is None else min(pause, max(0.0, patience - waited)))


def _ended(seen: Propagation, watch: Callable[[Withdrawal], None]) -> bool:
    """Whether looking again would show nothing that matters."""
    for current in seen.withdrawals[:1]:
        watch(current)
        return not current.awaited or bool(current.overdue)
    return True


def _read(document: Any, name: str) -> Propagation:
    """From the API's JSON. Raises NetworkError for anything else."""
    try:
        return Propagation(
            name=name,
            as_of=str(document["as_of"]),
            deadline_hours=int(document["deadline_hours"]),
            withdrawals=tuple(_withdrawal(row) for row in document["withdrawals"]),
            document=document,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkError("The hub's answer about withdrawals makes no sense.") from error


def _withdrawal(row: Mapping[str, Any]) -> Withdrawal:
    return Withdrawal(
        version=int(row["version"]),
        published_at=_moment(row["published_at"]),
        entries=int(row["withdrawn"]),
        deadline=_moment(row["deadline"]),
        median=_seconds(row["median_seconds"]),
        p95=_seconds(row["p95_seconds"]),
        members=tuple(_recipient(member) for member in row["members"]),
        hubs=tuple(_elsewhere(hub) for hub in row.get("hubs", ())),
    )


def _elsewhere(row: Mapping[str, Any]) -> Elsewhere:
    members = ({**member, "organisation": {**member, "slug": member["organisation"]}} for member in row["members"])
    return Elsewhere(
        path=(*map(str, row["path"][:-1]), str(row["hub"])),
        evidence=str(row["evidence"]),
        told_at=_moment(row["told_at"]),
        mirrored_at=_moment((row["mirror"] or {}).get("applied_at")),
        entitled=int(row["entitled"]),
        applied=int(row["applied"]),
        purged=int(row["purged"]),
        overdue=int(row["overdue"]),
        stated=int(row["stated"]),
        median=_seconds(row["median_seconds"]),
        p95=_seconds(row["p95_seconds"]),
        members=tuple(_recipient(member) for member in members),
    )


def _recipient(row: Mapping[str, Any]) -> Recipient:
    who = row["organisation"]
    return Recipient(
        slug=str(who["slug"]),
        name=str(who.get("name") or ""),
        country=str(who.get("country") or ""),
        state=str(row["state"]),
        applied_at=_moment(row["applied_at"]),
        purged_at=_moment(row["purged_at"]),
    )


def _moment(value: object) -> str:
    """An ISO 8601 time in whole seconds; "" for null."""
    return write_time(datetime.fromisoformat(str(value))) if value else ""


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise TypeError("not a number of seconds")
    return float(value)

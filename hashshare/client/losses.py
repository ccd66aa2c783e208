"""How much of a list a member lets go: the guard against a stolen feed key, and a hub that does not stop it.

Entries that were held and are lost (wire.losses) are counted at each sync and remembered for eight weeks, so that many
small releases add up as one large one does, and it does not matter how often a member syncs. They stand in the record
of what is held, and so are swapped with it. What was added in between pays for nothing. A major of the publisher covers
as many entries as it says, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from hashshare.client.held import Held, Loss
from hashshare.client.making import working_engine
from hashshare.client.repository import Repository
from hashshare.client.store import ListStore
from hashshare.wire.errors import LargeLoss, VerificationFailed
from hashshare.wire.losses import count_lost
from hashshare.wire.state import HeldState

WATCHED: Final = timedelta(days=56)
"""An honest hub lets a feed key take 1 % in seven days, so that within these no honest list comes near the share."""
SHARE: Final = 0.10
ENTRIES: Final = 100
"""Losing more than both within WATCHED is refused, but for what majors cover."""

Covered = Callable[[int, int], Mapping[int, int]]
"""Asked for the versions after the first, up to the second: how many entries the major of each covers."""


def check_losses(new: Loss, rows: Sequence[Loss], *, name: str, covered: Covered) -> None:
    """`rows` of the days that are watched, in the last of which `new`, this sync's, is counted. Raises LargeLoss.

    `covered` is asked only when it matters; where it cannot be told (VerificationFailed), nothing is covered.
    """
    if not _too_much(rows, {}):
        return
    why = "its publisher signed no major for it"
    found: Mapping[int, int] = {}
    try:
        found = covered(rows[0].from_version, rows[-1].to_version)
    except VerificationFailed as error:
        why = f"whether its publisher signed a major for it cannot be told ({error.message.rstrip('.')})"
    if _too_much(rows, found):
        if found:
            why = f"the majors of its publisher cover {sum(found.values()):,}"
        raise _large_loss(new, rows, found, name=name, why=why)


def _too_much(rows: Sequence[Loss], covered: Mapping[int, int]) -> bool:
    """Measured against the fewest entries held in the time, which nobody can inflate afterwards."""
    lost = _uncovered(rows, covered)
    return lost > ENTRIES and lost > SHARE * min(row.held for row in rows)


def _uncovered(rows: Sequence[Loss], covered: Mapping[int, int]) -> int:
    """A major covers losses of the day on which its version came: what is left over of one pays for no other's."""
    return sum(
        max(0, row.lost - sum(lost for at, lost in covered.items() if row.from_version < at <= row.to_version))
        for row in rows
    )


def _large_loss(last: Loss, rows: Sequence[Loss], covered: Mapping[int, int], *, name: str, why: str) -> LargeLoss:
    total = sum(row.lost for row in rows)
    since = f", {total:,} with those of the {WATCHED.days} days before," if total > last.lost else ""
    return LargeLoss(
        f"Version {last.to_version} of {name} would take {last.lost:,} of the {last.held:,} entries held here{since} "
        f"and {why}. Version {last.from_version} stays in use.",
        next_step=f"Ask {name.partition('/')[0]} over another channel than the hub whether this is meant; if it is: "
        f"hashshare sync {name} --accept-shrink. If not, its feed key is in other hands: tell the hub's operator.",
        held=last.held,
        lost=last.lost,
        uncovered=_uncovered(rows, covered),
        version=last.to_version,
    )


def covering(repository: Repository, list_id: str, *, version: int, sha256: str) -> Covered:
    """What the majors in a publisher's repository cover; that of `version` only if it names the manifest `sha256`.

    The manifests of versions in between are no longer there to be compared: the hub compared them, and each major
    covers no more than it says.
    """

    def ask(after: int, upto: int) -> dict[int, int]:
        found = repository.majors(list_id, after=after, upto=upto)
        return {at: it.lost for at, it in found.items() if at != version or it.manifest.sha256 == sha256}

    return ask


# --- the record --------------------------------------------------------------------------------------------------


def with_loss(rows: Sequence[Loss], new: Loss) -> tuple[Loss, ...]:
    """The days that are watched on the day of `new`, which is added to what is known of that day."""
    first = (date.fromisoformat(new.day) - WATCHED).isoformat()
    kept = [row for row in rows if first < row.day <= new.day]
    if kept and kept[-1].day == new.day:
        today = kept.pop()
        held, lost = min(today.held, new.held), today.lost + new.lost
        new = Loss(new.day, min(today.from_version, new.from_version), new.to_version, held, lost)
    return (*kept, new)


def loss_of(store: ListStore, held: Held, coming: Held, *, counted: int | None, now: datetime) -> Loss:
    """What the step from `held` to `coming` takes; `counted` where it is known already. Every object is here."""
    lost = _count(store, held, coming, now.date()) if counted is None else counted
    return Loss(now.astimezone(UTC).date().isoformat(), held.version, coming.version, held.entries, lost)


def _count(store: ListStore, held: Held, coming: Held, today: date) -> int:
    """Through all that is held and all that comes. What has gone missing of the former cannot be counted."""
    before, after = (
        HeldState(
            state.fmt,
            tuple(store.object_path(it.sha256) for it in state.base if store.has(it)),
            tuple(store.object_path(it.sha256) for it in state.deltas if store.has(it)),
        )
        for state in (held, coming)
    )
    with working_engine(store, {*before.paths, *after.paths}) as (engine, _):
        return count_lost(engine, before, after, entries=held.entries, today=today)

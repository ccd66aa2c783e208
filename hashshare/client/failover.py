"""A list by whichever of the home's hubs has it: the first, or where that fails or is frozen, the next.

All hubs serve what the publisher signed, and one memory of what was verified stands behind all of them: what one hub
gave is never taken back for what another has. So which hub is asked decides nothing about what is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from hashshare.client.contact import note_failure, note_reached
from hashshare.client.hubs import Account
from hashshare.client.kept_metadata import timestamp_due
from hashshare.client.polling import Head, heads
from hashshare.client.session import Session
from hashshare.client.sync import Synced
from hashshare.wire.errors import (
    ExpiredMetadata,
    HashshareError,
    NetworkError,
    NotEntitled,
    NotFound,
    TooManyRequests,
)

PASSING = (NetworkError, TooManyRequests, ExpiredMetadata, NotEntitled, NotFound)
"""What makes a hub useless for now and says nothing against it: told, and no failure where another hub has the list."""

MOST_WHY: Final = 500
"""Characters of a hub's reason."""


@dataclass(slots=True)
class AskedHub:
    """A hub in one run. `heads`: what its poll offers, by list id; `error`: why it offers nothing."""

    account: Account
    session: Session
    heads: dict[str, Head] = field(default_factory=dict)
    error: HashshareError | None = None

    @property
    def name(self) -> str:
        return self.account.name

    def poll(self) -> None:
        """Ask what it offers. That it is silent, or does not let us in, is remembered."""
        now = datetime.now(UTC)
        try:
            found = heads(self.session, self.account.home)
        except HashshareError as error:
            self.error = error
            note_failure(self.account.home, self.session, error, now=now)
            return
        self.heads = {head.list_id: head for head in found}
        note_reached(self.account.home, self.session, now=now)


def withheld_by(hubs: Iterable[AskedHub]) -> dict[str, str]:
    """Lists that were granted and that a hub may not pass on at the moment, by name, with why. A hub that does not say
    is passed over: this only explains what is known to be gone.
    """
    found = dict[str, str]()
    for hub in hubs:
        with suppress(HashshareError, KeyError, TypeError):
            rows = hub.session.get_json("status")["subscriptions"] if hub.error is None else []
            found |= {str(row["list"]): str(row["withheld"])[:MOST_WHY] for row in rows if row["withheld"]}
    return found


def opened(found: Iterable[Account], *, warn: Callable[[str], None] = lambda _: None) -> Iterator[AskedHub]:
    """Each enrolment with its session. One whose key cannot be read is told, unless it is the only one."""
    rows = list(found)
    for account in rows:
        try:
            yield AskedHub(account, Session.open(account.home))
        except (HashshareError, OSError) as error:
            if len(rows) == 1:
                raise
            warn(f"{account.name} cannot be asked: its key here cannot be read ({error}).")


def offered(hubs: Iterable[AskedHub]) -> list[Head]:
    """Every list that some hub offers, as the first that does names it."""
    found = dict[str, Head]()
    for hub in hubs:
        for list_id, head in hub.heads.items():
            found.setdefault(list_id, head)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Refused:
    """A hub that did not bring the list, and why."""

    hub: AskedHub
    error: Exception

    @property
    def passing(self) -> bool:
        """Whether it says nothing against the hub, where another has brought the list: it is silent or out of order,
        or behind what another hub has shown, as a mirror may be.
        """
        older = isinstance(self.error, HashshareError) and bool(self.error.facts.get("older"))
        return isinstance(self.error, PASSING) or older


@dataclass(frozen=True, slots=True)
class Brought:
    """`by` is None where every hub that was asked failed; `refused` are those."""

    by: AskedHub | None
    done: Synced | None
    refused: tuple[Refused, ...] = ()


def bring(
    hubs: Iterable[AskedHub], wanted: Head, sync: Callable[[AskedHub, Head], Synced], *, now: Callable[[], datetime]
) -> Brought:
    """Sync the list at the first hub that offers it; at the next where that fails, where its timestamp is about to end,
    or where another's poll names something newer. Whoever brought the highest version has delivered it.
    """
    asked = [hub for hub in hubs if wanted.list_id in hub.heads]
    best: tuple[AskedHub, Synced] | None = None
    refused = list[Refused]()
    for hub in asked:
        if best is not None and not _worth_asking(best[1], hub, wanted, now()):
            continue
        try:
            done = sync(hub, hub.heads[wanted.list_id])
        except HashshareError as error:
            refused.append(Refused(hub, error))
        except Exception as error:  # noqa: BLE001 (a full disk, say: no other hub mends that)
            refused.append(Refused(hub, error))
            break
        else:
            if best is None:
                best = hub, done
            elif done.version > best[1].version:
                best = hub, replace(done, before=best[1].before, entries_before=best[1].entries_before)
    return Brought(best[0] if best else None, best[1] if best else None, tuple(refused))


def _worth_asking(done: Synced, hub: AskedHub, wanted: Head, now: datetime) -> bool:
    """Whether another hub may have something newer than what was just brought."""
    if hub.heads[wanted.list_id].version > done.version:
        return True
    return timestamp_due(hub.account.home, wanted.publisher, now=now)

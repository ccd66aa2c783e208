"""A hub that was restored from a backup, from the restore until it is itself again.

It is read-only at first. `recover` then raises the versions that it signs above any that it can have signed, supersedes
its logs, makes another key for cosigning other hubs' logs, and awaits every publisher: nothing of one is signed or
called the newest before the publisher has sent what the hub lacks and said that it is all (services/resumption.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from hashshare.models import Publisher, Restoration
from hashshare.peering_keys import hub_name, known_witness_key, replace_witness_key
from hashshare.services.logs import add_witness_key
from hashshare.services.successions import Superseded, supersede_logs
from hashshare.services.timestamps import version_of
from hashshare.wire.documents import MAX_INTEGER
from hashshare.wire.errors import NotFound, UsageError
from hashshare.wire.log.witness_keys import WitnessKeyReplaced

MOST_PER_SECOND: Final = 1_000
"""Snapshots or timestamps that a hub can have signed of one publisher. Each is a transaction that holds the publisher's
row locked while it signs two files and writes them: some milliseconds (docs/operations.md has the measurement)."""

CLOCKS: Final = timedelta(days=1)
"""By how much the clocks of the day of the backup and of today may differ from each other."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """`jump` was added to versions; `awaited` are the publishers' domains. `witness_key`: with which this hub
    cosigns from now on, raw and public.
    """

    jump: int
    awaited: list[str]
    logs: list[Superseded]
    witness_key: bytes


def note_restored(*, backup_id: str, made_at: datetime, now: datetime) -> Restoration:
    """From now on the hub is read-only, and the witness's key that came back with the backup cosigns nothing more."""
    held = known_witness_key() or b""
    return Restoration.objects.create(backup=backup_id, made_at=made_at, restored_at=now, witness_key=held.hex())


def safe_jump(*, made_at: datetime, now: datetime) -> int:
    """By how much versions rise above those in a backup of `made_at`, to be above any that was signed since. Pure.

    Holds over several restores of the same backup, too: the second jump is as long as the first and all that came after
    it. Raises UsageError when the clock says that the backup is yet to be made.
    """
    passed = now - made_at
    if passed < -CLOCKS:
        raise UsageError(
            "By this machine's clock the backup was made in the future.",
            next_step="Set the clock, then run it again; or say --floor PUBLISHER=N for each publisher.",
        )
    return math.ceil((max(passed, timedelta(0)) + CLOCKS).total_seconds()) * MOST_PER_SECOND


@transaction.atomic
def recover(*, now: datetime, floors: Mapping[str, int] | None = None) -> Recovered:
    """End the time in which nothing is changed.

    1. Raise every publisher's version floor, by the time that has passed or to what `floors` says of its domain.
    2. Await every publisher.
    3. Supersede the logs.
    4. Retire the witness's key, and say so in the public log.
    5. Close the record of the restoration.

    Raises UsageError when the hub was not restored, NotFound for a domain that is none of its publishers.
    """
    restorations = list(Restoration.objects.select_for_update().filter(recovered_at=None))
    if not restorations:
        raise UsageError("This hub was not restored from a backup, or has recovered already. Nothing was changed.")
    floors = dict(floors or {})
    publishers = list(Publisher.objects.select_for_update().order_by("domain"))
    if unknown := set(floors) - {publisher.domain for publisher in publishers}:
        raise NotFound(f"{min(unknown)} is not a publisher of this hub.")
    jump = jump_of(restorations, publishers, floors, now)
    for publisher in publishers:
        standing = max(version_of(publisher, "snapshot"), version_of(publisher, "timestamp"), publisher.version_floor)
        publisher.version_floor = min(max(standing + jump, floors.get(publisher.domain, 0)), MAX_INTEGER // 2)
        publisher.awaited_since = now
        publisher.save(update_fields=["version_floor", "awaited_since"])
    logs = supersede_logs(now=now)
    witness_key = retire_witness_key(restorations, now)
    Restoration.objects.filter(recovered_at=None).update(recovered_at=now, jump=jump)
    return Recovered(jump, [publisher.domain for publisher in publishers], logs, witness_key)


def retire_witness_key(restorations: list[Restoration], now: datetime) -> bytes:
    """Another in its place, raw and public; the log says which took whose place.

    Should the transaction fail after that, the key that is here has cosigned nothing yet: the next attempt makes
    another, and what is noted of the restorations is still the one that has.
    """
    retired = {restoration.witness_key for restoration in restorations} - {""}
    made = replace_witness_key().public
    for before in sorted(retired):
        add_witness_key(WitnessKeyReplaced(hub_name(), before, made.hex(), now.replace(microsecond=0)), now=now)
    return made


def jump_of(
    restorations: list[Restoration], publishers: list[Publisher], floors: Mapping[str, int], now: datetime
) -> int:
    """0 when every publisher's floor is given by hand, and the clock need not be asked. Raises UsageError."""
    if publishers and all(publisher.domain in floors for publisher in publishers):
        return 0
    return max(safe_jump(made_at=restoration.made_at, now=now) for restoration in restorations)

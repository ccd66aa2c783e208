"""An organisation's keys, as it sees them itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hashshare.models import OrganisationKey
from hashshare.selectors.callers import Caller


@dataclass(frozen=True, slots=True)
class OwnKey:
    """`state`: active, waiting, expired or revoked at the time of asking. `holder`: a person's name, "" if none.

    `introduced_by`: the fingerprint of the key that vouched for it, "" for one that an operator's code brought.
    """

    fingerprint: str
    name: str
    state: str
    holder: str
    introduced_by: str
    created_at: datetime
    not_before: datetime | None
    not_after: datetime | None
    revoked_at: datetime | None
    last_seen_at: datetime | None


def own_keys(*, caller: Caller, now: datetime) -> list[OwnKey]:
    """The caller's own, ended ones included, oldest first."""
    rows = OrganisationKey.objects.filter(organisation=caller.organisation)
    return shown(rows.select_related("holder", "introduced_by").order_by("created_at"), now=now)


def shown(rows: Iterable[OrganisationKey], *, now: datetime) -> list[OwnKey]:
    return [
        OwnKey(
            fingerprint=row.fingerprint,
            name=row.name,
            state=row.state_at(now),
            holder=str(row.holder or ""),
            introduced_by=row.introduced_by.fingerprint if row.introduced_by else "",
            created_at=row.created_at,
            not_before=row.not_before,
            not_after=row.not_after,
            revoked_at=row.revoked_at,
            last_seen_at=row.last_seen_at,
        )
        for row in rows
    ]

"""What the hub says of this machine and its organisation: the key, subscriptions, access keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from hashshare.client.doctor.finding import Finding, bad, good, skipped, warn
from hashshare.client.doctor.patient import Patient
from hashshare.client.spans import span
from hashshare.client.trouble import WITHHELD
from hashshare.wire.errors import HashshareError, NotAuthenticated, StaleSignature

CHECK: Final = "account"
SOON: Final = timedelta(days=30)
OVER: Final = {
    "denied": "was denied",
    "revoked": "was revoked",
    "ended": "has ended",
    "suspended": "is suspended",
}


def check(patient: Patient) -> Iterable[Finding]:
    if patient.account is None:
        yield skipped(CHECK, "Not asked: offline, not enrolled, or the hub is out of reach.")
    elif isinstance(patient.account, HashshareError):
        yield _refused(patient.account)
    else:
        status = patient.account["status"]
        yield good(CHECK, "The hub knows this machine's key and lets it in.")
        yield from _keys(status, patient.now)
        yield from _subscriptions(status, patient.now)
        yield from _access_keys(patient.account.get("access-keys") or {}, patient.now)


def _refused(error: HashshareError) -> Finding:
    if isinstance(error, StaleSignature):
        means, do = "The hub does not believe what is signed with a wrong clock.", "Set the clock (see clock)."
        return bad(CHECK, error.message, means=means, do=do, exit_code=error.exit_code)
    if isinstance(error, NotAuthenticated):
        return bad(
            CHECK,
            "The hub refuses this machine's key: it was revoked, it has ended, or your organisation is suspended.",
            means="Nothing can be fetched; what is held stays in use and gets older. The hub does not say which it is.",
            do="From another machine of yours: hashshare key list, hashshare key add. Else ask the hub's operator.",
            exit_code=error.exit_code,
        )
    means = "Whether the account is in order is not known."
    return bad(CHECK, error.message, means=means, do=error.next_step or "Try again later.", exit_code=error.exit_code)


def _keys(status: Mapping[str, Any], now: datetime) -> Iterable[Finding]:
    own = str((status.get("caller") or {}).get("key") or "")
    rows = [row for row in status.get("keys") or [] if row.get("state") == "active"]
    # A rotated key ends soon because the same machine has its successor already.
    replaced = {(row.get("introduced_by"), row.get("name")) for row in rows}
    for row in rows:
        end = _time(row.get("not_after"))
        current = row.get("id") != own and (row.get("id"), row.get("name")) not in replaced
        if current and end and end - now < SOON:
            yield warn(
                "keys",
                f"The key of {row.get('name')} ends in {span(end - now)}.",
                means="That machine will be refused then.",
                do=f"On that machine: hashshare key rotate; or, if it is gone: hashshare key revoke {row.get('id')}",
                subject=str(row.get("id")),
            )


def _subscriptions(status: Mapping[str, Any], now: datetime) -> Iterable[Finding]:
    """Of several to one list the newest counts, which the hub names first: what ended before it was asked for again is
    over.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    for row in status.get("subscriptions") or []:
        newest.setdefault(str(row.get("list")), row)
    for row in newest.values():
        name, state, end = str(row.get("list")), str(row.get("state")), _time(row.get("ends_at"))
        if state == "active" and end is not None and end <= now:
            state = "ended"
        if state in OVER:
            reason = f" ({row['reason']})" if row.get("reason") else ""
            yield warn(
                "subscription",
                f"The subscription to {name} {OVER[state]}{reason}.",
                means="The list is not brought up to date any more; a copy held here gets older.",
                do=f"Ask again: hashshare subscribe {name}; or remove the copy: hashshare forget {name}",
                subject=name,
            )
        elif state == "active" and row.get("withheld"):
            yield warn(
                "subscription",
                f"{name} is withheld: {row['withheld']}",
                means="Nobody at this hub receives it; a copy held here gets older, and gets no withdrawals.",
                do=WITHHELD,
                subject=name,
            )
        elif state == "active" and end is not None and end - now < SOON:
            yield warn(
                "subscription",
                f"The subscription to {name} ends in {span(end - now)}, on {end:%Y-%m-%d}.",
                means="After that the list is not brought up to date any more.",
                do=f"Ask {name.partition('/')[0]} to prolong it.",
                subject=name,
            )
        else:
            yield good("subscription", f"{name}: {state}{f' until {end:%Y-%m-%d}' if end else ''}.", subject=name)


def _access_keys(answer: Mapping[str, Any], now: datetime) -> Iterable[Finding]:
    for row in answer.get("access_keys") or []:
        end = _time(row.get("expires_at"))
        if row.get("revoked_at") is None and end is not None and end - now < SOON:
            when = f"ends in {span(end - now)}" if end > now else f"ended {span(end - now)} ago"
            yield warn(
                "access key",
                f"The access key {row.get('name')} {when}.",
                means="Whatever reads with it is refused from then on.",
                do='Make another: hashshare request POST access-keys --data \'{"name": "...", "days": 90}\'',
                subject=str(row.get("name")),
            )


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None

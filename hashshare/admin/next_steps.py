"""What a member does next, in plain words and with the command that does it. Pure: the desk's data and the time in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

KEY_ENDS: Final = timedelta(days=60)
"""As `hashshare key rotate --if-due 60` has it."""
SUBSCRIPTION_ENDS: Final = timedelta(days=30)
CLOCK_OFF: Final = 60
"""Seconds; beyond 300 every signed request is refused."""


class Key(Protocol):
    """Of a machine."""

    name: str
    fingerprint: str
    not_after: datetime | None
    clock_skew_seconds: int | None

    def state_at(self, now: datetime) -> str: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """A subscription, by its list's name. `closed_at` is when it was denied, was revoked or ended; `held` the version
    that a machine last stated to have applied.
    """

    list_name: str
    state: str
    progress: str
    ends_at: datetime | None
    terms_changed: bool
    hotline: str
    closed_at: datetime | None = None
    held: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`command` for a terminal, "" if it is none; `page` names the desk's page that leads on; `list_name` its list."""

    text: str
    command: str = ""
    page: str = ""
    list_name: str = ""
    grave: bool = False


def next_steps(
    *, keys: Sequence[Key], lists: Sequence[Standing], overdue: int, hub: str, may_keep_keys: bool, now: datetime
) -> list[Step]:
    """The gravest first; empty when nothing needs anybody."""
    steps = [*_of_keys(keys, hub, may_keep_keys, now), *_of_duties(overdue), *_of_lists(lists, now)]
    return sorted(steps, key=lambda step: not step.grave)


def _of_keys(keys: Sequence[Key], hub: str, may_keep_keys: bool, now: datetime) -> Iterator[Step]:
    working = [key for key in keys if key.state_at(now) == "active"]
    if not working:
        how = "make a code for one" if may_keep_keys else "ask an engineer of your organisation for a code"
        yield Step(
            f"No machine of yours can reach this hub: {how}, then on that machine:",
            f"hashshare enroll {hub}/ CODE",
            page="invite" if may_keep_keys else "",
            grave=True,
        )
    for key in working:
        name = key.name or key.fingerprint
        if key.not_after is not None and key.not_after - now < KEY_ENDS:
            yield Step(
                f"The key of {name} ends on {key.not_after:%Y-%m-%d}. On that machine, put a new one in its place:",
                "hashshare key rotate",
                grave=key.not_after - now < timedelta(days=7),
            )
        skew = key.clock_skew_seconds
        if skew is not None and abs(skew) >= CLOCK_OFF:
            way = "behind" if skew > 0 else "ahead of"
            yield Step(
                f"The clock of {name} is {abs(skew)} s {way} the hub's; beyond 300 s its requests are refused. Set it "
                "by NTP, then look there again:",
                "hashshare doctor",
                grave=abs(skew) > 240,
            )


def _of_duties(overdue: int) -> Iterator[Step]:
    if overdue:
        what = "1 withdrawal is" if overdue == 1 else f"{overdue} withdrawals are"
        yield Step(
            f"{what} overdue: you still match against entries that were wrong. Run:", "hashshare sync", grave=True
        )


def _of_lists(lists: Sequence[Standing], now: datetime) -> Iterator[Step]:
    if not any(each.state in ("active", "requested", "terms to accept") for each in lists):
        had = any(each.state in ("revoked", "ended") for each in lists)
        what = "You take no list any more" if had else "You take no list yet"
        yield Step(f"{what}: see what there is and ask for one.", page="catalogue")
    for each in lists:
        if each.state in ("revoked", "ended") and each.held is not None:
            yield Step(
                f"{_closed(each)}, and your machine may still hold version {each.held}, which gets older. Ask for it "
                "again, or remove it there:",
                f"hashshare forget {each.list_name}",
                page="list",
                list_name=each.list_name,
            )
        if each.state == "terms to accept":
            yield Step(
                f"{each.hotline} has granted you {each.list_name}: accept its terms.",
                page="list",
                list_name=each.list_name,
            )
        elif each.terms_changed:
            yield Step(
                f"The terms of {each.list_name} have changed: read and accept them.",
                page="list",
                list_name=each.list_name,
            )
        if each.progress == "never synced":
            yield Step(f"{each.list_name} is yours to fetch. On your machine:", "hashshare sync")
        if each.state == "active" and each.ends_at is not None and each.ends_at - now < SUBSCRIPTION_ENDS:
            yield Step(f"{each.list_name} ends on {each.ends_at:%Y-%m-%d}: ask {each.hotline} to go on with it.")


def _closed(each: Standing) -> str:
    on = f" on {each.closed_at:%Y-%m-%d}" if each.closed_at else ""
    if each.state == "revoked":
        return f"{each.list_name} was revoked{on}"
    return f"Your subscription to {each.list_name} ended{on}"

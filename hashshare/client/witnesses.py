"""Whose cosignatures this machine requires under the hub's public checkpoints: HOME/witnesses.json.

It holds a policy as C2SP tlog-policy writes it, so that it can be taken to other programs and from them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from hashshare.client.home import Home, read_json, write_json
from hashshare.wire.documents import write_time
from hashshare.wire.errors import HashshareError, MalformedLog, UsageError
from hashshare.wire.log.cosignatures import Cosigner
from hashshare.wire.log.policies import NONE, Group, Policy, Witness

FORMAT: Final = "hashshare-witnesses/1"
WITHIN_HOURS: Final = 26
"""A day, as often as a log is looked at, and two hours for what may be late."""

REQUIRED: Final = "required"
"""The group that `require` makes: all witnesses, of which so many have to cosign."""


@dataclass(frozen=True, slots=True)
class Required:
    """`within`: how old the cosignatures may be that count. `since`: when it was last changed."""

    policy: Policy
    within: timedelta
    since: datetime

    @property
    def wanted(self) -> bool:
        """Whether anything is required."""
        return self.policy.quorum != NONE


NOTHING: Final = Required(Policy(), timedelta(hours=WITHIN_HOURS), datetime.min.replace(tzinfo=UTC))


def witnesses_path(home: Home) -> Path:
    return home.path / "witnesses.json"


def required(home: Home) -> Required:
    """Raises HashshareError when the file is damaged: a policy that cannot be read is never taken for none."""
    path = witnesses_path(home)
    document = read_json(path)
    if document is None:
        return NOTHING
    try:
        if document["format"] != FORMAT:
            raise KeyError("format")
        within, since = int(document["within_hours"]), datetime.fromisoformat(document["since"])
        return Required(Policy.parse(document["policy"]), timedelta(hours=within), since)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise HashshareError(
            f"{path} is damaged or of another version of hashshare.", next_step="Restore it from a backup."
        ) from error


def add_witness(home: Home, vkey: str, *, name: str = "", now: datetime) -> Required:
    """One more that may count. Raises UsageError for what is no witness's key, or a name or key that is there."""
    try:
        cosigner = Cosigner.parse(vkey)
    except MalformedLog as error:
        raise UsageError(error.message, next_step="A witness's key begins with its name and a plus sign.") from error
    name = name or cosigner.name
    with _changing(home, now) as change:
        policy = change.required.policy
        if name in policy.witnesses:
            raise UsageError(f"A witness {name} is there already.", next_step=f"hashshare witness remove {name}")
        change.take(replace(policy, witnesses={**policy.witnesses, name: Witness(cosigner)}))
    return change.required


def remove_witness(home: Home, name: str, *, now: datetime) -> Required:
    """Raises UsageError for one that is not there, or that what is required cannot do without."""
    with _changing(home, now) as change:
        policy = change.required.policy
        if name not in policy.witnesses:
            raise UsageError(f"There is no witness {name}.", next_step="See: hashshare witness list")
        others = {other: witness for other, witness in policy.witnesses.items() if other != name}
        group = policy.groups.get(REQUIRED)
        if group is not None and group.least > len(others):
            raise UsageError(
                f"{group.least} are required, and {len(others)} would be left.",
                next_step=f"First: hashshare witness require {len(others)}",
            )
        change.take(replace(policy, witnesses=others))
    return change.required


def replace_witness(home: Home, name: str, vkey: str, *, now: datetime) -> Required:
    """The key that a known witness cosigns with from now on, as its operator said; what is required stays.

    Raises UsageError for a witness that is not there, or what is not another key of the same one.
    """
    try:
        cosigner = Cosigner.parse(vkey)
    except MalformedLog as error:
        raise UsageError(error.message, next_step="A witness's key begins with its name and a plus sign.") from error
    with _changing(home, now) as change:
        policy = change.required.policy
        held = policy.witnesses.get(name)
        if held is None:
            raise UsageError(f"There is no witness {name}.", next_step="See: hashshare witness list")
        if cosigner.name != held.cosigner.name:
            raise UsageError(
                f"That is a key of {cosigner.name}, not of {held.cosigner.name}.",
                next_step="To name another witness: hashshare witness add VKEY",
            )
        if cosigner == held.cosigner:
            raise UsageError(f"{name} has that key here already. Nothing was changed.")
        witnesses = {**policy.witnesses, name: Witness(cosigner, held.url)}
        change.take(replace(policy, witnesses=witnesses))
    return change.required


def require(home: Home, least: int, *, within_hours: int = WITHIN_HOURS, now: datetime) -> Required:
    """That `least` of the witnesses have cosigned; 0 requires nothing. Raises UsageError when there are not so many."""
    with _changing(home, now, within=timedelta(hours=within_hours)) as change:
        names = tuple(change.required.policy.witnesses)
        if not 0 <= least <= len(names):
            raise UsageError(
                f"{len(names)} witnesses are known here, so from 0 to {len(names)} can be required.",
                next_step="Add one: hashshare witness add VKEY",
            )
        groups = {REQUIRED: Group(least, names)} if least else {}
        quorum = REQUIRED if least else NONE
        change.take(replace(change.required.policy, groups=groups, quorum=quorum))
    return change.required


def set_policy(home: Home, text: str, *, within_hours: int = WITHIN_HOURS, now: datetime) -> Required:
    """Take a whole policy. Raises UsageError that names the line."""
    policy = Policy.parse(text)
    with _changing(home, now, within=timedelta(hours=within_hours)) as change:
        change.take(policy)
    return change.required


class _Change:
    def __init__(self, required: Required, now: datetime) -> None:
        self.required, self._now = required, now

    def take(self, policy: Policy) -> None:
        """A group that `require` made has every witness."""
        group = policy.groups.get(REQUIRED)
        if group is not None and policy.quorum == REQUIRED and set(policy.groups) == {REQUIRED}:
            policy = replace(policy, groups={REQUIRED: Group(group.least, tuple(policy.witnesses))})
        self.required = replace(self.required, policy=Policy.parse(policy.to_text()), since=self._now)


@contextlib.contextmanager
def _changing(home: Home, now: datetime, *, within: timedelta | None = None) -> Iterator[_Change]:
    with home.lock("witnesses"):
        held = required(home)
        change = _Change(replace(held, within=within or held.within), now)
        yield change
        document = {
            "format": FORMAT,
            "policy": change.required.policy.to_text(),
            "within_hours": int(change.required.within.total_seconds() // 3600),
            "since": write_time(now),
        }
        write_json(witnesses_path(home), document)

"""What a signing request would change, in plain words, computed from the metadata alone. Pure.

Everything that the metadata says is told or is refused as unknown (`request_files.check_request`): an officer signs
nothing that was not shown. Names of people are not metadata, so none appear here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tuf.api.metadata import DelegatedRole, Root, Targets

from hashshare.wire.major import Major
from hashshare.wire.repository.hosting import is_hosted
from hashshare.wire.repository.metadata import (
    MAJOR,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
    RoleFile,
    read_role,
    read_typed,
)
from hashshare.wire.repository.requests import SigningRequest
from hashshare.wire.repository.shapes import major_documents
from hashshare.wire.repository.standby_hub import named_standby

HUB: Final = {SNAPSHOT: "snapshots", TIMESTAMP: "timestamps"}


@dataclass(frozen=True, slots=True)
class Change:
    """New metadata of one role: what it says that the metadata before it did not, a sentence a line."""

    role: str
    version: int
    expires: datetime
    lines: tuple[str, ...]


def describe(request: SigningRequest) -> tuple[Change, ...]:
    """One change a role, root first. `request` was checked."""
    told: list[Change] = []
    for role in sorted(request.roles, key=lambda role: (role != ROOT, role != TARGETS, role)):
        file = read_role(role, request.roles[role])
        told.append(Change(role, file.version, file.expires, tuple(_lines(request, file))))
    return tuple(told)


def key_name(keyid: str) -> str:
    """A key as people tell it from others: the first sixteen digits of its id."""
    return f"key {' '.join(keyid[start : start + 4] for start in range(0, 16, 4))}…"


def _lines(request: SigningRequest, file: RoleFile[Any]) -> list[str]:
    if file.role == ROOT:
        before = read_typed(ROOT, request.root, Root).signed if request.root else None
        return _root_lines(before, file.signed)
    if file.role == TARGETS:
        stood = read_typed(TARGETS, request.targets, Targets).signed if request.targets else None
        return _targets_lines(stood, file.signed)
    if file.role == MAJOR:
        return _major_lines(request)
    return _delegated_lines(file.signed)


def _root_lines(before: Root | None, after: Root) -> list[str]:
    if before is None:
        lines = ["Begins the publisher: members trust whatever follows from this root."]
        lines += [f"{role.capitalize()} takes {_quorum(after, role)}." for role in (ROOT, TARGETS)]
        lines += [_each(f"May sign {role}", after.roles[role].keyids) for role in (ROOT, TARGETS)]
        return [*lines, *_hub_lines(None, after)]
    lines = []
    for role in (ROOT, TARGETS):
        lines += _compared(f"sign {role}", before.roles[role].keyids, after.roles[role].keyids)
        if (old := _quorum(before, role)) != (new := _quorum(after, role)):
            lines.append(f"{role.capitalize()} takes {new}, no longer {old}.")
    lines += _hub_lines(before, after)
    return lines or ["The same keys as before; only the date is new."]


def _hub_lines(before: Root | None, after: Root) -> list[str]:
    """The hub's keys, which say what is the latest and nothing about content."""
    lines: list[str] = []
    for role, what in HUB.items():
        old, new = before.roles[role].keyids if before else [], after.roles[role].keyids
        if before is None:
            lines.append(_each(f"The hub signs {what} with any one of", new))
        else:
            lines += _compared(f"sign the hub's {what}", old, new)
    return lines + _standby_lines(before, after)


def _standby_lines(before: Root | None, after: Root) -> list[str]:
    """The hub that may take over, where that changes."""
    old, new = named_standby(before) if before else None, named_standby(after)
    if old == new:
        return []
    if new is None:
        return [f"{old.hub} is no longer the standby hub."] if old else []
    lines = [
        _each(f"Standby hub: {new.hub} may take over from your hub when that is dead. These are its keys", new.keyids),
        f"From now on {new.hub} could hold your releases back and freeze your lists; it can forge nothing.",
    ]
    return [*lines, f"{old.hub} is no longer the standby hub."] if old and old.hub != new.hub else lines


def _quorum(root: Root, role: str) -> str:
    standing = root.roles[role]
    number = len(standing.keyids)
    return f"any {standing.threshold} of {number} {'key' if number == 1 else 'keys'}"


def _targets_lines(before: Targets | None, after: Targets) -> list[str]:
    old, new = _feeds(before), _feeds(after)
    lines = _large_loss_lines(before, after)
    lines += [
        _each(f"New list {name}: its releases are signed by", new[name].keyids) for name in new if name not in old
    ]
    lines += [f"List {name} loses its role." for name in old if name not in new]
    for name in old.keys() & new.keys():
        lines += _compared(f"sign releases of list {name}", old[name].keyids, new[name].keyids)
    lines += [line for name in new if (line := _hosting_line(name, old.get(name), new[name]))]
    if not lines and before is None:
        return ["Begins without a list."]
    return lines or ["The same lists and keys as before; only the date is new."]


def _hosting_line(name: str, old: DelegatedRole | None, new: DelegatedRole) -> str:
    """Who keeps the key that signs a list, where that changes."""
    before = old is not None and is_hosted(old)
    if is_hosted(new) == before:
        return ""
    if before:
        return f"List {name} is no longer hosted: its key is the hotline's own."
    return f"List {name} is hosted: the hub keeps that key, and signs with it what two of your analysts agree to."


def _delegated_lines(signed: Targets) -> list[str]:
    lines: list[str] = []
    for path, target in sorted(signed.targets.items()):
        hashes = ", ".join(f"{name} {value}" for name, value in target.hashes.items())
        lines.append(f"Names {path}, {target.length:,} bytes, {hashes}.")
    return lines or ["Names nothing."]


def _large_loss_lines(before: Targets | None, after: Targets) -> list[str]:
    """Who may sign majors, where that changes."""
    old, new = _roles(before).get(MAJOR), _roles(after).get(MAJOR)
    if new is None or (old is not None and (old.threshold, old.keyids) == (new.threshold, new.keyids)):
        return []
    quorum = f"any {new.threshold} of these {len(new.keyids)} keys"
    return [_each(f"A large loss of a list's entries takes {quorum}", new.keyids)]


def _major_lines(request: SigningRequest) -> list[str]:
    """What each new document lets go, and what those let go that are signed anew, as far as they are here."""
    standing = major_documents(request.major) if request.major is not None else {}
    before = {ref.path: ref for ref in standing.values()}
    majors = [Major.parse(body) for _, body in sorted(request.documents.items())]
    lines = [f"{_loss(it)}. Members lose them at their next sync." for it in majors if before.get(it.path) != it.ref]
    again = [f"Signed again, as it stood: {_loss(it)}." for it in majors if before.get(it.path) == it.ref]
    absent = len(before.keys() - request.documents.keys())
    if absent and not lines:
        noun = "large loss that stood" if absent == 1 else "large losses that stood"
        again.append(f"Signed again, as before: {absent} {noun}, of which nothing is told here.")
    return lines + again or ["The same as before, until a later date; nothing else changes."]


def _loss(major: Major) -> str:
    share = f" of the {major.held:,} ({100 * major.lost / major.held:.1f} %)" if major.held else ""
    asked = f", asked for on {major.made_at:%Y-%m-%d}" if major.made_at else ""
    return (
        f"{major.lost:,} entries{share} of {major.list_name} may go with its version {major.version}{asked}, manifest "
        f"{major.manifest.sha256}"
    )


def _feeds(targets: Targets | None) -> Mapping[str, DelegatedRole]:
    return {name: role for name, role in _roles(targets).items() if name != MAJOR}


def _roles(targets: Targets | None) -> Mapping[str, DelegatedRole]:
    return (targets.delegations.roles or {}) if targets and targets.delegations else {}


def _compared(what: str, old: Iterable[str], new: Iterable[str]) -> list[str]:
    before, after = set(old), set(new)
    lines = [_each(f"May {what} from now on", sorted(after - before))] if after - before else []
    return lines + ([_each(f"May no longer {what}", sorted(before - after))] if before - after else [])


def _each(what: str, keyids: Iterable[str]) -> str:
    return f"{what}: {', '.join(key_name(keyid) for keyid in keyids)}."

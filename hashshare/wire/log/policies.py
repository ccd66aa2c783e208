"""Whose cosignatures are wanted, as a file (C2SP tlog-policy): witnesses, groups of them, and the quorum.

    witness south south.example/witness+dc7aec8c+BHDf... https://south.example/witness
    witness east  east.example/witness+18b4a0d2+BFq1...
    group either any south east
    quorum either

Lines that define logs are checked and passed over: which log a checkpoint is of, is known from elsewhere. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from hashshare.wire.errors import MalformedLog, UsageError
from hashshare.wire.log.cosignatures import Cosigner
from hashshare.wire.log.notes import Verifier

T = TypeVar("T")

MAX_POLICY: Final = 64 * 1024
MOST: Final = 64
"""Witnesses, and groups; the specification wants 32 of each to be read."""

NONE: Final = "none"
_BLANKS: Final = re.compile(r"[ \t]+")
_REFUSED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class Witness:
    """`url`: where it is asked (the submission prefix), "" where nobody needs to know."""

    cosigner: Cosigner
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint when `least` of its `members`, by name, do."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """`quorum` names a witness or a group, or is NONE: then nothing is wanted."""

    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    @property
    def cosigners(self) -> dict[Cosigner, str]:
        """Each with its name in the policy."""
        return {witness.cosigner: name for name, witness in self.witnesses.items()}

    def is_satisfied(self, by: Collection[Cosigner]) -> bool:
        """Whether the cosignatures of these are enough."""
        names = {name for cosigner, name in self.cosigners.items() if cosigner in by}
        for name, group in self.groups.items():  # members stand before their group
            if sum(member in names for member in group.members) >= group.least:
                names.add(name)
        return self.quorum == NONE or self.quorum in names

    def to_text(self) -> str:
        lines = [
            " ".join(filter(None, ("witness", name, witness.cosigner.to_text(), witness.url)))
            for name, witness in self.witnesses.items()
        ]
        lines += [f"group {name} {group.least} {' '.join(group.members)}" for name, group in self.groups.items()]
        return "".join(f"{line}\n" for line in (*lines, f"quorum {self.quorum}"))

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Raises UsageError that names the line."""
        if len(text) > MAX_POLICY:
            raise UsageError(f"A policy has at most {MAX_POLICY} characters.")
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                reading.take(line)
            except UsageError as error:
                raise UsageError(f"Line {number} of the policy: {error.message}") from error
            except ValueError as error:
                raise UsageError(f"Line {number} of the policy has too few or too many words.") from error
        if reading.quorum is None:
            raise UsageError("The policy has no line that begins with quorum.")
        return cls(reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """A policy as far as it is read."""

    def __init__(self) -> None:
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None

    def take(self, line: str) -> None:
        if _REFUSED.search(line):
            raise UsageError("It has control characters.")
        words = [word for word in _BLANKS.split(line) if word]
        if not words or words[0].startswith("#"):
            return
        kind, *rest = words
        takes = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum}.get(kind)
        if takes is None:
            raise UsageError(f"{kind[:40]!r} is none of log, witness, group and quorum.")
        takes(rest)

    def _log(self, words: list[str]) -> None:
        vkey, *_ = _between(words, 1, 2)
        _read(Verifier.parse, vkey)

    def _witness(self, words: list[str]) -> None:
        name, vkey, *url = _between(words, 2, 3)
        self._new(name, self.witnesses)
        cosigner = _read(Cosigner.parse, vkey)
        if any(cosigner.public == witness.cosigner.public for witness in self.witnesses.values()):
            raise UsageError("Another witness has that key.")
        self.witnesses[name] = Witness(cosigner, "".join(url))

    def _group(self, words: list[str]) -> None:
        name, wanted, *members = _between(words, 3, 2 + 2 * MOST)
        self._new(name, self.groups)
        for member in members:
            self._check_known(member)
        if len(set(members)) < len(members):
            raise UsageError("A member is named twice.")
        named = {member for group in self.groups.values() for member in group.members} & set(members)
        if named:
            raise UsageError(f"{min(named)} is in another group already.")
        least = {"all": len(members), "any": 1}.get(wanted) or (int(wanted) if _NUMBER.fullmatch(wanted) else 0)
        if not 1 <= least <= len(members):
            raise UsageError(f"A group wants all, any, or a number from 1 to {len(members)} of its members.")
        self.groups[name] = Group(least, tuple(members))

    def _quorum(self, words: list[str]) -> None:
        (name,) = words
        if self.quorum is not None:
            raise UsageError("There is a quorum already.")
        if name != NONE:
            self._check_known(name)
        self.quorum = name

    def _new(self, name: str, held: Mapping[str, object]) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise UsageError(f"The name {name[:40]!r} is taken.")
        if len(held) >= MOST:
            raise UsageError(f"There are more than {MOST}.")

    def _check_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise UsageError(f"No line before it defines {name[:40]!r}.")


def _between(words: list[str], least: int, most: int) -> list[str]:
    if not least <= len(words) <= most:
        raise ValueError(len(words))
    return words


def _read(parse: Callable[[str], T], vkey: str) -> T:
    try:
        return parse(vkey)
    except MalformedLog as error:
        raise UsageError(error.message) from error

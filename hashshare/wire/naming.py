"""Which of several things with a short name a person means, who may type its full name or its domain as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hashshare.wire.errors import NotFound, UsageError

MOST_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Named:
    """`key`: its short name, which is unique. `names`: what else it is shown as. `state`: a word on how it stands."""

    key: str
    names: tuple[str, ...] = ()
    state: str = ""

    def __str__(self) -> str:
        said = [name for name in dict.fromkeys(self.names) if name and name != self.key]
        details = ", ".join([*said, *([self.state] if self.state else [])])
        return f"{self.key} ({details})" if details else self.key


def named(text: str, among: Iterable[Named], *, kind: str, did: str) -> Named:
    """The one of that short name, else the only one that is shown so, capitals or not.

    `kind` and `did` say what is sought: "hub", "has asked for aurora.example/images". Raises NotFound for none and
    UsageError for several, both with those that there are.
    """
    found = list({each.key: each for each in among}.values())
    for each in found:
        if each.key == text:
            return each
    meant = [each for each in found if text.casefold() in {name.casefold() for name in (each.key, *each.names)}]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise UsageError(
            f"{text[:80]!r} may be one of {len(meant):,}. Nothing was changed.",
            next_step=f"Name it by its short name: {shown(meant)}.",
        )
    raise NotFound(
        f"No {kind} {text[:80]!r} {did}.", next_step=f"These have: {shown(found)}." if found else "None has."
    )


def shown(found: Sequence[Named]) -> str:
    """The first MOST_SHOWN, and how many more there are."""
    more = f" and {len(found) - MOST_SHOWN:,} more" if len(found) > MOST_SHOWN else ""
    return f"{', '.join(map(str, found[:MOST_SHOWN]))}{more}"

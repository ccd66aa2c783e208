"""Rows of daily figures as they are counted up: by metric, scope and part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hashshare.disclosure import Count

WHOLE = ""
"""The scope of the coalition."""


class Place(NamedTuple):
    """`scope`: "", or such as `country:NL`; `part`: "", or such as `algorithm:sha256`."""

    metric: str
    scope: str = WHOLE
    part: str = ""

    @property
    def dimension(self) -> str:
        """As a daily row has it."""
        return f"{self.scope}|{self.part}" if self.part else self.scope


@dataclass(slots=True)
class Rows:
    """Counts by place; what is added to the same place is added up."""

    counted: dict[Place, Count] = field(default_factory=dict)

    def add(self, metric: str, scopes: Iterable[str], value: int, *, part: str = "", private: bool = False) -> None:
        """`private`: an organisation stands behind it that has not agreed to be named."""
        for scope in scopes:
            place = Place(metric, scope, part)
            before = self.counted.get(place, Count(0))
            self.counted[place] = Count(before.value + value, before.private + (value if private else 0))

    def begin(self, metrics: Iterable[str]) -> None:
        """Nought for the coalition, where nothing else is counted."""
        for metric in metrics:
            self.add(metric, [WHOLE], 0)

    def __iter__(self) -> Iterator[tuple[Place, Count]]:
        return iter(self.counted.items())


def read_dimension(metric: str, dimension: str) -> Place:
    scope, _, part = dimension.partition("|")
    return Place(metric, scope, part)


def country(code: str) -> str:
    return f"country:{code}"


def sector(name: str) -> str:
    """The bar parts scope from part; no sector needs it."""
    return f"sector:{name.replace('|', '/')}"


def hotline(domain: str) -> str:
    return f"hotline:{domain}"

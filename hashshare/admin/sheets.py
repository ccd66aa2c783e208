"""One edition of a period's figures in one scope, with the periods before it, ready to be asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, Protocol, TypeVar

from hashshare.admin.charts import Reading
from hashshare.admin.measures import MEASURES

SHOWN: Final = {"week": 13, "month": 13, "quarter": 9}
"""How many periods a chart goes back, the one that is shown included."""
AXES: Final = ("country", "sector", "hotline")


class Edition(Protocol):
    """What is asked of an edition: the rows of models.StatisticPeriod."""

    pk: int
    kind: str
    label: str
    start: date
    as_of: date
    revision: int


E = TypeVar("E", bound=Edition)


class Row(Protocol):
    """What is asked of a figure: those of selectors.editions."""

    @property
    def period(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def part(self) -> str: ...
    @property
    def value(self) -> int | None: ...
    @property
    def withheld(self) -> bool: ...


class Shown(NamedTuple):
    """`value` is None where all of it is withheld."""

    value: int | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """`history`: the editions that charts show, oldest first, the last of which is the one in hand. `scope`: "" for the
    coalition, else such as `country:NL`.
    """

    history: Sequence[Edition]
    scope: str
    found: dict[tuple[int, str, str, str], Shown]

    @property
    def edition(self) -> Edition:
        return self.history[-1]

    @property
    def axis(self) -> str:
        """country, sector or hotline; "" for the coalition."""
        return self.scope.partition(":")[0]

    @property
    def before(self) -> Edition | None:
        return self.history[-2] if len(self.history) > 1 else None

    def get(self, metric: str, part: str = "") -> Shown | None:
        """Of the period in hand; None where there is no such figure."""
        return self.found.get((self.edition.pk, metric, self.scope, part))

    def get_before(self, metric: str) -> Shown | None:
        return self.found.get((self.before.pk, metric, self.scope, "")) if self.before else None

    def readings(self, metric: str) -> tuple[Reading, ...]:
        """A value for each period of the history."""
        return tuple(Reading(it.label, self._of(it, metric)) for it in self.history)

    def percents(self, metric: str, of: str) -> tuple[Reading, ...]:
        pairs = [(it.label, self._of(it, metric), self._of(it, of)) for it in self.history]
        return tuple(Reading(label, percent(value, whole)) for label, value, whole in pairs)

    def parts(self, metric: str, by: str) -> dict[str, Shown]:
        """What the figure is divided into, by name; "" for what says nothing."""
        found = {}
        for (period, name, scope, part), shown in self.found.items():
            axis, _, word = part.partition(":")
            if (period, name, scope, axis) == (self.edition.pk, metric, self.scope, by):
                found[word] = shown
        return found

    def scopes(self, metric: str, axis: str) -> dict[str, Shown]:
        """The figure of every country, sector or hotline that may be shown, by name."""
        found = {}
        for (period, name, scope, part), shown in self.found.items():
            kind, _, word = scope.partition(":")
            if (period, name, kind, part) == (self.edition.pk, metric, axis, ""):
                found[word] = shown
        return found

    @property
    def known_scopes(self) -> list[str]:
        """Every scope that has a figure, in alphabetical order of axis and name."""
        return sorted({scope for period, _, scope, _ in self.found if scope and period == self.edition.pk})

    def _of(self, edition: Edition, metric: str) -> int | None:
        shown = self.found.get((edition.pk, metric, self.scope, ""))
        return shown.value if shown else None


def make_sheet(history: Sequence[Edition], scope: str, rows: Iterable[Row]) -> Sheet:
    order = list(MEASURES)
    found = {(it.period, it.metric, it.scope, it.part): Shown(it.value, it.withheld) for it in rows}
    ranked = sorted(found, key=lambda it: (order.index(it[1]) if it[1] in order else len(order), it[1:], it[0]))
    return Sheet(history, scope, {place: found[place] for place in ranked})


def history_of(edition: E, editions: Sequence[E]) -> list[E]:
    """The newest editions of the periods before, oldest first, and the edition in hand. `editions`: latest first."""
    past: dict[date, E] = {}
    for it in editions:
        if it.start < edition.start and it.start not in past:
            past[it.start] = it
    return [*list(past.values())[: SHOWN[edition.kind] - 1][::-1], edition]


def percent(value: int | None, whole: int | None) -> int | None:
    return round(100 * value / whole) if value is not None and whole else None

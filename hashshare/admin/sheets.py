"""One edition of a period's figures in one scope, with the periods before it, ready to be asked. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, Protocol, TypeVar

from hashshare.admin.charts import Reading

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

    `over_time`: the scope's undivided figures, by metric and id of the edition. `divided`: of the edition in hand, by
    metric and what they are divided by, then name. `side_by_side`: of every scope, by metric and axis, then name.
    """

    history: Sequence[Edition]
    scope: str
    over_time: Mapping[tuple[str, int], Shown]
    divided: Mapping[tuple[str, str], dict[str, Shown]]
    side_by_side: Mapping[tuple[str, str], dict[str, Shown]]

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

    def get(self, metric: str) -> Shown | None:
        """Of the period in hand; None where there is no such figure."""
        return self.over_time.get((metric, self.edition.pk))

    def get_before(self, metric: str) -> Shown | None:
        return self.over_time.get((metric, self.before.pk)) if self.before else None

    def readings(self, metric: str) -> tuple[Reading, ...]:
        """A value for each period of the history."""
        return tuple(Reading(it.label, self._of(it, metric)) for it in self.history)

    def percents(self, metric: str, of: str) -> tuple[Reading, ...]:
        pairs = [(it.label, self._of(it, metric), self._of(it, of)) for it in self.history]
        return tuple(Reading(label, percent(value, whole)) for label, value, whole in pairs)

    def parts(self, metric: str, by: str) -> dict[str, Shown]:
        """What the figure is divided into, by name; "" for what says nothing."""
        return self.divided.get((metric, by), {})

    def scopes(self, metric: str, axis: str) -> dict[str, Shown]:
        """The figure of every country, sector or hotline that may be shown, by name."""
        return self.side_by_side.get((metric, axis), {})

    @property
    def known_scopes(self) -> list[str]:
        """Every scope that has a figure, in alphabetical order of axis and name."""
        return sorted({f"{axis}:{name}" for (_, axis), found in self.side_by_side.items() for name in found})

    def _of(self, edition: Edition, metric: str) -> int | None:
        shown = self.over_time.get((metric, edition.pk))
        return shown.value if shown else None


def make_sheet(history: Sequence[Edition], scope: str, rows: Iterable[Row]) -> Sheet:
    """`rows`: what is undivided in the whole history, and whatever else there is of the edition in hand."""
    over_time: dict[tuple[str, int], Shown] = {}
    divided: defaultdict[tuple[str, str], dict[str, Shown]] = defaultdict(dict)
    side_by_side: defaultdict[tuple[str, str], dict[str, Shown]] = defaultdict(dict)
    here = history[-1].pk
    for it in rows:
        shown = Shown(it.value, it.withheld)
        if it.scope == scope and not it.part:
            over_time[it.metric, it.period] = shown
        if it.scope == scope and it.part:
            by, _, name = it.part.partition(":")
            divided[it.metric, by][name] = shown
        if it.scope and not it.part and it.period == here:
            axis, _, name = it.scope.partition(":")
            side_by_side[it.metric, axis][name] = shown
    return Sheet(history, scope, over_time, divided, side_by_side)


def history_of(edition: E, editions: Sequence[E]) -> list[E]:
    """The newest editions of the periods before, oldest first, and the edition in hand. `editions`: latest first."""
    past: dict[date, E] = {}
    for it in editions:
        if it.start < edition.start and it.start not in past:
            past[it.start] = it
    return [*list(past.values())[: SHOWN[edition.kind] - 1][::-1], edition]


def percent(value: int | None, whole: int | None) -> int | None:
    return round(100 * value / whole) if value is not None and whole else None

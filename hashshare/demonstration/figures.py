"""Daily figures of a demonstration's past, and the periods that are made of them as on any hub."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from hashshare.demonstration.cast import ACTIONS
from hashshare.demonstration.parties import Parties
from hashshare.disclosure import Count
from hashshare.models import ListCount
from hashshare.services.commitments import accept_commitment, add_action, enter_commitment
from hashshare.services.counting import LAPSES_KEPT, count_entries
from hashshare.services.statistics.daily import write_rows
from hashshare.services.statistics.editions import publish_periods
from hashshare.services.statistics.happenings import happenings
from hashshare.services.statistics.levels import levels
from hashshare.services.statistics.rows import Place

BEGUN: Final = 0.35
"""How much of today's levels there was on the first day."""
STATES: Final = ("signed", "in_progress", "done")


def make_figures(*, weeks: int, dice: random.Random, now: datetime) -> None:
    """What happened is counted from the releases and deliveries; what was there is today's, scaled into the past."""
    count_entries(now=now)
    _lapses(dice, now)
    today = now.date()
    present = list(levels(now))
    for ago in range(weeks * 7, -1, -1):
        day = today - timedelta(days=ago)
        write_rows(day, happenings(day))
        write_rows(day, present if ago == 0 else _scaled(present, 1 - ago / (weeks * 7), day))
    publish_periods(now=now)


def _lapses(dice: random.Random, now: datetime) -> None:
    """Some entries of each list lapsed in the last weeks."""
    days = [now.date() - timedelta(days=ago) for ago in range(0, LAPSES_KEPT.days, 3)]
    for row in ListCount.objects.all():
        row.lapsed = {day.isoformat(): dice.randrange(0, 9) for day in days}
        row.save(update_fields=["lapsed"])


def _scaled(present: list[tuple[Place, Count]], part: float, day: date) -> Iterator[tuple[Place, Count]]:
    """Each level as it may have been when `part` of the time had gone by, 0 to 1."""
    grown = BEGUN + (1 - BEGUN) * math.sqrt(part)
    current = 0.86 + 0.1 * math.sin(day.toordinal() / 17)
    for place, count in present:
        share = grown * current if place.metric == "members_current" else grown
        value = math.ceil(count.value * share)
        yield place, Count(value, min(value, math.ceil(count.private * share)))


def make_commitments(*, parties: Parties, dice: random.Random, now: datetime) -> None:
    """Most of what signatories entered has been reviewed; some waits for the operator."""
    operator = parties.people["operator@north.example"]
    engineer = parties.people["cleo@cobalt.example"]
    actions = [add_action(key=key, text=text, position=i) for i, (key, text) in enumerate(ACTIONS)]
    for signatory in [*parties.members[:14], *parties.partners[:3]]:
        for action in actions[: dice.randrange(1, 5)]:
            made = enter_commitment(
                signatory=signatory,
                action=action,
                state=dice.choices(STATES, weights=(2, 3, 4))[0],
                source=f"https://{signatory.slug}.example/statement/{action.key}",
                dated=now.date() - timedelta(days=dice.randrange(20, 380)),
                by=engineer,
                now=now - timedelta(days=dice.randrange(3, 19)),
            )
            if dice.random() < 0.85:
                accept_commitment(commitment=made, verified=dice.random() < 0.5, by=operator, now=now)

"""Daily figures of a demonstration's past, and the periods that are made of them as on any hub."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from hashshare.demonstration.cast import ACTIONS
from hashshare.demonstration.parties import Parties
from hashshare.models import ListCount
from hashshare.services.commitments import accept_commitment, add_action, enter_commitment
from hashshare.services.counting import LAPSES_KEPT, count_entries
from hashshare.services.statistics.daily import write_rows
from hashshare.services.statistics.editions import publish_periods
from hashshare.services.statistics.happenings import happenings
from hashshare.services.statistics.levels import levels

BEGUN: Final = 0.35
"""How much of today's levels there was on the first day."""
PAST_LEVELS: Final = """
    INSERT INTO hashshare_dailystatistic (day, metric, dimension, value, private)
    SELECT day, metric, dimension, value, least(value, private)
    FROM (
        SELECT past.day, metric, dimension, ceil(value * share) AS value, ceil(private * share) AS private
        FROM (
            SELECT %(today)s::date - ago AS day,
                %(begun)s + (1 - %(begun)s) * sqrt(1 - ago::float8 / %(days)s) AS grown,
                0.86 + 0.1 * sin((%(today)s::date - ago - date '0001-01-01' + 1) / 17.0) AS current
            FROM generate_series(1, %(days)s) AS ago
        ) AS past
        CROSS JOIN hashshare_dailystatistic AS present
        CROSS JOIN LATERAL (
            SELECT grown * CASE WHEN metric = 'members_current' THEN current ELSE 1 END AS share
        ) AS shares
        WHERE present.day = %(today)s AND metric = ANY(%(metrics)s)
    ) AS scaled
"""
"""Each level of today as it may have been on each day before, growing."""
STATES: Final = ("signed", "in_progress", "done")


def make_figures(*, weeks: int, dice: random.Random, now: datetime) -> None:
    """What happened is counted from the releases and deliveries; what was there is today's, scaled into the past."""
    count_entries(now=now)
    _lapses(dice, now)
    today = now.date()
    for ago in range(weeks * 7, -1, -1):
        day = today - timedelta(days=ago)
        write_rows(day, happenings(day))
    present = levels(now)
    write_rows(today, present)
    with connection.cursor() as cursor:
        metrics = sorted({place.metric for place, _ in present})
        cursor.execute(PAST_LEVELS, {"begun": BEGUN, "days": weeks * 7, "today": today, "metrics": metrics})
        cursor.execute("ANALYZE hashshare_dailystatistic")
    publish_periods(now=now)


def _lapses(dice: random.Random, now: datetime) -> None:
    """Some entries of each list lapsed in the last weeks."""
    days = [now.date() - timedelta(days=ago) for ago in range(0, LAPSES_KEPT.days, 3)]
    for row in ListCount.objects.all():
        row.lapsed = {day.isoformat(): dice.randrange(0, 9) for day in days}
        row.save(update_fields=["lapsed"])


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

"""Making a demonstration, all or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from hashshare.demonstration.figures import make_commitments, make_figures
from hashshare.demonstration.history import make_history
from hashshare.demonstration.lists import make_lists
from hashshare.demonstration.parties import make_parties
from hashshare.demonstration.receiving import deliver, subscribe_members
from hashshare.demonstration.sizes import Size
from hashshare.demonstration.uploads import make_uploads
from hashshare.models import Demonstration, Organisation, Person
from hashshare.wire import errors

SEED: Final = 20141211
"""The same history every time, but for keys."""

Told = Callable[[str], None]


@transaction.atomic
def make_demonstration(*, size: Size, password: str, now: datetime, told: Told) -> Demonstration:
    """Fill an empty hub. `password` is that of everybody in the cast; `told` hears what is being made.

    Raises Conflict on a hub that has organisations or people: made-up rows must never stand among real ones.
    """
    if Demonstration.objects.exists():
        raise errors.Conflict(
            "This hub is a demonstration already.",
            next_step="Its people sign in with the password that was shown. To begin again, use another data folder.",
        )
    if Organisation.objects.exists() or Person.objects.exists():
        raise errors.Conflict(
            "This hub has organisations or people; made-up ones must not stand among them. Nothing was changed.",
            next_step="Use an empty hub: HASHSHARE_DATA=/another/folder manage.py demo.",
        )
    dice = random.Random(SEED)  # noqa: S311  (a made-up history, nothing secret)
    made = Demonstration.objects.create(made_at=now)
    told(f"{size.organisations} organisations and their people")
    parties = make_parties(size=size, dice=dice, password=password, now=now)
    told(f"{size.lists} lists, signed")
    heads = make_lists(size=size, hotlines=parties.hotlines, dice=dice, now=now)
    told(f"{size.releases:,} releases")
    make_history(heads=heads, machines=parties.keys, weeks=size.weeks, dice=dice, now=now)
    told("subscriptions, deliveries, acknowledgements")
    subscribe_members(heads=heads, parties=parties, size=size, dice=dice, now=now)
    deliver(share=size.acknowledged, now=now)
    make_uploads(heads=heads, parties=parties, now=now)
    analyze()
    counted = min(size.weeks, size.counted)
    told(f"figures of {counted} weeks")
    make_figures(weeks=counted, dice=dice, now=now)
    make_commitments(parties=parties, dice=dice, now=now)
    analyze()
    return made


def analyze() -> None:
    """So many rows came at once that the planner knows nothing of them."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

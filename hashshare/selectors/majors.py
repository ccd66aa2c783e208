"""How many entries a list may still lose in seven days on its feed key's word alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet, Sum

from hashshare.models import HashList, Release
from hashshare.wire.major import WINDOW


@dataclass(frozen=True, slots=True)
class Window:
    """`lost` entries were taken by the feed key alone since it began; `held` then."""

    lost: int
    held: int


def window(hash_list: HashList, *, now: datetime) -> Window:
    """The seven days that end `now`. What releases with a major took is not counted."""
    return Window(_lost(hash_list, now), _held(hash_list, now))


def _lost(hash_list: HashList, now: datetime) -> int:
    rows = _published(hash_list).filter(published_at__gt=now - WINDOW, major=False)
    total: int | None = rows.aggregate(total=Sum(F("withdrawals") + F("weakened")))["total"]
    return total or 0


def _held(hash_list: HashList, now: datetime) -> int:
    """Entries of the version that was served when the window began; of a younger list, those of its first version.

    Not those held now, which a stolen key could multiply to be allowed more.
    """
    rows = _published(hash_list)
    then = rows.filter(published_at__lte=now - WINDOW).order_by("-version").first() or rows.order_by("version").first()
    return then.entries if then else 0


def _published(hash_list: HashList) -> QuerySet[Release]:
    return Release.objects.filter(list=hash_list, state=Release.State.PUBLISHED)

"""The limit of requests per organisation: a counter per minute in the cache, no matter by which key or door.

Callers without credentials are counted by their network address.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from hashshare.selectors.callers import Caller
from hashshare.services.counters import count, network_address

if TYPE_CHECKING:
    from rest_framework.views import APIView

PERIODS: Final = {"second": 1, "min": 60, "hour": 3600, "day": 86400}


class OrganisationThrottle(BaseThrottle):
    """Fixed windows: one increment a request, and Retry-After is simply the window's end."""

    def __init__(self) -> None:
        self.now = time.time()
        self.limit, self.seconds = parse_rate(settings.HASHSHARE_RATE_LIMIT)

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not self.limit:
            return True
        window = int(self.now // self.seconds)
        return count(f"requests:{_who(request)}:{window}", kept=2 * self.seconds) <= self.limit

    def wait(self) -> float:
        return self.seconds - self.now % self.seconds + 1


@cache
def parse_rate(text: str) -> tuple[int, int]:
    """`1200/min` as (1200, 60); an empty text means no limit and gives (0, 1). Raises ValueError."""
    if not text:
        return 0, 1
    number, _, period = text.partition("/")
    if period not in PERIODS:
        raise ValueError(f"HASHSHARE_RATE_LIMIT is a number and one of {', '.join(PERIODS)}, as in 1200/min")
    return int(number), PERIODS[period]


def _who(request: Request) -> str:
    caller = request.user
    if isinstance(caller, Caller):
        return str(caller.organisation.pk)
    return f"address-{network_address(request.META)}"

"""Ending guesses at the door (django-axes): which failures count together, and letting somebody in again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from hashshare.models import Person
from hashshare.selectors.second_factors import failures_in_a_row
from hashshare.services.counters import network_address
from hashshare.services.second_factors import MOST_FAILURES, forgive_failures

MOST_OF_AN_ADDRESS: Final = 100
"""Failures from one network address, at whichever accounts, within the time that they count."""


class Doorkeeper(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Closed is not the account, which anybody could bring about, but the door to the network address that the failures
    came from: after AXES_FAILURE_LIMIT at one account, after MOST_OF_AN_ADDRESS in all. Then for AXES_COOLOFF_TIME.
    """

    def is_locked(self, request: Any, credentials: Any = None) -> bool:
        return bool(super().is_locked(request, credentials)) or self._of_the_address(request) >= MOST_OF_AN_ADDRESS

    def _of_the_address(self, request: Any) -> int:
        since = request.axes_attempt_time - settings.AXES_COOLOFF_TIME
        rows = AccessAttempt.objects.filter(ip_address=request.axes_ip_address, attempt_time__gte=since)
        return int(rows.aggregate(total=Sum("failures_since_start"))["total"] or 0)


def address_of(request: HttpRequest) -> str | None:
    """For axes: only proxies that the deployment trusts are believed."""
    return network_address(request.META) or None


def may_try(request: HttpRequest, *, email: str) -> bool:
    return bool(AxesProxyHandler.is_allowed(request, {"username": email}))


def note_failure(request: HttpRequest, *, email: str) -> None:
    """A wrong code counts like a wrong password, which Django tells axes itself."""
    user_login_failed.send(__name__, credentials={"username": email}, request=request)


def is_shut_out(person: Person) -> bool:
    """From any network address."""
    if failures_in_a_row(person) >= MOST_FAILURES:
        return True
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    rows = AccessAttempt.objects.filter(username=person.email, attempt_time__gte=since).order_by()
    counted = rows.values("ip_address").annotate(total=Sum("failures_since_start"))
    return any(row["total"] >= settings.AXES_FAILURE_LIMIT for row in counted)


def let_in_again(*, person: Person) -> None:
    reset(username=person.email)
    forgive_failures(person=person)


def how_long() -> timedelta:
    """A door stays closed."""
    found: timedelta = settings.AXES_COOLOFF_TIME
    return found

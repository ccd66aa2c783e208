"""At the hub's machine: who asks for which list, and the word on it, of the operator in the place of the hotline, or of
the operator alone where a hotline at another hub has left the members of this one to it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hashshare.models import HashList, Organisation, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.redistribution import decided_at, decided_by_this_hub, who_decides
from hashshare.services.deeds import note_deed
from hashshare.services.subscriptions import OPEN, decide_subscription
from hashshare.wire import errors
from hashshare.wire.naming import Named, named

MACHINE: Final = "manage.py"
"""In the place of a person's e-mail."""
SAID: Final = {
    "grant": "{who} receives {list} until {until:%Y-%m-%d}.",
    "deny": "The request of {who} for {list} is denied.",
    "revoke": "{who} no longer receives {list}. What it already holds stays with it.",
}


def add_arguments(parser: CommandParser) -> None:
    """Those that every decision has."""
    parser.add_argument("list", metavar="LIST", help="such as aurora.example/images")
    parser.add_argument("organisation", metavar="ORG", help="short name, name or, of a hub or hotline, its domain")
    parser.add_argument("--reason", default="", help="the organisation reads it, and it is kept in the record")


def decide(decision: str, options: dict[str, Any], *, until: date | None = None) -> str:
    """What was done, in a sentence. Raises CommandError, with nothing changed."""
    try:
        with transaction.atomic():
            row = _decide(decision, options["list"], options["organisation"], options["reason"], until)
    except errors.HashshareError as error:
        raise CommandError(f"{error.message} {error.next_step}".strip()) from error
    return SAID[decision].format(who=row.organisation, list=row.list.name, until=row.ends_at)


def _decide(decision: str, name: str, who: str, reason: str, until: date | None) -> Subscription:
    found = list_by_name(name)
    if not reason.strip() and not decided_at(found) and (decision != "grant" or not decided_by_this_hub(found)):
        theirs = f"It is for {who_decides(found)} to decide" if decision == "grant" else "The member reads it"
        raise errors.UsageError(f"{theirs}: say why, --reason TEXT. Nothing was changed.")
    organisation = _asking(found, who)
    hotline, now = found.publisher.organisation, timezone.now()
    row = decide_subscription(
        caller=Caller(hotline, "session", MACHINE),
        domain=found.publisher.domain,
        slug=found.slug,
        organisation=organisation,
        decision=decision,
        until=until,
        reason=reason,
        now=now,
    )
    note_deed(person=None, what=decision.capitalize(), about=row, reason=reason, now=now)
    return row


def list_by_name(name: str) -> HashList:
    """Raises NotFound, naming the lists that somebody asks for."""
    domain, _, slug = name.partition("/")
    rows = HashList.objects.select_related("publisher__organisation")
    found = rows.filter(publisher__domain=domain, slug=slug).first()
    if found is None:
        raise errors.NotFound(f"There is no list {name[:120]!r} here.", next_step="See: manage.py requests --all")
    return found


def _asking(found: HashList, who: str) -> str:
    """The short name of who is meant. Raises NotFound, UsageError, naming who asked for the list or has it."""
    rows = subscriptions().filter(list=found, state__in=OPEN)
    if found.visibility == HashList.Visibility.PRIVATE and Organisation.objects.filter(slug=who).exists():
        return who  # it need not have asked
    one = named(who, [_named(row) for row in rows], kind="organisation", did=f"has asked for {found.name}")
    return one.key


def _named(row: Subscription) -> Named:
    it = row.organisation
    return Named(it.slug, (it.name, *(publisher.domain for publisher in it.publishers.all())), row.state)


def subscriptions() -> QuerySet[Subscription]:
    """What waits first, each with the longest wait first."""
    rows = Subscription.objects.select_related("organisation", "list__publisher__organisation")
    return rows.prefetch_related("organisation__publishers").order_by("-state", "requested_at", "pk")


def parsed_day(text: str) -> date:
    """Raises CommandError for what is no day in the future."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date, read as UTC
    except ValueError as error:
        raise CommandError(f"--until is a date such as 2027-12-31, not {text[:40]}. Nothing was changed.") from error
    if day <= timezone.now().date():
        raise CommandError(f"--until {day} is not in the future. Nothing was changed.")
    return day

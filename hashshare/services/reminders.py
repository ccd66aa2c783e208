"""Telling members' people, by mail, that a withdrawal is overdue there."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from hashshare.models import HashList, Organisation, Person, Release, Reminder
from hashshare.selectors.logs import newest_acknowledged
from hashshare.selectors.propagation import SHOWN_DAYS, entitled_at, withdrawal, withdrawing
from hashshare.services.runs import spared

logger = logging.getLogger(__name__)

PAUSE: Final = timedelta(days=1)
"""Between two mails to one organisation about one list, however many withdrawals become overdue meanwhile."""

NAMED: Final = 20
"""Versions that a mail names one by one."""

TEXT: Final = """\
{name}, a list that {organisation} receives from this hub, took entries back, and {organisation} has not
confirmed that it applied this. The hotline asks for it within {hours} hours.

{versions}

What to do: run `hashshare sync` where the list is used, and see why it did not run, or could not confirm what it did.
`hashshare status` shows both. Whoever uses another client sends an acknowledgement: {hub}/api/v1/docs.

The withdrawn entries are hashes of material that should not be matched any more: a match may accuse somebody wrongly.
You get this mail once about each withdrawal.
"""


def remind_overdue(*, now: datetime) -> int:
    """Mail whoever is newly overdue; how many organisations. One that cannot be mailed is named, and tried again."""
    count = 0
    for hash_list, organisation in list(overdue_members(now)):
        with spared("%s could not be reminded of withdrawals of %s.", organisation, hash_list):
            count += remind(hash_list, organisation, now)
    return count


def overdue_members(now: datetime) -> Iterator[tuple[HashList, Organisation]]:
    """Of every list but the sandbox: who has not applied the newest release that is past its deadline. Having applied
    that one is having applied all before it.
    """
    recent = withdrawing(now - timedelta(days=SHOWN_DAYS)).filter(list=OuterRef("pk"))
    for hash_list in HashList.objects.select_related("publisher").filter(Exists(recent), publisher__sandbox=False):
        newest = past_deadline(hash_list, now).order_by("-version").first()
        if newest is not None:
            members = withdrawal(release=newest, now=now).members
            yield from ((hash_list, member.organisation) for member in members if member.overdue)


def past_deadline(hash_list: HashList, now: datetime) -> QuerySet[Release]:
    """The list's withdrawals of the last weeks that should have been applied by now."""
    rows = withdrawing(now - timedelta(days=SHOWN_DAYS))
    return rows.filter(list=hash_list, published_at__lt=now - timedelta(hours=hash_list.deadline_hours))


@transaction.atomic
def remind(hash_list: HashList, organisation: Organisation, now: datetime) -> bool:
    """False when it was reminded lately, of this or by another worker at this moment.

    The rows come first: two workers cannot both write them, and a mail that fails takes them back.
    """
    past = Reminder.objects.filter(organisation=organisation, release__list=hash_list)
    due = list(unreminded(hash_list, organisation, now))
    if not due or past.filter(sent_at__gt=now - PAUSE).exists():
        return False
    people = addresses(organisation)
    try:
        with transaction.atomic():
            Reminder.objects.bulk_create(
                Reminder(release=release, organisation=organisation, recipients=len(people), sent_at=now)
                for release in due
            )
    except IntegrityError:
        return False
    if not people:
        logger.warning("%s has nobody here to be reminded of withdrawals of %s.", organisation, hash_list)
        return False
    message(hash_list, organisation, due, people).send()
    return True


def unreminded(hash_list: HashList, organisation: Organisation, now: datetime) -> QuerySet[Release]:
    """What is past its deadline, not applied, and not yet told."""
    newest = newest_acknowledged(organisation.pk, hash_list.pk).first()
    entitled = entitled_at(hash_list, OuterRef("published_at")).filter(organisation=organisation)
    told = Reminder.objects.filter(release=OuterRef("pk"), organisation=organisation)
    rows = past_deadline(hash_list, now).filter(Exists(entitled)).exclude(Exists(told))
    return rows.filter(version__gt=newest.version if newest else 0).order_by("version")


def addresses(organisation: Organisation) -> list[str]:
    who = Person.objects.filter(organisation=organisation, is_active=True)
    who = who.filter(role__in=[Person.Role.ENGINEER, Person.Role.ANALYST])
    return list(who.order_by("email").values_list("email", flat=True))


def message(
    hash_list: HashList, organisation: Organisation, releases: Sequence[Release], people: list[str]
) -> EmailMessage:
    """It names versions and counts, never a hash."""
    text = TEXT.format(
        name=hash_list.name,
        organisation=organisation.name,
        hours=hash_list.deadline_hours,
        versions="\n".join(versions(releases)),
        hub=settings.HASHSHARE_PUBLIC_URL,
    )
    subject = f"Withdrawals of {hash_list.name} are overdue at {one_line(organisation.name)}"
    return EmailMessage(subject, text, to=people)


def versions(releases: Sequence[Release]) -> Iterator[str]:
    for release in releases[:NAMED]:
        entries = "1 entry" if release.withdrawals == 1 else f"{release.withdrawals:,} entries"
        yield f"  version {release.version}, published {release.published_at:%Y-%m-%d %H:%M} UTC: {entries} withdrawn"
    if len(releases) > NAMED:
        yield f"  and {len(releases) - NAMED} more versions, up to {releases[-1].version}"


def one_line(text: str) -> str:
    return " ".join(text.split())

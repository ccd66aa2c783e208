"""Telling people, by mail, that a signature nears its end: the hotline that signs it, and the hub's operators.

Each step is told once to each audience. After an outage only the step that is reached by then is told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from hashshare.models import ExpiryWarning, Person
from hashshare.selectors.freshness import Signature, signatures
from hashshare.services.reminders import addresses, one_line
from hashshare.services.runs import spared
from hashshare.services.timestamps import refresh_ending

logger = logging.getLogger(__name__)

Audience = ExpiryWarning.Audience

NAMED: Final = 40
"""Signatures that a mail names one by one."""

TO_HOTLINE: Final = """\
What {organisation} signed for its members nears the end of its life. Members keep what they hold when it is over, but
their tools alarm and nothing new reaches them until it is signed again.

{lines}

{todo}
All that ends, and when: {hub}/admin/expiring/

You get one mail at each step: half of the life over, three quarters, the last days, the end.
"""

OWN_MACHINE: Final = """\
What to do: run the command on the machine that holds the key, and see why it did not run by itself. A nightly
`hashshare publish` signs the feed of its list again; nobody but you can."""

HUBS_TURN: Final = """\
Hosted lists the hub signs, again and again by itself. Here it did not; its operators have been told, and can tell you
when it will. There is no command for you to run."""

TO_OPERATORS: Final = """\
Signatures at {hub} near the end of their lives.

{lines}

What hotlines sign, only they can sign again; they have been told where they have people here, so call those who do
not. What the hub signs, hosted lists included, it signs again by itself: if such a line is here, that failed, so see
the worker's log, the page {hub}/admin/timetable/, and whether the hub's keys and hosted.pem are in their folder.
All that ends, and when: {hub}/admin/expiring/
"""

HOW: Final[dict[str, str]] = {
    "feed": "hashshare publisher refresh {subject}",
    "targets": "hashshare publisher renew {domain}",
    "root": "hashshare publisher renew {domain}",
    "major": "signed by two officers with the next large loss of entries: hashshare publish",
    "snapshot": "signed by the hub, which failed",
    "timestamp": "signed by the hub, which failed",
}
"""How each kind of role is signed again."""

HOSTED: Final = "hosted: signed by the hub, which failed"


def warn_expiring(*, now: datetime) -> int:
    """Mail about each step that is newly reached; how many mails. Who cannot be mailed is tried again.

    What the hub itself can still mend is mended first, and then is nobody's concern.
    """
    refresh_ending(now=now)
    near = [signature for signature in signatures() if signature.step(now)]
    near.sort(key=lambda signature: str(signature.publisher.organisation_id))
    count = 0
    for _, group in groupby(near, key=lambda signature: signature.publisher.organisation):
        own = [signature for signature in group if not signature.by_hub]
        if own:
            with spared("%s could not be warned of what expires.", own[0].publisher.organisation):
                count += warn(own, Audience.ORGANISATION, addresses(own[0].publisher.organisation), now)
    with spared("Operators could not be warned of what expires."):
        count += warn(near, Audience.OPERATORS, operators(), now)
    return count


@transaction.atomic
def warn(near: Sequence[Signature], audience: ExpiryWarning.Audience, people: list[str], now: datetime) -> bool:
    """Whether a mail went out. False when all is told already, or there is nobody to tell.

    The rows come first: two workers cannot both write them, and a mail that fails takes them back.
    """
    due = untold(near, audience, now)
    if not due:
        return False
    try:
        with transaction.atomic():
            ExpiryWarning.objects.bulk_create(row(signature, audience, len(people), now) for signature in due)
    except IntegrityError:
        return False
    if people:
        message(due, audience, people, now).send()
    for signature in due:
        told = f"{len(people)} of {audience} told" if people else f"nobody of {audience} has an account here"
        logger.warning("%s; %s.", line(signature, now), told)
    return bool(people)


def untold(near: Sequence[Signature], audience: str, now: datetime) -> list[Signature]:
    """Those whose step was not told this audience, soonest end first."""
    publishers = {signature.publisher.pk for signature in near}
    rows = ExpiryWarning.objects.filter(publisher__in=publishers, audience=audience)
    told = set(rows.values_list("publisher", "role", "version", "step"))
    due = [it for it in near if (it.publisher.pk, it.role, it.version, step_name(it, now)) not in told]
    return sorted(due, key=lambda signature: signature.ends)


def row(signature: Signature, audience: ExpiryWarning.Audience, recipients: int, now: datetime) -> ExpiryWarning:
    return ExpiryWarning(
        publisher=signature.publisher,
        role=signature.role,
        version=signature.version,
        step=step_name(signature, now),
        audience=audience,
        subject=signature.subject,
        expires_at=signature.ends,
        recipients=recipients,
        sent_at=now,
    )


def step_name(signature: Signature, now: datetime) -> str:
    step = signature.step(now)
    return step.name if step else ""


def operators() -> list[str]:
    who = Person.objects.filter(role=Person.Role.OPERATOR, is_active=True)
    return list(who.order_by("email").values_list("email", flat=True))


def message(due: Sequence[Signature], audience: str, people: list[str], now: datetime) -> EmailMessage:
    text = TO_HOTLINE if audience == Audience.ORGANISATION else TO_OPERATORS
    lines = [f"  {line(signature, now)}\n    {how(signature)}" for signature in due[:NAMED]]
    if len(due) > NAMED:
        lines.append(f"  and {len(due) - NAMED} more")
    body = text.format(
        organisation=due[0].publisher.organisation.name,
        lines="\n".join(lines),
        todo=what_to_do(due),
        hub=settings.HASHSHARE_PUBLIC_URL,
    )
    return EmailMessage(subject_line(due, now), body, to=people)


def what_to_do(due: Sequence[Signature]) -> str:
    """As the hotline reads it, whose turn it is for some, or the hub's."""
    hosted = sum(map(is_hosted, due))
    return "\n\n".join([*([OWN_MACHINE] if hosted < len(due) else []), *([HUBS_TURN] if hosted else [])])


def is_hosted(signature: Signature) -> bool:
    """Whether the hub keeps the key, for the hotline."""
    return signature.list is not None and signature.list.hosted


def subject_line(due: Sequence[Signature], now: datetime) -> str:
    first, more = due[0], f" and {len(due) - 1} more" if len(due) > 1 else ""
    verb = "has expired" if first.ends <= now else f"expires on {first.ends:%Y-%m-%d}"
    return one_line(f"The signature of {first.subject} {verb}{more}")


def line(signature: Signature, now: datetime) -> str:
    end = f"{signature.ends:%Y-%m-%d %H:%M} UTC"
    if signature.ends <= now:
        return f"{signature.subject}: its signature expired at {end}"
    return f"{signature.subject}: {signature.percent(now)} % of its signature's life is over; it expires at {end}"


def how(signature: Signature) -> str:
    if is_hosted(signature):
        return HOSTED
    return HOW[signature.kind].format(subject=signature.subject, domain=signature.publisher.domain)

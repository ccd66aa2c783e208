"""Commitments: signatories enter how far they are, operators review it. Nothing that was said is written over."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from hashshare.models import Commitment, Organisation, Person, StatementAction
from hashshare.wire import errors

FIRST_DAY = date(2000, 1, 1)


def add_action(*, key: str, text: str, position: int = 0) -> StatementAction:
    """An action of the statement, in its own words. Raises UsageError, Conflict for a key that is taken."""
    action = StatementAction(key=key.strip(), text=text.strip(), position=position)
    try:
        action.clean_fields()
    except ValidationError as error:
        raise errors.UsageError(_told(error)) from error
    try:
        with transaction.atomic():
            action.save(force_insert=True)
    except IntegrityError as error:
        raise errors.Conflict(f"There is already an action {action.key}.") from error
    return action


def retire_action(*, action: StatementAction, now: datetime) -> None:
    """Nothing more can be entered about it, and it leaves the statistics; what was entered stays on record."""
    StatementAction.objects.filter(pk=action.pk, retired_at=None).update(retired_at=now)


def enter_commitment(
    *, signatory: Organisation, action: StatementAction, state: str, source: str, dated: date, by: Person, now: datetime
) -> Commitment:
    """What the signatory says of itself, for the operator to review; until then nobody else sees it.

    Raises UsageError for a source that is no https address, a date in the future or before 2000, and an action that is
    retired; Conflict while an earlier entry about the action awaits its review.
    """
    if action.retired_at is not None:
        raise errors.UsageError("This action is no longer part of the statement.")
    if not FIRST_DAY <= dated <= now.date():
        raise errors.UsageError("The date of the source lies between 2000 and today.")
    made = Commitment(
        signatory=signatory,
        action=action,
        state=state,
        source=source.strip(),
        dated=dated,
        entered_by=by,
        entered_at=now,
    )
    try:
        made.clean_fields(exclude=["signatory", "action", "entered_by", "reviewed_by"])
    except ValidationError as error:
        raise errors.UsageError(_told(error)) from error
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise errors.Conflict(
            "What was entered about this action before awaits its review.",
            next_step="Wait for the hub's operator, or ask them to return it.",
        ) from error
    return made


def accept_commitment(*, commitment: Commitment, verified: bool, by: Person, now: datetime) -> None:
    """It counts from now on: verified by the operator against its source, or as the signatory's own word.

    Raises Conflict when it was reviewed meanwhile.
    """
    standing = Commitment.Standing.VERIFIED if verified else Commitment.Standing.SELF_REPORTED
    _review(commitment, standing, by=by, now=now)


def return_commitment(*, commitment: Commitment, reason: str, by: Person, now: datetime) -> None:
    """It does not count, and the signatory sees why. Raises Conflict when it was reviewed meanwhile."""
    _review(commitment, Commitment.Standing.RETURNED, by=by, now=now, reason=reason.strip()[:500])


def _review(commitment: Commitment, standing: str, *, by: Person, now: datetime, reason: str = "") -> None:
    """Compare and set: of two reviews at once one finds that there is nothing to review."""
    rows = Commitment.objects.filter(pk=commitment.pk, standing=Commitment.Standing.AWAITING)
    if not rows.update(standing=standing, reviewed_by=by, reviewed_at=now, reason=reason):
        raise errors.Conflict("This was reviewed meanwhile.", next_step="Look at how it stands now.")


def _told(error: ValidationError) -> str:
    """Which field, and what is wrong with it, in one line."""
    return " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())

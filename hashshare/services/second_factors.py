"""The second thing that people prove: making it, setting it, and taking each code once (TOTP, RFC 6238)."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import Enum
from typing import Final

from django.db import transaction
from django_otp.oath import TOTP

from hashshare.models import Authenticator, Person, RecoveryCode
from hashshare.services.codes import keyed_hash, new_code, plain
from hashshare.services.envelopes import CannotOpenError, seal, unseal

DIGITS: Final = 6
STEP: Final = 30
"""Seconds for which one code stands."""
TOLERANCE: Final = 1
"""Steps by which a phone's clock may be off, either way; what it was off by is not learned, so it never adds up."""
KEY_BYTES: Final = 20
RECOVERY_CODES: Final = 10
MOST_FAILURES: Final = 20
"""Wrong codes in a row, from wherever, after which none is taken until an operator lets the person in again: whoever
gets that far knows the password, and with three of a million codes good at a time, has then had a chance of 0.006 %."""


class Checked(Enum):
    """What became of a code."""

    AUTHENTICATOR = "authenticator"
    RECOVERY_CODE = "recovery code"
    WRONG = "wrong"
    CLOSED = "closed"
    UNREADABLE = "unreadable"

    @property
    def good(self) -> bool:
        return self in {Checked.AUTHENTICATOR, Checked.RECOVERY_CODE}


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def new_recovery_codes() -> tuple[str, ...]:
    return tuple(new_code() for _ in range(RECOVERY_CODES))


def matching_step(key: bytes, code: str, *, now: datetime, after: int) -> int | None:
    """The time step that the code is of, if it is one of the present ones and later than `after`."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
        return None
    totp = TOTP(key, step=STEP, digits=DIGITS)
    totp.time = now.timestamp()
    return int(totp.t()) if totp.verify(int(digits), tolerance=TOLERANCE, min_t=after + 1) else None


@transaction.atomic
def check_second_factor(*, person: Person, code: str, now: datetime) -> Checked:
    """Take a code of the app, or a recovery code, once: two requests with the same wait for each other's row."""
    held = Authenticator.objects.select_for_update(no_key=True, of=("self",)).filter(person=person).first()
    if held is None:
        return Checked.WRONG
    if held.failures >= MOST_FAILURES:
        return Checked.CLOSED
    found = _of_the_app(held, code, now)
    if found is Checked.WRONG and _use_recovery_code(person, code, now):
        found = Checked.RECOVERY_CODE
    held.failures = 0 if found.good else held.failures + (found is Checked.WRONG)
    held.save(update_fields=["last_step", "failures"])
    return found


def _of_the_app(held: Authenticator, code: str, now: datetime) -> Checked:
    if len(plain(code)) > DIGITS:
        return Checked.WRONG
    try:
        key = unseal(bytes(held.sealed_key), use=use_of(held.person_id))
    except CannotOpenError:
        return Checked.UNREADABLE
    step = matching_step(key, code, now=now, after=held.last_step)
    held.last_step = step if step is not None else held.last_step
    return Checked.WRONG if step is None else Checked.AUTHENTICATOR


def _use_recovery_code(person: Person, code: str, now: datetime) -> bool:
    hashed = keyed_hash(code, use=use_of(person.pk))
    return RecoveryCode.objects.filter(person=person, code_hash=hashed, used_at=None).update(used_at=now) == 1


@transaction.atomic
def set_authenticator(*, person: Person, key: bytes, step: int, now: datetime) -> None:
    """In place of any that was there. `step` is that of the code with which the person confirmed it."""
    told = {"sealed_key": seal(key, use=use_of(person.pk)), "last_step": step, "failures": 0, "made_at": now}
    Authenticator.objects.update_or_create(person=person, defaults=told)
    Person.objects.filter(pk=person.pk).update(second_factor_due=False)


@transaction.atomic
def set_recovery_codes(*, person: Person, codes: tuple[str, ...], now: datetime) -> None:
    """In place of all that were there, used or not."""
    RecoveryCode.objects.filter(person=person).delete()
    hashed = [keyed_hash(code, use=use_of(person.pk)) for code in codes]
    RecoveryCode.objects.bulk_create(RecoveryCode(person=person, code_hash=each, made_at=now) for each in hashed)


def remove_second_factor(*, person: Person) -> None:
    Authenticator.objects.filter(person=person).delete()
    RecoveryCode.objects.filter(person=person).delete()


def forgive_failures(*, person: Person) -> None:
    Authenticator.objects.filter(person=person).update(failures=0)


def use_of(person_id: object) -> str:
    """What secrets of a person are sealed and hashed for: they mean nothing in another's row."""
    return f"hashshare.second-factor {person_id}"

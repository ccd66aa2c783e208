"""What is known of a person's second factor without taking a code."""

from __future__ import annotations

from hashshare.models import Authenticator, Person, RecoveryCode


def has_authenticator(person: Person) -> bool:
    return Authenticator.objects.filter(person=person).exists()


def recovery_codes_left(person: Person) -> int:
    return RecoveryCode.objects.filter(person=person, used_at=None).count()


def failures_in_a_row(person: Person) -> int:
    return Authenticator.objects.filter(person=person).values_list("failures", flat=True).first() or 0

"""Making and closing people's accounts."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from hashshare.models import Organisation, Person
from hashshare.wire import errors


def create_person(
    *, email: str, role: str, password: str, name: str = "", organisation: Organisation | None = None
) -> Person:
    """Raises UsageError for a bad or taken e-mail address."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise errors.UsageError(f"{email!r} is not an e-mail address.") from error
    person = Person(email=email, name=name.strip()[:200], role=role, organisation=organisation)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise errors.UsageError(f"{email} cannot be used for this account.") from error
    return person


def deactivate_person(*, person: Person) -> None:
    """End the person's sessions and sign-ins; the record stays."""
    person.is_active = False
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])

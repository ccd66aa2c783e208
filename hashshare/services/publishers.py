"""Creating publishers. The operator has checked beforehand that the hotline controls the domain."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from hashshare.models import Organisation, Publisher
from hashshare.wire import errors

DOMAIN = re.compile(r"(?=.{4,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+\Z")


def create_publisher(*, organisation: Organisation, domain: str) -> Publisher:
    """Raises UsageError for anything but a hotline's lower-case domain name, Conflict if it is taken."""
    if organisation.kind != Organisation.Kind.HOTLINE:
        raise errors.UsageError("Only a hotline publishes.")
    if not DOMAIN.match(domain):
        raise errors.UsageError(f"{domain!r} is not a domain name in lower case, such as aurora.example.")
    try:
        with transaction.atomic():
            return Publisher.objects.create(organisation=organisation, domain=domain)
    except IntegrityError as error:
        raise errors.Conflict(f"{domain} is already a publisher here.") from error

"""Making, suspending and reinstating organisations. They are never deleted: too much refers to them."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from hashshare.extensions import extensions
from hashshare.models import Organisation
from hashshare.wire import errors
from hashshare.wire.plain_text import check_name


def create_organisation(*, kind: str, name: str, country: str, sector: str = "", slug: str = "") -> Organisation:
    """A new organisation in state invited, its slug made of the name if none is given. Raises UsageError, Conflict."""
    if kind not in Organisation.Kind.values:
        raise errors.UsageError(f"An organisation is one of {', '.join(Organisation.Kind.values)}.")
    country = country.strip().upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise errors.UsageError("The country is a two-letter ISO 3166-1 code, such as NL.")
    check_name(name.strip(), what="The organisation's name")
    check_name(sector, what="The sector")
    slug = slug or slugify(name)[:60].strip("-")
    if not slug:
        raise errors.UsageError("The organisation's name needs letters or digits.")
    try:
        with transaction.atomic():
            return Organisation.objects.create(slug=slug, name=name.strip(), kind=kind, country=country, sector=sector)
    except IntegrityError as error:
        raise errors.Conflict(f"There is already an organisation called {slug}.") from error


def admit_partner(*, organisation: Organisation) -> None:
    """A partner is in force once its first person is in: it needs no machine. Others are when a machine enrols."""
    partner, invited = Organisation.Kind.PARTNER, Organisation.State.INVITED
    rows = Organisation.objects.filter(pk=organisation.pk, kind=partner, state=invited)
    if rows.update(state=Organisation.State.ACTIVE):
        organisation.state = Organisation.State.ACTIVE


def suspend_organisation(*, organisation: Organisation) -> None:
    """Refuse all its keys from now on; nothing is deleted."""
    Organisation.objects.filter(pk=organisation.pk).update(state=Organisation.State.SUSPENDED)


def reinstate_organisation(*, organisation: Organisation) -> None:
    """Undo a suspension: active if it ever enrolled, or is a partner that has people; a hotline that never did and is
    mirrored from another hub is that again; else invited again.

    Raises Conflict where an extension keeps it out for a reason of its own.
    """
    for extension in extensions():
        if reason := extension.keeps_out(organisation):
            raise errors.Conflict(reason)
    came = organisation.keys.exists()
    came = came or (organisation.kind == Organisation.Kind.PARTNER and organisation.people.exists())
    at_another = organisation.publishers.filter(mirrored_from__isnull=False).exists()
    otherwise = Organisation.State.MIRRORED if at_another else Organisation.State.INVITED
    state = Organisation.State.ACTIVE if came else otherwise
    Organisation.objects.filter(pk=organisation.pk, state=Organisation.State.SUSPENDED).update(state=state)


def agree_to_be_named(*, organisation: Organisation, now: datetime) -> None:
    """From now on it is counted exactly and may be named to observers and on the public page. Done again, it keeps the
    first moment.
    """
    Organisation.objects.filter(pk=organisation.pk, named_since=None).update(named_since=now)


def stop_being_named(*, organisation: Organisation) -> None:
    """It is named nowhere from now on. Figures of periods that are frozen stay; they name no member."""
    Organisation.objects.filter(pk=organisation.pk).update(named_since=None)

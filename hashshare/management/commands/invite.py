"""`manage.py invite`: create an organisation and print the one-time code for its first machine key, or print one for
a machine of an organisation that is there.

A partner has no machine, so there is no code for one: its people are what is invited next.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from hashshare.models import Invitation
from hashshare.selectors.organisations import organisation_by_slug
from hashshare.services.deeds import note_deed
from hashshare.services.invitations import invite_key, invite_organisation
from hashshare.services.organisations import create_organisation
from hashshare.wire.errors import HashshareError, UsageError

KINDS = ("hotline", "member", "partner")
"""Hubs are compared by voice instead: manage.py peer introduce."""


class Command(BaseCommand):
    help = "Invite an organisation; prints a one-time code for `hashshare enroll`."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", default="", help="slug of one that is there; it stays as it is")
        parser.add_argument("--kind", choices=KINDS)
        parser.add_argument("--name")
        parser.add_argument("--country", help="two letters, such as NL")
        parser.add_argument("--sector", default="")
        parser.add_argument(
            "--domain", action="append", default=[], help="a hotline's publisher domain, checked by you; repeatable"
        )
        parser.add_argument("--days", type=int, default=14, help="how long the code is good (default 14)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["organisation"]:
            return self.add_machine(options)
        if not (options["kind"] and options["name"] and options["country"]):
            raise CommandError("Give --kind, --name and --country of a new organisation, or --organisation of one.")
        if options["kind"] not in KINDS:
            raise CommandError(f"By a code come {', '.join(KINDS)}. For a hub: manage.py peer introduce URL")
        if options["kind"] == "partner":
            return self.add_partner(options)
        try:
            with transaction.atomic():
                invitation, code = invite_organisation(
                    kind=options["kind"],
                    name=options["name"],
                    country=options["country"],
                    sector=options["sector"],
                    domains=options["domain"],
                    valid_for=timedelta(days=options["days"]),
                    now=timezone.now(),
                )
                about = invitation.organisation or options["name"]
                note_deed(person=None, what="Invite an organisation", about=about, now=timezone.now())
        except HashshareError as error:
            raise CommandError(error.message) from error
        self.tell(invitation, code)
        return None

    def tell(self, invitation: Invitation, code: str) -> None:
        self.stdout.write(code)
        until = invitation.expires_at.strftime("%Y-%m-%dT%H:%MZ")
        self.stderr.write(
            f"Good once, until {until}. They run: hashshare enroll {settings.HASHSHARE_PUBLIC_URL}/ {code}"
        )

    def add_machine(self, options: dict[str, Any]) -> None:
        """One more machine key, or the first of a hotline whose publisher was taken over from another hub."""
        now = timezone.now()
        try:
            with transaction.atomic():
                organisation = organisation_by_slug(slug=options["organisation"])
                if organisation.kind == organisation.Kind.PARTNER or organisation.state == organisation.State.MIRRORED:
                    raise UsageError(f"{organisation} has no machine here: it is a partner, or at another hub.")
                valid_for = timedelta(days=options["days"])
                invitation, code = invite_key(organisation=organisation, now=now, valid_for=valid_for)
                note_deed(person=None, what="Invite a machine", about=organisation, now=now)
        except HashshareError as error:
            raise CommandError(error.message) from error
        self.tell(invitation, code)

    def add_partner(self, options: dict[str, Any]) -> None:
        """Prints its slug, which `invite-person` wants."""
        if options["domain"]:
            raise CommandError("Only a hotline publishes.")
        about = {name: options[name] for name in ("kind", "name", "country", "sector")}
        try:
            with transaction.atomic():
                partner = create_organisation(**about)
                note_deed(person=None, what="Invite an organisation", about=partner, now=timezone.now())
        except HashshareError as error:
            raise CommandError(error.message) from error
        self.stdout.write(partner.slug)
        self.stderr.write(
            "A partner needs no machine: invite its people. Run: manage.py invite-person "
            f"--organisation {partner.slug} --role observer"
        )

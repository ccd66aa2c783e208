"""`manage.py invite`: create an organisation and print the one-time code for its first machine key.

A partner has no machine, so there is no code for one: its people are what is invited next.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from hashshare.services.deeds import note_deed
from hashshare.services.invitations import invite_organisation
from hashshare.services.organisations import create_organisation
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Invite an organisation; prints a one-time code for `hashshare enroll`."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kind", required=True, choices=["hotline", "member", "partner"])
        parser.add_argument("--name", required=True)
        parser.add_argument("--country", required=True, help="two letters, such as NL")
        parser.add_argument("--sector", default="")
        parser.add_argument(
            "--domain", action="append", default=[], help="a hotline's publisher domain, checked by you; repeatable"
        )
        parser.add_argument("--days", type=int, default=14, help="how long the code is good (default 14)")

    def handle(self, *args: Any, **options: Any) -> None:
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
        self.stdout.write(code)
        until = invitation.expires_at.strftime("%Y-%m-%dT%H:%MZ")
        self.stderr.write(
            f"Good once, until {until}. They run: hashshare enroll {settings.HASHSHARE_PUBLIC_URL}/ {code}"
        )
        return None

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

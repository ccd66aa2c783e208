"""`manage.py reset_person`: print a one-time link with which a person sets password or second factor anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from hashshare.admin.links import invitation_link
from hashshare.selectors.people import person_by_email
from hashshare.services.deeds import note_deed
from hashshare.services.lockout import let_in_again
from hashshare.services.resets import reset_sign_in
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Reset a person's sign-in, an operator's too; prints a one-time link, and ends the person's sessions."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--renew", default="both", choices=["password", "second factor", "both"])
        parser.add_argument("--reason", default="", help="kept in the record of what people did")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            person = person_by_email(options["email"])
            invitation, code = reset_sign_in(person=person, renews=options["renew"], now=now)
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        let_in_again(person=person)
        note_deed(
            person=None,
            what="Reset the sign-in",
            about=person,
            noted=options["renew"],
            reason=options["reason"],
            now=now,
        )
        self.stdout.write(invitation_link(code))
        self.stderr.write(f"Good once, until {invitation.expires_at.strftime('%Y-%m-%dT%H:%MZ')}.")

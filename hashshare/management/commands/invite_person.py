"""`manage.py invite_person`: print a one-time link with which a person sets a password for the admin pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from hashshare.admin.links import invitation_link
from hashshare.selectors.organisations import organisation_by_slug
from hashshare.services.deeds import note_deed
from hashshare.services.invitations import invite_person
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Invite a person to the admin pages; prints a one-time link that sets a password."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", default="", help="its slug; left out for a hub operator")
        parser.add_argument(
            "--role",
            required=True,
            choices=["operator", "analyst", "engineer", "observer"],
            help="analyst or engineer of a hotline or member, engineer of a hub, observer of a partner",
        )
        parser.add_argument("--email", default="", help="the address to sign in with; else the person chooses it")
        parser.add_argument("--days", type=int, default=14, help="how long the link is good (default 14)")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, now = options["organisation"], timezone.now()
        try:
            with transaction.atomic():
                invitation, code = invite_person(
                    role=options["role"],
                    organisation=organisation_by_slug(slug=slug) if slug else None,
                    email=options["email"],
                    valid_for=timedelta(days=options["days"]),
                    now=now,
                )
                told = f"{options['email'] or 'whoever has the link'}, {options['role']}"
                note_deed(person=None, what="Invite a person", about=invitation, noted=told, now=now)
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self.stdout.write(invitation_link(code))
        self.stderr.write(f"Good once, until {invitation.expires_at.strftime('%Y-%m-%dT%H:%MZ')}.")

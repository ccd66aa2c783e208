"""`manage.py demo`: fill an empty hub with a made-up history, so that every page has something to show."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hashshare.demonstration.cast import PEOPLE
from hashshare.demonstration.making import make_demonstration
from hashshare.demonstration.sizes import SIZES
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Fill an empty hub with a made-up history. Every page says that it is made up. Refused on any other hub."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", choices=sorted(SIZES), default="small", help="large is what pages are timed on")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        password = secrets.token_urlsafe(12)
        try:
            make_demonstration(
                size=SIZES[options["size"]],
                password=password,
                now=timezone.now(),
                told=self._told,
            )
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self.stdout.write("\nEverything on this hub is made up now. Sign in at /admin/ with one of these:\n\n")
        for one in PEOPLE:
            self.stdout.write(f"  {one.email:<24} {one.role:<10} {one.organisation or 'the hub'}")
        self.stdout.write(f"\n  password of each, shown once: {password}")
        self.stdout.write("  Each sets up an authenticator app at the first sign-in.")

    def _told(self, what: str) -> None:
        """At once, also into a file: the large one takes minutes."""
        self.stdout.write(f"  {what}")
        self.stdout.flush()

"""`manage.py sandbox`: give the hub a list of synthetic hashes that every member may take, to integrate against."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hashshare.services.sandbox import folder, make_sandbox
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Make the sandbox list, or what is missing of it. The hub has to run. Doing it again changes nothing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anew", action="store_true", help="give up the one that stands, whose keys are lost, and begin another"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = make_sandbox(now=timezone.now(), anew=options["anew"])
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self.stdout.write(
            f"{made.name} v{made.version}: {made.entries} synthetic entries, a small release every night."
        )
        self.stderr.write(
            f"Members: hashshare subscribe {made.name}\n"
            f"Its root: hashshare pin {made.publisher.domain} {made.publisher.root_fingerprint}\n"
            f"Its keys are in {folder()}, on this machine alone."
        )

"""`manage.py replace_hub_key FILE`: the hub's online key is lost or stolen; the standby key takes its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hashshare.hub_keys import promote_standby
from hashshare.services.timestamps import refresh_all
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    help = "Put the standby key in the place of the online key, make a new standby key, and sign everything anew."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("standby", type=Path, help="the standby.pem that was kept offline")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            promote_standby(options["standby"])
        except (HashshareError, OSError) as error:
            raise CommandError(str(error)) from error
        count = refresh_all(now=timezone.now())
        self.stdout.write(f"Signed {count} publishers anew. Members notice nothing: every root names this key.")
        self.stdout.write("Move the new standby.pem offline, and ask each publisher to renew its root: it names")
        self.stdout.write("the lost key still, and not yet the new standby key.")

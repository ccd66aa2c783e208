"""`manage.py deny LIST ORG --reason TEXT`: refuse an organisation's request for a list."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hashshare.management.deciding import add_arguments, decide


class Command(BaseCommand):
    help = "Refuse an organisation's request for a list; it may ask again. As manage.py grant, with a reason."

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(decide("deny", options))

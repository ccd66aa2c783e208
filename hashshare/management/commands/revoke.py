"""`manage.py revoke LIST ORG --reason TEXT`: end an organisation's subscription to a list."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hashshare.management.deciding import add_arguments, decide


class Command(BaseCommand):
    help = (
        "End an organisation's subscription to a list now: it can fetch nothing more, withdrawals included. As "
        "manage.py grant, with a reason."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(decide("revoke", options))

"""`manage.py grant LIST ORG --until DATE`: let an organisation that asked receive a list."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hashshare.management.deciding import add_arguments, decide, parsed_day


class Command(BaseCommand):
    help = (
        "Let an organisation that asked for a list receive it until a day: of a list whose hotline has left the "
        "members of this hub to you, or, with a reason, in the place of a hotline of this hub. See: manage.py requests"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)
        parser.add_argument("--until", required=True, metavar="DATE", help="it ends at 00:00 UTC of that day")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.stdout.write(decide("grant", options, until=parsed_day(options["until"])))

"""`manage.py hand_over DOMAIN --to HUB`: sign nothing more for a publisher, and copy it from its standby hub."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from federation.models import Agreement
from federation.services.takeover import hand_over
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "Sign nothing more for a publisher that is at home here, and follow its standby hub in its place: for a move "
        "that was planned, or when this hub comes back after the other has taken over. Its members here stay, and "
        "receive what that hub serves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", help="the publisher, such as aurora.example")
        parser.add_argument("--to", required=True, metavar="HUB", help="the peer that its root names as standby hub")
        parser.add_argument(
            "--evidence",
            choices=Agreement.Evidence.values,
            default=Agreement.Evidence.DOCUMENTS,
            help="what that hub is told of members here: what they signed, or numbers alone (default: documents)",
        )
        parser.add_argument("--reason", default="", help="why, and with whom you spoke")
        parser.add_argument("--yes", metavar="DOMAIN", default="", help="the domain once more, in place of being asked")

    def handle(self, *_args: Any, **options: Any) -> None:
        domain, hub = options["domain"], options["to"]
        if (options["yes"] or input(f"Type {domain} to hand it over to {hub}: ")).strip() != domain:
            raise CommandError("Nothing was changed.")
        try:
            hand_over(
                domain=domain, peer=hub, reason=options["reason"], evidence=options["evidence"], now=timezone.now()
            )
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self.stdout.write(f"{domain} is copied from {hub} from now on; nothing is signed for it here.")
        told = "what they signed" if options["evidence"] == Agreement.Evidence.DOCUMENTS else "numbers alone"
        self.stdout.write(f"{hub} is told of members here: {told} (--evidence; manage.py peer agree changes it).")
        self.stdout.write(f"If it has not taken over yet, its operator runs there: manage.py take_over {domain}")
        self.stdout.write("Its hotline has to grant this hub its lists there, as to any peer that copies them.")

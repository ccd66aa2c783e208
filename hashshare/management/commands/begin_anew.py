"""`manage.py begin_anew DOMAIN`: let a hotline that lost its root begin anew under its own name."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hashshare.services.beginnings import allow_beginning, withdraw_beginning
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "Let a publisher whose officers have lost too many keys commit another first root, once, within 30 days. "
        "Before this, find out by a channel of your own who asks: whoever has this door and a machine key of the "
        "hotline can speak in its name to members that pin what they say. Nothing changes before that commit; the "
        "public log tells of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", help="the publisher, such as aurora.example")
        parser.add_argument("--root-now", metavar="FINGERPRINT", help="of the root that is to be replaced")
        parser.add_argument("--reason", default="", help="who asked, and how you found out that it is them")
        parser.add_argument("--withdraw", action="store_true", help="close the door again before it was used")

    def handle(self, *args: Any, **options: Any) -> None:
        domain, now = options["domain"], timezone.now()
        try:
            if options["withdraw"]:
                withdraw_beginning(domain=domain, now=now)
                self.stdout.write(f"{domain} may no longer begin anew. Nothing else was changed.")
                return
            if not options["root_now"]:
                raise CommandError("Name the root that is to be replaced: --root-now FINGERPRINT")
            done = allow_beginning(
                domain=domain,
                root_now=options["root_now"],
                by=f"manage.py, {getpass.getuser()}",
                reason=options["reason"],
                now=now,
            )
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self.stdout.write(f"{domain} may begin anew, once, until {done.ends_at:%Y-%m-%d %H:%M} UTC.")
        self.stdout.write(f"The hotline runs: hashshare publisher init {domain} --anew")
        self.stdout.write("Every member then refuses the new root, with an alarm, until a person there has named it.")

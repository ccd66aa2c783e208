"""`manage.py replace_log_key`: the key that signs the logs is lost or stolen; the one that is here takes its place."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hashshare.log_keys import FILE, log_key
from hashshare.services.logs import sign_logs_anew
from hashshare.wire import keys


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = f"Sign every log with the {FILE} that is here, which is made if there is none. Every client will notice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["yes"]:
            raise CommandError(
                "Every client refuses the logs by name (log-key-changed) after this, until its people accept the new "
                f"key, and audits show older padding as missing. Look first whether a backup has {FILE}; if not, add "
                "--yes."
            )
        count = sign_logs_anew()
        self.stdout.write(f"Signed {count} logs anew with {keys.fingerprint(log_key().public)}.")
        self.stdout.write("Tell hotlines and members, by another channel than the hub, why, and this fingerprint.")

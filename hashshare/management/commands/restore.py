"""`manage.py restore BACKUP`: bring the hub back as it was then, read-only until `manage.py recover`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from config.postgres import PrivatePostgresFailed
from config.unfinished import unfinished
from hashshare.backup.passphrases import VARIABLE, passphrase
from hashshare.backup.restoring import Restored, restore_backup
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "Restore a backup into this hub's empty place, after checking every byte of it. The passphrase of its keys is "
        f"asked for or read from {VARIABLE} or {VARIABLE}_FILE."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="the folder or the .tar file that `manage.py backup` made")
        parser.add_argument(
            "--over", action="store_true", help="though a hub with data is here: its tables and keys are put aside"
        )
        parser.add_argument(
            "--accept-missing", action="store_true", help="though objects that the backup only names are nowhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restore_backup(
                options["source"],
                passphrase=passphrase(twice=False),
                over=options["over"],
                accept_missing=options["accept_missing"],
                say=lambda line: self.stderr.write(f"restore: {line}"),
            )
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        except (OSError, DatabaseError, PrivatePostgresFailed) as error:
            raise CommandError(f"{error} {state_of(settings.HASHSHARE_DATA)}") from error
        self._tell(done)

    def _tell(self, done: Restored) -> None:
        about = done.checked.description
        self.stdout.write(f"{about.name} is here again as of {about.made_at:%Y-%m-%d %H:%M} UTC.")
        if about.url != settings.HASHSHARE_PUBLIC_URL:
            self.stdout.write(f"It was at {about.url}; HASHSHARE_PUBLIC_URL is {settings.HASHSHARE_PUBLIC_URL} now.")
        if done.database:
            self.stdout.write(f"The tables that were here are in the schema {done.database} of the same database.")
        if done.keys:
            self.stdout.write(f"The keys that were here are in {done.keys}.")
        if done.lacking_count:
            self.stdout.write(f"{done.lacking_count} objects are nowhere, the first {done.lacking[0]}.")
        self.stdout.write("It is read-only and signs nothing. Next: start it, then run manage.py recover")


def state_of(folder: Path) -> str:
    if unfinished(folder) is None:
        return "Nothing was changed."
    return "The restore is not finished and the hub does not start: run the same command again."

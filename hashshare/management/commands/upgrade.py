"""`manage.py upgrade`: the private PostgreSQL moves to a newer major version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from config.postgres import PrivatePostgresFailed
from config.postgres.upgrading import drop_old, upgrade


class Command(BaseCommand):
    help = (
        "Move the private PostgreSQL to a newer major version: dumped into new data, compared, taken into use. The old "
        "data is kept until --drop-old. Programs of both versions must be here."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=int, metavar="MAJOR", help="the version to move to (default: the newest here)")
        parser.add_argument("--drop-old", action="store_true", help="only delete what earlier upgrades left")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.DATABASES["default"].get("PRIVATE_FOLDER")
        if not folder:
            raise CommandError("The database is a server's (DATABASE_URL): upgrade that with its own tools.")
        connections.close_all()
        try:
            if options["drop_old"]:
                self._tell_dropped(drop_old(Path(folder)))
                return
            done = upgrade(Path(folder), to=options["to"])
        except PrivatePostgresFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"PostgreSQL {done.old} → {done.new}: {done.tables} tables, {done.rows:,} rows, as many as before."
        )
        self.stdout.write(f"The old data is in {done.kept}. Once the hub is good: manage.py upgrade --drop-old")

    def _tell_dropped(self, dropped: list[Path]) -> None:
        for path in dropped:
            self.stdout.write(f"Deleted: {path}")
        if not dropped:
            self.stdout.write("There is no data of another version here.")

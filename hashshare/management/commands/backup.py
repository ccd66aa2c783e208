"""`manage.py backup FOLDER_OR_FILE`: everything that this hub is, while it runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from config.postgres import PrivatePostgresFailed
from hashshare.backup.making import make_backup
from hashshare.backup.passphrases import VARIABLE, passphrase
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "Back up database, objects, logs and keys, as of one moment, while the hub runs. The keys are sealed under a "
        f"passphrase, which is asked for or read from {VARIABLE} or {VARIABLE}_FILE."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "target",
            type=Path,
            help="a new folder, a new file that ends with .tar, or a folder that is there, which gets a new one in it",
        )
        parser.add_argument(
            "--objects",
            choices=["copy", "name"],
            help="copy them into the backup, or only name them with their digests (default: copy, of a bucket name)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        copied = (options["objects"] or ("name" if settings.HASHSHARE_S3 else "copy")) == "copy"
        target = options["target"]
        if target.is_dir():
            host = (urlsplit(settings.HASHSHARE_PUBLIC_URL).hostname or "hub").replace(":", "-")
            target = target / f"{host}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        try:
            made = make_backup(target, passphrase=passphrase(twice=True), copy_objects=copied, say=self._say)
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        except (OSError, DatabaseError, PrivatePostgresFailed) as error:
            raise CommandError(f"{error} No backup was made.") from error
        about = made.description
        self.stdout.write(f"{made.target}: {about.files:,} files, {about.size:,} bytes, checked while written.")
        if not copied:
            self.stdout.write("Objects are named, not copied: keep their bucket, or copy it, as long as this backup.")
        if (Path(settings.HASHSHARE_KEYS) / "standby.pem").exists():
            self.stdout.write("standby.pem lies beside the key in use. Take it offline: it is for that key's loss.")

    def _say(self, line: str) -> None:
        self.stderr.write(f"backup: {line}")

"""`manage.py replace_hub_key FILE`: the hub's online key is lost or stolen; the standby key takes its place."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from environs import FileAwareEnv

from hashshare.hub_keys import promote_standby
from hashshare.selectors.hub import lagging_roots
from hashshare.selectors.recovery import refuse_restored
from hashshare.services.timestamps import refresh_all
from hashshare.wire.errors import HashshareError, UsageError

VARIABLE: Final = "HASHSHARE_STANDBY_PASSPHRASE"


class Command(BaseCommand):
    help = (
        "Put the standby key in the place of the online key, make a new standby key, and sign everything anew. The "
        f"passphrase of an encrypted file is asked for or read from {VARIABLE} or {VARIABLE}_FILE; the new standby key "
        "gets the same."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("standby", type=Path, help="the standby.pem that was kept offline")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            refuse_restored()
            promote_standby(options["standby"], passphrase=passphrase_of(options["standby"]))
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        except OSError as error:
            raise CommandError(f"{error}. Run it again when that is mended.") from error
        count = refresh_all(now=timezone.now())
        self.stdout.write(f"Signed anew for {count} publisher{'' if count == 1 else 's'}.")
        self.stdout.write(
            "Move the new standby.pem offline, and ask each publisher for a new root, by the command below:"
        )
        self.stdout.write("the one that stands names the lost key still, and not yet the new standby key.")
        for root in lagging_roots():
            known = "does not even name this key: its members refuse it" if root.stuck else "names this key"
            self.stdout.write(f"  {root.domain}   {known}   hashshare publisher rotate hub {root.domain}")


def passphrase_of(path: Path) -> bytes | None:
    """None for a file that needs none. Raises UsageError for one that cannot be read, or where nobody can be asked."""
    try:
        start = path.read_bytes()[:200]
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}. Nothing was changed.",
            next_step="Name the standby.pem that was kept offline.",
        ) from error
    if b"ENCRYPTED" not in start:
        return None
    given: str = FileAwareEnv(strip_whitespace=True).str(VARIABLE, "")
    if given:
        return given.encode()
    if not sys.stdin.isatty():
        raise UsageError(f"{path} needs a passphrase.", next_step=f"Set {VARIABLE} or {VARIABLE}_FILE.")
    return getpass.getpass(f"Passphrase of {path}: ").encode()

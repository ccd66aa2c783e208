"""Where the passphrase of a backup's keys comes from: the environment, a file that it names, the terminal; never the
command line, which others can read.
"""

from __future__ import annotations

import getpass
import sys
from typing import Final

from environs import FileAwareEnv

from hashshare.wire.errors import UsageError

VARIABLE: Final = "HASHSHARE_BACKUP_PASSPHRASE"


def passphrase(*, twice: bool) -> str:
    """HASHSHARE_BACKUP_PASSPHRASE, the content of the file HASHSHARE_BACKUP_PASSPHRASE_FILE, or as typed: `twice` for a
    new one. Raises UsageError where nobody can be asked.
    """
    given: str = FileAwareEnv(strip_whitespace=True).str(VARIABLE, "")
    if given:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            "The keys in a backup are under a passphrase.",
            next_step=f"Set {VARIABLE}, or {VARIABLE}_FILE to a file that holds it, or run this at a terminal.",
        )
    typed = getpass.getpass("Passphrase for the keys in the backup: " if twice else "Passphrase of the backup's keys: ")
    if twice and getpass.getpass("Again: ") != typed:
        raise UsageError("The two passphrases differ. Nothing was done.")
    return typed

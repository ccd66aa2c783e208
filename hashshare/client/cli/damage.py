"""How files that have rotted, and were made whole again on the way, are told by every command that syncs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hashshare.client.cli.output import Output, count

SHOWN_FILES: Final = 3


def warn_healed(out: Output, name: str, files: Sequence[str]) -> None:
    """`files` of the list `name`, at least one; --json has them all."""
    number = len(files)
    more = [f"{count(number - SHOWN_FILES)} more"] if number > SHOWN_FILES else []
    were, are = ("was", "is") if number == 1 else ("were", "are")
    out.warn(
        f"{name}: {count(number, 'held file')} {were} damaged or missing and {are} whole again: "
        f"{', '.join([*files[:SHOWN_FILES], *more])}. Check the disk if this returns; "
        f"hashshare verify {name} reads every byte."
    )

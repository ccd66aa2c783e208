"""A mark in the data folder while a restore is under way: no part of the hub starts as long as it is there.

It is put there before the first file is touched and taken away when all is in place, so a restore that was killed is
finished by running it again, and by nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from hashshare.durable import replace_file, sync_folder

MARK: Final = "restoring.json"


def mark_unfinished(folder: Path, facts: dict[str, Any]) -> None:
    """Safe on the disk when this returns."""
    replace_file(folder / MARK, json.dumps(facts).encode())


def mark_finished(folder: Path) -> None:
    (folder / MARK).unlink(missing_ok=True)
    sync_folder(folder)


def unfinished(folder: Path) -> dict[str, Any] | None:
    """What the restore that was begun here and not finished said of itself; None if there is none."""
    try:
        found = json.loads((folder / MARK).read_text())
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refuse_unfinished(folder: Path) -> None:
    """Raises ImproperlyConfigured while a restore is under way, or was killed."""
    found = unfinished(folder)
    if found is not None:
        raise ImproperlyConfigured(
            f"A restore into {folder} was begun and has not ended, so this hub is not whole and does not start. "
            f"Run again: manage.py restore {found.get('source', 'BACKUP')}"
        )

"""Running the user's own command for each new version of a list: once when it works, again after it failed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

from hashshare.client.home import read_json, write_json
from hashshare.client.store import Held, ListStore


def is_due(store: ListStore, held: Held, command: str) -> bool:
    """Whether `command` has not yet succeeded for the version that is held."""
    done = read_json(store.folder / "exec.json") or {}
    return done.get(_name(command)) != held.version


def run_command(store: ListStore, held: Held, command: str, *, before: int | None) -> int:
    """Run `command` by the shell; its exit status. Its stdout goes to our stderr, so that --json stays one document.

    It finds HASHSHARE_LIST, HASHSHARE_LIST_ID, HASHSHARE_VERSION and HASHSHARE_PREVIOUS_VERSION (empty on the first
    sync) in its environment.
    """
    environment = {
        **os.environ,
        "HASHSHARE_HOME": str(store.home.path),
        "HASHSHARE_LIST": held.name,
        "HASHSHARE_LIST_ID": held.list_id,
        "HASHSHARE_VERSION": str(held.version),
        "HASHSHARE_PREVIOUS_VERSION": "" if before is None else str(before),
    }
    # The command line is the user's own, as in cron.
    status = subprocess.run(command, shell=True, env=environment, stdout=sys.stderr, check=False).returncode  # noqa: S602
    if status == 0:
        path = store.folder / "exec.json"
        write_json(path, {**(read_json(path) or {}), _name(command): held.version})
    return status


def last_done(store: ListStore, command: str) -> int | None:
    """The version for which `command` last succeeded."""
    done = (read_json(store.folder / "exec.json") or {}).get(_name(command))
    return done if isinstance(done, int) else None


def _name(command: str) -> str:
    return hashlib.sha256(command.encode()).hexdigest()[:16]

"""Why a list could not be brought up to date, and since when: `trouble.json` in its folder, gone once it could.

It lets `lookup`, `scan`, `export`, `status` and `doctor` say so without the network.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hashshare.client.home import read_json, write_json
from hashshare.client.store import ListStore
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, HashshareError

FORMAT: Final = "hashshare-trouble/1"
GONE: Final = "no-longer-offered"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`kind`: the slug of the error of the last sync, or GONE. `since`: of the first sync in a row that failed.

    `forked`: the feed key was seen to sign two contents of one version.
    """

    kind: str
    detail: str
    next_step: str
    since: datetime
    last: datetime
    exit_code: ExitCode
    forked: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "type": self.kind,
            "detail": self.detail,
            "next_step": self.next_step,
            "since": write_time(self.since),
            "last": write_time(self.last),
            "exit_code": int(self.exit_code),
            "forked": self.forked,
        }


def trouble(store: ListStore) -> Trouble | None:
    """What keeps the list from being brought up to date; None if nothing is known to."""
    try:
        found = read_json(_path(store))
        if found is None:
            return None
        since, last = (datetime.fromisoformat(str(found[name])).astimezone(UTC) for name in ("since", "last"))
        kind, detail, step = (str(found.get(name) or "") for name in ("type", "detail", "next_step"))
        return Trouble(kind, detail, step, since, last, ExitCode(found["exit_code"]), bool(found.get("forked")))
    except (HashshareError, OSError, KeyError, ValueError, TypeError):
        return None


def note_trouble(store: ListStore, error: HashshareError, *, now: datetime) -> None:
    """A sync of a list that is held has failed. Another fault than before counts from now."""
    forked = {"what", "held", "offered"} <= set(error.facts)
    note(store, Trouble(error.slug, error.message, error.next_step, now, now, error.exit_code, forked))


WITHHELD: Final = (
    "Neither asking again nor removing the copy helps. The subscription stays, and the list goes on by itself when it "
    "may be passed on again: ask the operator of your hub, or the publisher."
)
"""What helps where a hub may no longer pass on a list that was granted."""


def note_gone(store: ListStore, *, now: datetime, withheld: str = "") -> None:
    """The hub no longer offers a list that is held; `withheld` is why it may not, where it says so."""
    detail = f"The hub withholds it. {withheld}" if withheld else "The hub no longer offers it to you."
    step = WITHHELD if withheld else "`hashshare status` says why; subscribe again, or remove it: hashshare forget LIST"
    note(store, Trouble(GONE, detail, step, now, now, ExitCode.NOT_ALLOWED))


def note(store: ListStore, found: Trouble) -> None:
    before = trouble(store)
    since = before.since if before is not None and before.kind == found.kind else found.since
    if (store.folder / "current.json").exists():
        with contextlib.suppress(OSError):
            write_json(_path(store), {**found.to_json(), "since": write_time(since)})


def forget_trouble(store: ListStore) -> None:
    """The list is up to date."""
    with contextlib.suppress(OSError):
        _path(store).unlink(missing_ok=True)


def _path(store: ListStore) -> Path:
    return store.folder / "trouble.json"

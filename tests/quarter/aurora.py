"""Hotline Aurora at her desk: officers, the nightly publication, and a dict that says what is on the list."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.quarter.machines import enrolled
from tests.quarter.north import North
from tests.quarter.officers import Officer, officer, signed

DOMAIN: Final = "aurora.example"
LIST: Final = f"{DOMAIN}/images"
FIRST_ROWS: Final = 2000
Row = tuple[str, str, str, str, str]
HEADER: Final = ("op", "reason", "sha256", "category", "expires")


class Aurora:
    """`entries`: key -> the day from which it no longer counts, None for never; what is withdrawn is not in it."""

    def __init__(self, north: North, folder: Path) -> None:
        self.folder = folder
        self.machine = enrolled(north, folder / "aurora", kind="hotline", name="Aurora", domain=DOMAIN)
        self.officers = [officer(folder / name.lower(), name) for name in ("Anna", "Ben", "Carol")]
        self.entries: dict[str, date | None] = {}
        self.withdrawn: set[str] = set()
        self.waiting: list[Row] = []
        self.version = 0
        self._random = Random(2027)

    def found(self) -> str:
        """Publisher and list, by two of three officers; the root's fingerprint."""
        cards = [word for person in self.officers for word in ("--officer", person.card)]
        self.machine.run("publisher", "init", DOMAIN, "--threshold", "2", "--no-passphrase", *cards)
        declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category,expires")
        request = self.machine.run("publisher", "list", "create", LIST, *declared)["request"]
        return str(self.by(request, self.officers[:2])["fingerprint"])

    def by(self, request: str, people: Sequence[Officer]) -> Any:
        """What becomes of a request that these officers sign."""
        done = signed(self.machine, request, people)
        assert done["job"], done
        return done

    def grant(self, member: str, until: date) -> None:
        self.machine.run("grant", LIST, member, "--until", until.isoformat())

    # --- the list ---

    def published(self, today: date) -> set[str]:
        """`live`, but for what still waits to be published."""
        added = {row[2] for row in self.waiting if row[0] == "upsert"}
        back = {row[2] for row in self.waiting if row[0] == "withdraw"}
        return self.live(today) - added | back

    def publish_between(self, today: date) -> None:
        """Another release in the same night."""
        self.add(1, today)
        self.publish()

    def live(self, today: date) -> set[str]:
        """What members should match against on that day."""
        return {key for key, expires in self.entries.items() if expires is None or today < expires}

    def add(self, count: int, today: date) -> None:
        """New entries for the next publication; every fifth of them lapses within the quarter."""
        for number in range(count):
            key = secrets.token_hex(32)
            expires = today + timedelta(days=self._random.randint(3, 80)) if number % 5 == 0 else None
            self.entries[key] = expires
            self.waiting.append(("upsert", "", key, "A", expires.isoformat() if expires else ""))

    def take_back(self, count: int, today: date) -> None:
        """Withdrawals for the next publication, of entries that are live and were published before."""
        fresh = {row[2] for row in self.waiting}
        for key in self._random.sample(sorted(self.live(today) - fresh), count):
            del self.entries[key]
            self.withdrawn.add(key)
            self.waiting.append(("withdraw", "incorrect", key, "", ""))

    def publish(self) -> Any:
        """All that waits, as the next version."""
        done = self.machine.run("publish", LIST, self._file(self.waiting), "--changes")
        assert (done["published"], done["version"]) == (True, self.version + 1), done
        self.version += 1
        self.waiting.clear()
        return done

    def cannot_publish(self) -> None:
        """The hub does not answer: nothing is lost, and the next night it is tried again with whatever else came."""
        done = self.machine.run("publish", LIST, self._file(self.waiting), "--changes", exit_code=5)
        assert "cannot be reached" in done["error"]["detail"], done

    def _file(self, rows: Iterable[Row]) -> Path:
        path = self.folder / "changes.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(rows)
        return path

"""Members Cobalt and Delta, and what a person sees on their machines."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from hashshare.client.home import Home
from hashshare.client.store import stores
from hashshare.wire.engine import open_engine
from tests.quarter.aurora import DOMAIN, LIST
from tests.quarter.machines import Said, enrolled
from tests.quarter.north import North


class Member:
    def __init__(self, north: North, folder: Path, name: str) -> None:
        self.name, self.slug = name, name.lower()
        self.machine = enrolled(north, folder / self.slug, kind="member", name=name)
        self._export = folder / f"{self.slug}.csv"

    def ask(self, fingerprint: str) -> None:
        self.machine.run("subscribe", LIST, "--accept-terms", "--root", fingerprint)

    def sync(self, *words: str) -> Any:
        """The list's row of a sync that brings everything, acknowledged, without a word of warning."""
        said = self.machine.say("sync", *words)
        assert (said.code, said.words) == (0, ""), said
        [row] = said.document["lists"]
        return {**row, "roots": said.document.get("roots", [])}

    def syncs_with(self, code: int) -> Said:
        said = self.machine.say("sync")
        assert said.code == code, said
        return said

    def keys(self, *, exit_code: int = 0) -> set[str]:
        """What it matches against today, as it would hand it to another program."""
        self.machine.run("export", LIST, "--format", "csv", "-o", self._export, exit_code=exit_code)
        with self._export.open(newline="") as file:
            return {row["sha256"] for row in csv.DictReader(file)}

    def finds(self, key: str, *, exit_code: int = 0) -> bool:
        [row] = self.machine.run("lookup", key, exit_code=exit_code)["hashes"]
        return bool(row["matches"])

    def held(self) -> Any:
        [row] = self.machine.run("status")["lists"]
        return row

    def is_well(self) -> None:
        """`status`, `verify`, `doctor` and `receipts` have nothing to say against anything."""
        for words in (("status",), ("verify",)):
            said = self.machine.say(*words)
            assert (said.code, said.words, said.document["alarms"]) == (0, "", []), said
        found = self.machine.run("doctor")
        assert (found["bad"], [row for row in found["findings"] if row["state"] == "warn"]) == (0, []), found
        self.machine.run("receipts")
        known = self.machine.run("status")["publishers"]
        assert [(row["publisher"], row["trust"]) for row in known] == [(DOMAIN, "confirmed")], known

    def rows_on_disk(self) -> set[str]:
        """Every key of which a whole row still lies in the store, whether or not a later withdrawal hides it."""
        [store] = stores(Home.open(self.machine.home))
        held = store.held()
        assert held is not None
        found = set[str]()
        for part in held.base + held.deltas:
            path = store.object_path(part.sha256)
            whole = "op = 1" if part.from_version else "true"
            with open_engine(read=[path]) as engine:
                rows = engine.execute(f"SELECT p, s FROM read_parquet('{path}') WHERE {whole}").fetchall()
            found |= {(int(p).to_bytes(8) + bytes(s)).hex() for p, s in rows}
        return found

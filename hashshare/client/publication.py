"""What a publisher wishes to publish, how it hears of the progress, and what became of it: shapes, no work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hashshare.client.commits import Job
from hashshare.client.refusals import Refusal
from hashshare.wire.difference import Difference
from hashshare.wire.intake import Intake, Names
from hashshare.wire.repository.requests import Need


@dataclass(frozen=True, slots=True)
class Wish:
    """What to publish and how. `file` is the whole list, or with `changes` only operations on it.

    `reason` stands for every withdrawal that names none. `reinstate` are keys that may come back, and so may those that
    were withdrawn after version `reinstate_since`. `typed`: a person typed the keys, so one that the list may never
    have held stops it.
    """

    file: Path
    changes: bool = False
    dry_run: bool = False
    skip_bad: bool = False
    allow_withdrawals: int | None = None
    reason: str | None = None
    reinstate: frozenset[bytes] = frozenset()
    reinstate_since: int | None = None
    typed: bool = False
    names: Names = field(default_factory=dict)
    """What the file's own columns are."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A withdrawal of a key that the list does not hold now. `line` in the file, 0 if unknown; `key` in hexadecimal.

    `lapsed`: it is known to have lapsed and dropped out; else it may also never have been on the list.
    """

    line: int
    key: str
    lapsed: bool

    def to_json(self) -> dict[str, Any]:
        return {"line": self.line or None, "key": self.key, "why": "lapsed" if self.lapsed else "not-on-list"}


@dataclass(frozen=True, slots=True)
class MajorNeed:
    """A release takes `lost` entries, after `before` within seven days, of the `held` ones: two must sign for it.

    `has_role`: the publisher has said who.
    """

    lost: int
    before: int
    held: int
    has_role: bool

    def describe(self, name: str) -> str:
        after = f", after {self.before:,} within seven days" if self.before else ""
        return (
            f"This takes {self.lost:,} entries from {name}{after}; it held {self.held:,} then. Above 1 % and 100 "
            "entries, two holders of major keys must sign for it."
        )

    def to_json(self) -> dict[str, Any]:
        return {"lost": self.lost, "before": self.before, "held": self.held, "has_role": self.has_role}


class Listener:
    """Hears how a publication goes; the terminal's draws it. Every method may be left as it is."""

    def stage(self, name: str) -> None:
        """Sync, check, intake, diff, write, base, merge, sign, upload, verify, adopt; build: as each begins."""

    def read(self, wish: Wish, intake: Intake, errors_file: Path | None) -> None:
        """After the file was read; `errors_file` has every line at fault, if any is."""

    def compared(self, change: Difference, before: int | None) -> None:
        """Before anything may stop the change; `before` is the version it applies to."""

    def left_out(self, change: Difference, rows: tuple[LeftOut, ...]) -> None:
        """Withdrawals of keys that are not held now; `rows` are the first of them by line."""

    def building(self, version: int) -> None:
        """A new base is being written at `version`."""

    def uploading(self, total: int) -> None:
        """Bytes that `uploaded` will sum to."""

    def uploaded(self, length: int) -> None:
        """One object more is at the hub."""

    def job(self, job: Job) -> None:
        """As the hub's worker goes on."""

    def waiting(self, why: str) -> None:
        """Something else has to end first."""

    def healed(self, files: Sequence[str]) -> None:
        """Held files, at least one, that were damaged or missing and have been made whole again."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of it. `version` is the list's now; nothing was published when it equals `before` or on a dry run.

    `uploaded` counts bytes that the hub did not have. `before` is None for a list without a release. `merged` segments
    were folded into fewer; `base` is the version of the base that was adopted, None if none was; `refused` tells of
    one that the hub refused, so that it was published without. `major`: two must sign for it. If they have not yet,
    `request` is the file to carry to them, and nothing was published.
    """

    name: str
    list_id: str
    before: int | None
    version: int | None
    dry_run: bool
    rows: int
    skipped: int
    change: Difference
    entries: int
    objects: int = 0
    merged: int = 0
    base: int | None = None
    uploaded: int = 0
    job: Job | None = None
    stages: dict[str, float] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    refused: Refusal | None = None
    major: MajorNeed | None = None
    request: Path | None = None
    missing: tuple[Need, ...] = ()

    @property
    def published(self) -> bool:
        return not self.dry_run and self.version != self.before

    def to_json(self) -> dict[str, Any]:
        change = self.change
        return {
            "list": self.name,
            "list_id": self.list_id,
            "published": self.published,
            "dry_run": self.dry_run,
            "before": self.before,
            "version": self.version,
            "rows": self.rows,
            "skipped": self.skipped,
            "added": change.added,
            "updated": change.updated,
            "reinstated": change.reinstated,
            "withdrawn": change.withdrawn,
            "unchanged": change.unchanged,
            "outdated": change.outdated,
            "left_out": {
                "count": change.lapsed + change.untraced,
                "lapsed": change.lapsed,
                "not_on_list": change.untraced,
                "rows": [row.to_json() for row in self.left_out],
            },
            "entries": self.entries,
            "objects": self.objects,
            "merged_segments": self.merged,
            "adopted_base": self.base,
            "refused_base": self.refused.to_json() if self.refused else None,
            "uploaded_bytes": self.uploaded,
            "major": self.major.to_json() if self.major else None,
            "request": str(self.request) if self.request else None,
            "job": self.job.to_json() if self.job else None,
            "stages": self.stages,
        }

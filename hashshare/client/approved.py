"""Uploads that two analysts agreed to in the browser, fetched to be signed on the hotline's own machine.

The hub hands over the file; that it is the one that the analysts saw, its SHA-256 tells whoever compares it.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hashshare.client.answers import chunks
from hashshare.client.publication import Wish
from hashshare.client.publisher import OwnList
from hashshare.client.session import Session
from hashshare.wire.errors import NetworkError, WrongDigest
from hashshare.wire.segments import file_sha256
from hashshare.wire.vocabulary import REASONS


@dataclass(frozen=True, slots=True)
class ApprovedDraft:
    """One upload of `own`, as GET drafts describes it."""

    own: OwnList
    id: str
    kind: str
    file_name: str
    sha256: str
    length: int
    columns: Mapping[str, str]
    reason: str
    skip_bad: bool
    allow_withdrawals: int | None
    submitted_by: str
    approved_by: str

    @classmethod
    def read(cls, own: OwnList, row: Mapping[str, Any]) -> ApprovedDraft:
        allowed = row["allow_withdrawals"]
        return cls(
            own=own,
            id=str(row["id"]),
            kind=str(row["kind"]),
            file_name=str(row["file_name"]),
            sha256=str(row["sha256"]),
            length=int(row["length"]),
            columns={str(name): str(column) for name, column in row["columns"].items()},
            reason=str(row["reason"]),
            skip_bad=bool(row["skip_bad"]),
            allow_withdrawals=None if allowed is None else int(allowed),
            submitted_by=str(row["submitted_by"]),
            approved_by=str(row["approved_by"]),
        )

    def wish(self, file: Path, *, dry_run: bool) -> Wish:
        """What `hashshare publish` would be told."""
        return Wish(
            file=file,
            changes=self.kind != "whole",
            dry_run=dry_run,
            skip_bad=self.skip_bad,
            allow_withdrawals=self.allow_withdrawals,
            reason=self.reason if self.reason in REASONS else None,
            typed=self.kind == "withdrawals",
            names=self.columns,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "list": self.own.name,
            "file": self.file_name,
            "sha256": self.sha256,
            "submitted_by": self.submitted_by,
            "approved_by": self.approved_by,
        }


def approved_drafts(session: Session, own: OwnList) -> list[ApprovedDraft]:
    """Oldest first. Raises NotEntitled for another's list, NetworkError for an odd answer."""
    answer = session.get_json(_path(own))
    try:
        return [ApprovedDraft.read(own, row) for row in answer["drafts"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkError("The hub's answer is not a list of uploads.") from error


@contextlib.contextmanager
def fetched(session: Session, draft: ApprovedDraft) -> Iterator[Path]:
    """The file, in a private folder that goes with the block. Raises WrongDigest for another than was named."""
    with tempfile.TemporaryDirectory(prefix="hashshare-") as folder:
        path = Path(folder) / "approved.csv"
        response = session.get(f"{_path(draft.own)}/{draft.id}/file", stream=True)
        left = draft.length
        with path.open("wb") as file:
            for block in chunks(response, hub_url=session.hub_url):
                left -= len(block)
                if left < 0:
                    break
                file.write(block)
        if left or file_sha256(path) != draft.sha256:
            raise WrongDigest("The hub's file is not the one that it named. Nothing was published.")
        yield path


def report(session: Session, draft: ApprovedDraft, *, version: int) -> None:
    """Tell the hub that the list says at `version` what the file says."""
    session.send("POST", f"{_path(draft.own)}/{draft.id}/outcome", json={"version": version})


def _path(own: OwnList) -> str:
    return f"lists/{own.publisher.domain}/{own.slug}/drafts"

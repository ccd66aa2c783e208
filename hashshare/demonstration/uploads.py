"""What waits at the upload desk of a demonstration: one file sent back, one that a second analyst has to decide on."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hashshare.demonstration.lists import Head
from hashshare.demonstration.parties import Parties
from hashshare.models import Draft
from hashshare.services.draft_work import run_draft_job
from hashshare.services.drafts import ask_check, send_back_draft, submit_draft, upload_draft
from hashshare.wire.segments import file_sha256

FIRST, SECOND = "ana@aurora.example", "bram@aurora.example"
ROWS = 60


def make_uploads(*, heads: list[Head], parties: Parties, now: datetime) -> None:
    """Of the list of images of the hotline whose analysts can sign in, with a few lines at fault."""
    first, second = parties.people[FIRST], parties.people[SECOND]
    mine = [it for it in heads if it.list.publisher.organisation_id == first.organisation_id]
    head = next(it for it in mine if it.list.slug == "images")
    returned = _submitted(head, parties, "november.csv", faults=2, now=now - timedelta(hours=30))
    why = "Category Q is not in the scheme: correct the lines, do not leave them out."
    send_back_draft(person=second, draft_id=returned.pk, revision=returned.revision, reason=why, now=now)
    _submitted(head, parties, "november-corrected.csv", faults=0, now=now - timedelta(hours=3))


def _submitted(head: Head, parties: Parties, name: str, *, faults: int, now: datetime) -> Draft:
    """Uploaded, checked as a worker does it, and submitted."""
    person = parties.people[FIRST]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload.csv"
        path.write_text(_csv(name, faults), encoding="utf-8")
        draft = upload_draft(
            person=person,
            list_id=head.list.pk,
            kind=Draft.Kind.CHANGES,
            file=path,
            file_name=name,
            digest=file_sha256(path),
            now=now,
        )
    draft = ask_check(person=person, draft_id=draft.pk, revision=draft.revision, columns=draft.columns, now=now)
    if draft.job is not None:
        run_draft_job(job_id=draft.job.pk, worker="worker@north.example", task_id="made up")
    draft.refresh_from_db()
    return submit_draft(person=person, draft_id=draft.pk, revision=draft.revision, now=now, skip_bad=bool(faults))


def _csv(name: str, faults: int) -> str:
    """Changes with every column of the list of images; the first `faults` lines have a category that there is not."""
    lines = ["op,reason,sha256,md5,sha1,pdq,category,age_band,media,origin,first_seen"]
    for number in range(ROWS):
        text = f"made up {name} {number}"
        digest = hashlib.sha256(text.encode()).hexdigest()
        md5 = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        category = "Q" if number < faults else "B"
        lines.append(f"upsert,,{digest},{md5},,,{category},7-10,image,camera,2026-11-01")
    return "\n".join([*lines, ""])

"""Aurora's two analysts at the upload desk, and what they upload."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

from hashshare.models import Draft, Job, Organisation, Person
from hashshare.services.draft_work import run_draft_job
from hashshare.services.drafts import approve_draft, ask_check, submit_draft, upload_draft
from hashshare.services.people import create_person
from hashshare.wire.segments import file_sha256
from tests import builders as b

HEADER = "sha256,md5,category"


def analyst(name: str, organisation: Organisation, *, role: str = "analyst") -> Person:
    return create_person(
        email=f"{name}@{organisation.slug}.example",
        role=role,
        organisation=organisation,
        password="a sentence nobody guesses",
    )


def csv_of(rows: Iterable[b.Row], *, header: str = HEADER) -> bytes:
    lines = [",".join([row["key"].hex(), row["md5"].hex() if row["md5"] else "", row["category"]]) for row in rows]
    return "\n".join([header, *lines, ""]).encode()


def uploaded(who: Person, to: b.Feed, body: bytes, *, kind: str = "whole", name: str = "images.csv") -> Draft:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(body)
        file.flush()
        path = Path(file.name)
        return upload_draft(
            person=who,
            list_id=to.row.pk,
            kind=kind,
            file=path,
            file_name=name,
            digest=file_sha256(path),
            now=b.now(),
        )


def run(draft: Draft) -> Draft:
    """As a worker would do the draft's job."""
    assert draft.job is not None
    run_draft_job(job_id=draft.job.pk, worker="test", task_id="test")
    return again(draft)


def again(draft: Draft) -> Draft:
    return Draft.objects.select_related("list__publisher__organisation", "job", "release").get(pk=draft.pk)


def checked(who: Person, to: b.Feed, body: bytes, *, kind: str = "whole", name: str = "images.csv") -> Draft:
    draft = uploaded(who, to, body, kind=kind, name=name)
    draft = ask_check(person=who, draft_id=draft.pk, revision=draft.revision, columns=draft.columns, now=b.now())
    return run(draft)


def submitted(who: Person, to: b.Feed, body: bytes, **how: str) -> Draft:
    draft = checked(who, to, body, **how)
    assert draft.state == Draft.State.CHECKED, draft.problem
    return submit_draft(person=who, draft_id=draft.pk, revision=draft.revision, now=b.now())


def approved(first: Person, second: Person, to: b.Feed, body: bytes) -> Draft:
    draft = submitted(first, to, body)
    return approve_draft(person=second, draft_id=draft.pk, revision=draft.revision, now=b.now())


def entries(number: int) -> list[b.Row]:
    return [b.entry() for _ in range(number)]


def published(to: b.Feed, rows: Sequence[b.Row]) -> None:
    job = to.publish(to.first(rows))
    assert job.state == Job.State.DONE


NOBODY = uuid.UUID(int=7)

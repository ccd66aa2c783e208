"""Drafts from upload to approval. Every step is compare-and-set on state and revision: a form that is out of date, a
second click and a second approver change nothing, and are told why.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F

from hashshare.models import Draft, HashList, Job, Person
from hashshare.selectors.drafts import draft_of, list_to_draft_for
from hashshare.services.deeds import note_deed
from hashshare.services.draft_rules import check_columns, check_submittable, guessed_columns
from hashshare.services.jobs import create_job
from hashshare.storage import object_store
from hashshare.storage.keys import draft_key
from hashshare.wire import errors
from hashshare.wire.algorithms import Algorithm, algorithm, guarded, parse
from hashshare.wire.sources import read_header
from hashshare.wire.vocabulary import REASONS

MOST_OPEN: Final = 20
"""Uploads of one hotline that are neither published nor thrown away."""

FIRST: Final = 16
"""Characters of a wrong hash by which it is named."""

MOST_WITHDRAWALS: Final = 20_000
"""Keys that one may paste; more come as a file."""

OPEN: Final = ("uploaded", "checking", "checked", "submitted", "returned", "approved", "publishing", "failed")
IN_HAND: Final = ("uploaded", "checked", "returned", "failed")
"""With the analyst who uploaded it."""


# --- Upload -----------------------------------------------------------------------------------------------------


def upload_draft(
    *, person: Person, list_id: uuid.UUID, kind: str, file: Path, file_name: str, digest: str, now: datetime
) -> Draft:
    """Keep `file`, whose SHA-256 is `digest`, as a new draft of one of the person's own lists.

    Raises NotEntitled, BadInput (no CSV file), UsageError (too many are open already).
    """
    hash_list = list_to_draft_for(person=person, list_id=list_id)
    if kind not in (Draft.Kind.WHOLE, Draft.Kind.CHANGES):
        raise errors.UsageError("Say whether the file is the whole list or changes to it.")
    header = _header(file, file_name)
    return _keep(
        Draft(
            list=hash_list,
            kind=kind,
            file_name=clean_name(file_name),
            digest=digest,
            length=file.stat().st_size,
            header=list(header),
            columns=guessed_columns(header, hash_list, changes=kind == Draft.Kind.CHANGES),
            uploaded_by=person,
            uploaded_at=now,
        ),
        _blocks(file),
    )


def draft_withdrawals(*, person: Person, list_id: uuid.UUID, keys: str, reason: str, now: datetime) -> Draft:
    """Withdrawals of the pasted `keys`, apart by blanks, commas or lines, as a draft that is checked at once.

    Raises NotEntitled, BadHash, UsageError.
    """
    hash_list = list_to_draft_for(person=person, list_id=list_id)
    if reason not in REASONS:
        raise errors.UsageError(f"The reason is one of {', '.join(REASONS)}: every member reads it.")
    kind = algorithm(hash_list.algorithms[0])
    words = [word.strip("\"'") for word in re.split(r"[\s,;]+", keys) if word.strip("\"'")]
    if words and words[0].lower() == kind.name:
        words = words[1:]
    if not 1 <= len(words) <= MOST_WITHDRAWALS:
        raise errors.UsageError(f"Name 1 to {MOST_WITHDRAWALS:,} keys; for more, upload a file of changes.")
    found = list(dict.fromkeys(_keys(words, kind)))
    body = f"op,reason,{kind.name}\n" + "".join(f"withdraw,{reason},{key}\n" for key in found)
    encoded = body.encode()
    draft = Draft(
        list=hash_list,
        kind=Draft.Kind.WITHDRAWALS,
        file_name=_withdrawals_name(found, hash_list),
        digest=hashlib.sha256(encoded).hexdigest(),
        length=len(encoded),
        header=["op", "reason", kind.name],
        columns={name: name for name in ("op", "reason", kind.name)},
        reason=reason,
        uploaded_by=person,
        uploaded_at=now,
    )
    kept = _keep(draft, [encoded])
    return ask_check(person=person, draft_id=kept.pk, revision=kept.revision, columns=kept.columns, now=now)


def _withdrawals_name(keys: Sequence[str], hash_list: HashList) -> str:
    """By which a person tells one from another: the list and the first digits."""
    number = "1 withdrawal" if len(keys) == 1 else f"{len(keys):,} withdrawals"
    return f"{number} from {hash_list.slug}: {keys[0][:8]}…"


def _keys(words: Sequence[str], kind: Algorithm) -> Iterator[str]:
    """As lower-case hexadecimal. Raises BadHash, which says which of the words is none."""
    for number, word in enumerate(words, start=1):
        which = f"Hash {number:,} of {len(words):,}, “{word[:FIRST]}{'…' if len(word) > FIRST else ''}”"
        try:
            key = parse(word, kind)
        except errors.BadHash as error:
            raise errors.BadHash(f"{which}: {error.message}", next_step="Correct it; nothing was kept.") from error
        if key in guarded(kind.name):
            raise errors.BadHash(
                f"{which}, is that of an empty or blank file, which no list may hold: there is nothing to withdraw.",
                next_step="Leave it out; nothing was kept.",
            )
        yield key.hex()


def clean_name(name: str) -> str:
    """A file's name as it can be shown and kept: no path, no control characters, 200 at most."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(it for it in last if unicodedata.category(it)[0] != "C").strip()
    return shown[:200] or "upload.csv"


def _header(file: Path, file_name: str) -> tuple[str, ...]:
    """Raises BadInput, which speaks of the file by the name that the person knows."""
    try:
        return read_header(file)
    except errors.BadInput as error:
        message = error.message.replace(file.name, clean_name(file_name))
        raise errors.BadInput(message, next_step=error.next_step) from error


def _keep(draft: Draft, blocks: Iterable[bytes]) -> Draft:
    """The row last: a file without one is removed by the timetable, a row without a file would be nothing."""
    open_now = Draft.objects.filter(list__publisher__organisation=draft.list.publisher.organisation, state__in=OPEN)
    if open_now.count() >= MOST_OPEN:
        raise errors.UsageError(
            f"{MOST_OPEN} uploads of your hotline are open already.", next_step="Throw away those you do not need."
        )
    object_store().receive(draft_key(draft.digest, draft.pk), blocks, limit=draft.length)
    with transaction.atomic():
        draft.save(force_insert=True)
        _note(draft, draft.uploaded_by, f"Upload {draft.get_kind_display().lower()}", draft.uploaded_at)
    return draft


def _note(draft: Draft, person: Person, what: str, now: datetime, reason: str = "") -> None:
    """In the hub's log of what people did: which file, by its digest, never what is in it."""
    noted = f"SHA-256 of the file {draft.digest}"
    note_deed(person=person, what=what, about=draft, reason=reason, noted=noted, now=now)


def _blocks(file: Path) -> Iterable[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(1 << 18):
            yield block


# --- Check ------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_check(
    *, person: Person, draft_id: uuid.UUID, revision: int, columns: Mapping[str, str], now: datetime
) -> Draft:
    """Have a worker count what the file would change, reading its `columns` so. Raises NotEntitled, UsageError,
    DraftMoved.
    """
    draft = draft_of(person=person, draft_id=draft_id)
    checked = check_columns(draft, columns)
    job = create_job(
        kind=Job.Kind.CHECK_DRAFT, organisation=draft.list.publisher.organisation, target=draft.pk, now=now
    )
    _move(
        draft,
        to=Draft.State.CHECKING,
        among=IN_HAND,
        revision=revision,
        columns=checked,
        job=job,
        findings=None,
        problem=None,
        errors_digest="",
    )
    return _again(draft)


# --- Submit, decide ---------------------------------------------------------------------------------------------


@transaction.atomic
def submit_draft(
    *,
    person: Person,
    draft_id: uuid.UUID,
    revision: int,
    now: datetime,
    reason: str = "",
    skip_bad: bool = False,
    typed_withdrawals: int | None = None,
) -> Draft:
    """Ask a second analyst. `reason` and the number of withdrawals, typed in, where the whole list leaves entries out.

    Raises NotEntitled, DraftMoved, what `check_submittable` raises.
    """
    draft = draft_of(person=person, draft_id=draft_id)
    if draft.state == Draft.State.SUBMITTED and draft.submitted_by_id == person.pk:
        return draft  # the second click
    draft.reason = draft.reason or reason
    draft.skip_bad, draft.allow_withdrawals = skip_bad, typed_withdrawals
    if draft.revision == revision:
        check_submittable(draft)
    _move(
        draft,
        to=Draft.State.SUBMITTED,
        among=(Draft.State.CHECKED, Draft.State.RETURNED),
        revision=revision,
        reason=draft.reason,
        skip_bad=skip_bad,
        allow_withdrawals=typed_withdrawals,
        submitted_by=person,
        submitted_at=now,
        decided_by=None,
        decided_at=None,
        decision_reason="",
    )
    _note(draft, person, "Submit an upload", now, draft.reason)
    return _again(draft)


@transaction.atomic
def approve_draft(*, person: Person, draft_id: uuid.UUID, revision: int, now: datetime) -> Draft:
    """Four eyes: done by an analyst of the same hotline who neither uploaded nor submitted it. A hosted list is then
    published by a worker, another waits for its hotline's machine.

    Raises NotEntitled, FourEyes, DraftMoved (decided by somebody else, or the list has a newer version), Conflict
    (another approved upload of the list is not published yet).
    """
    draft = draft_of(person=person, draft_id=draft_id)
    if draft.decided_by_id == person.pk and draft.state in (
        Draft.State.APPROVED,
        Draft.State.PUBLISHING,
        Draft.State.PUBLISHED,
    ):
        return draft  # the second click
    if person.pk in (draft.uploaded_by_id, draft.submitted_by_id):
        raise errors.FourEyes
    if draft.state == Draft.State.SUBMITTED:
        check_submittable(draft)
    hosted = draft.list.hosted
    fields: dict[str, Any] = {"decided_by": person, "decided_at": now, "decision_reason": "", "problem": None}
    if hosted:
        organisation = draft.list.publisher.organisation
        fields["job"] = create_job(kind=Job.Kind.PUBLISH_DRAFT, organisation=organisation, target=draft.pk, now=now)
    to = Draft.State.PUBLISHING if hosted else Draft.State.APPROVED
    try:
        with transaction.atomic():
            _move(draft, to=to, among=(Draft.State.SUBMITTED,), revision=revision, **fields)
    except IntegrityError as error:
        raise errors.Conflict(
            f"Another approved upload of {draft.list.name} is not published yet.",
            next_step="Wait for it to end, then have this one checked again. Nothing was changed.",
        ) from error
    _note(draft, person, "Approve an upload", now)
    return _again(draft)


@transaction.atomic
def send_back_draft(*, person: Person, draft_id: uuid.UUID, revision: int, reason: str, now: datetime) -> Draft:
    """To whoever uploaded it. Raises NotEntitled, UsageError without a reason, DraftMoved."""
    draft = draft_of(person=person, draft_id=draft_id)
    if not reason.strip():
        raise errors.UsageError("Say why it is sent back: whoever uploaded it reads that.")
    fields = {"decided_by": person, "decided_at": now, "decision_reason": reason.strip()[:500]}
    _move(draft, to=Draft.State.RETURNED, among=(Draft.State.SUBMITTED,), revision=revision, **fields)
    _note(draft, person, "Send an upload back", now, reason)
    return _again(draft)


@transaction.atomic
def abandon_draft(*, person: Person, draft_id: uuid.UUID, revision: int, now: datetime, reason: str = "") -> Draft:
    """Throw an upload away with its file; what is being published is not stopped. Raises NotEntitled, DraftMoved,
    UsageError for a colleague's without a reason.
    """
    draft = draft_of(person=person, draft_id=draft_id)
    if draft.uploaded_by_id != person.pk and not reason.strip():
        raise errors.UsageError(f"Say why: {draft.uploaded_by} uploaded it, and reads that. Nothing was done.")
    among = (*IN_HAND, Draft.State.CHECKING, Draft.State.SUBMITTED, Draft.State.APPROVED)
    fields = {"decided_by": person, "decided_at": now, "decision_reason": reason.strip()[:500]}
    _move(draft, to=Draft.State.ABANDONED, among=among, revision=revision, closed_at=now, **fields)
    _note(draft, person, "Throw an upload away", now, reason)
    return _again(draft)


def _move(draft: Draft, *, to: str, among: Iterable[str], revision: int, **fields: Any) -> None:
    """The compare-and-set. Raises DraftMoved, saying what it is now."""
    among = tuple(among)
    rows = Draft.objects.filter(pk=draft.pk, state__in=among, revision=revision)
    if rows.update(state=to, revision=F("revision") + 1, **fields):
        return
    now = _again(draft)
    if now.state in among:
        raise errors.DraftMoved(
            "This upload was worked on since this page was opened, in another tab or by a colleague. Nothing was done."
        )
    raise errors.DraftMoved(f"This upload is “{now.get_state_display().lower()}” by now{_by(now)}. Nothing was done.")


def _by(draft: Draft) -> str:
    decided = draft.state in (Draft.State.RETURNED, Draft.State.APPROVED, Draft.State.PUBLISHING, Draft.State.PUBLISHED)
    return f", decided by {draft.decided_by}" if decided and draft.decided_by else ""


def _again(draft: Draft) -> Draft:
    rows = Draft.objects.select_related(
        "list__publisher__organisation", "uploaded_by", "submitted_by", "decided_by", "job", "release"
    )
    return rows.get(pk=draft.pk)

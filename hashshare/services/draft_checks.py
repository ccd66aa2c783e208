"""The dry run: what a draft would change, counted by the same queries as `hashshare publish` uses, in bounded memory.

Counts, shortened keys, lines at fault and the few entries to be withdrawn first leave here; other entries do not.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from hashshare.models import Draft, HashList, StoredObject
from hashshare.selectors.majors import window
from hashshare.services.commits import served_manifest
from hashshare.services.draft_rules import COUNTS, EXAMPLES, format_of
from hashshare.services.manifests import object_path, read_base_index
from hashshare.services.shards import MEMORY, Progress
from hashshare.storage import object_store
from hashshare.storage.keys import draft_key
from hashshare.wire import errors
from hashshare.wire.difference import FATED, Difference, difference
from hashshare.wire.engine import Engine, literal, open_engine, scalar
from hashshare.wire.entries import ListFormat, quoted
from hashshare.wire.intake import Intake, read_entries, write_errors_csv
from hashshare.wire.lapsing import day_of
from hashshare.wire.limits import GIB
from hashshare.wire.major import needs_major
from hashshare.wire.manifest import Manifest
from hashshare.wire.segments import file_sha256
from hashshare.wire.spreadsheet import Sheet
from hashshare.wire.state import HeldState, fold_later, held_rows, key_hex
from hashshare.wire.vocabulary import WITHDRAW

PREVIEW_ROWS: Final = 10
SHOWN_WITHDRAWALS: Final = 20
"""Entries to be withdrawn that are shown whole: who approves has to see what goes."""

WITHDRAWN_COLUMNS: Final = ("category", "media", "first_seen")
SHORTENED: Final = 12
"""Hexadecimal digits of a hash that a page may show."""

MOST_COMPARED: Final = 4 * GIB
"""Bytes of other hotlines' lists that one check reads; of more, nothing is counted."""

FEW: Final = 5
"""Fewer entries than this on others' lists are told as "few": one key at a time must not be asked for."""

FATES: Final = {"added": "new", "updated": "changed", "reinstated": "reinstated", "withdrawn": "withdrawn"}
"""What becomes of an entry, in the words of the page."""

STEPS: Final = 4
BLOCK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Faults:
    """Lines at fault as CSV in the object store: `digest` of the file, "" when there are none."""

    digest: str = ""


def check_draft(draft: Draft, *, progress: Progress, now: datetime) -> tuple[dict[str, Any], Faults]:
    """Counts and facts for `Draft.findings`. Raises BadInput for faults of the whole file, MissingObject."""
    hash_list, fmt = draft.list, format_of(draft.list)
    changes = draft.kind != Draft.Kind.WHOLE
    manifest = served_manifest(hash_list)
    state, others = held_state(manifest, fmt), _states_of_others(hash_list, fmt)
    read = [*state.paths, *(path for other in others or () for path in other.paths)]
    with _file_of(draft) as file, open_engine(read=[file, *read], write=file.parent, memory=MEMORY) as engine:
        progress(0, STEPS, "Reading the file")
        intake = _intake(engine, draft, file, fmt, changes=changes)
        progress(1, STEPS, "Comparing it with the list")
        change = difference(
            engine,
            state,
            intake,
            today=day_of(now),
            reason=draft.reason or "other",
            renewed=manifest is not None and manifest.base.version > 1,
        )
        withdrawals = _withdrawals(engine, state, change, fmt) if change.withdrawn else None
        progress(2, STEPS, "Looking at other hotlines' lists")
        elsewhere = None if others is None else _count_elsewhere(engine, intake, others)
        progress(3, STEPS, "Writing down what was found")
        faults = _keep_faults(engine, draft, file.parent) if intake.problem_count else Faults()
        found = {
            "before": hash_list.version,
            "held": hash_list.entries,
            "rows": intake.rows,
            "good": intake.good,
            "problem_count": intake.problem_count,
            "problems": [{"line": it.line, "column": it.column, "message": it.message} for it in intake.problems],
            **{name: getattr(change, name) for name in COUNTS},
            **{name: [f"{key[:SHORTENED]}…" for key in getattr(change, name)] for name in EXAMPLES},
            "elsewhere": elsewhere,
            "major": _needs_major(hash_list, change, now=now),
            "preview": _preview(engine, fmt),
            "withdrawals": withdrawals,
        }
    return found, faults


def held_state(manifest: Manifest | None, fmt: ListFormat) -> HeldState:
    """The list as it is served, from the store's own files, which were verified when they were published."""
    if manifest is None:
        return HeldState(fmt)
    late = [segment for segment in manifest.segments if segment.to_version > manifest.base.version]
    early = [segment for segment in manifest.segments if segment.to_version <= manifest.base.version]
    return HeldState(
        fmt,
        base=tuple(object_path(ref) for ref in read_base_index(manifest.base.index).object_refs()),
        deltas=tuple(object_path(segment.object) for segment in late),
        earlier=tuple(object_path(segment.object) for segment in early),
    )


@contextmanager
def _file_of(draft: Draft) -> Iterator[Path]:
    """The draft's file under a plain name in a private folder, where the engine also spills; gone afterwards."""
    try:
        kept = object_store().local(draft_key(draft.digest, draft.pk))
    except FileNotFoundError as error:
        raise errors.MissingObject("The uploaded file is no longer here.", next_step="Upload it again.") from error
    with tempfile.TemporaryDirectory(prefix="check-", dir=settings.HASHSHARE_INCOMING) as folder:
        path = Path(folder) / "upload.csv"
        path.symlink_to(kept.resolve())
        yield path


def _intake(engine: Engine, draft: Draft, file: Path, fmt: ListFormat, *, changes: bool) -> Intake:
    try:
        return read_entries(
            engine, file, fmt=fmt, changes=changes, default_reason=draft.reason or None, names=draft.columns
        )
    except errors.BadInput as error:
        message = error.message.replace(file.name, draft.file_name)
        raise errors.BadInput(message, next_step=error.next_step) from error


# --- Other hotlines ---------------------------------------------------------------------------------------------


def _states_of_others(hash_list: HashList, fmt: ListFormat) -> list[HeldState] | None:
    """Lists in the catalogue that other hotlines publish under the same key algorithm; None if that is too much, or
    if one of them is not all here, as after a restore: what others lack is no fault of this file.
    """
    rows = HashList.objects.select_related("publisher").filter(
        state=HashList.State.ACTIVE, visibility=HashList.Visibility.CATALOGUE, algorithms__0=fmt.algorithms[0]
    )
    try:
        others = rows.exclude(publisher__organisation=hash_list.publisher.organisation_id)
        found = [(format_of(row), manifest) for row in others if (manifest := served_manifest(row))]
        total = sum(it.base.bytes + sum(part.object.length for part in it.segments) for _, it in found)
        return None if total > MOST_COMPARED else [held_state(manifest, other) for other, manifest in found]
    except (StoredObject.DoesNotExist, errors.MissingObject, errors.WrongDigest):
        return None


def _count_elsewhere(engine: Engine, intake: Intake, others: list[HeldState]) -> int:
    """How many of the file's entries are on at least one of `others`; 1 stands for any number below FEW."""
    engine.execute("CREATE OR REPLACE TEMP TABLE elsewhere (p UBIGINT, s BLOB)")
    asked = f"SELECT p, s FROM {intake.table}" + (f" WHERE op <> {WITHDRAW}" if intake.changes else "")
    for other in others:
        fold_later(engine, other, columns=["op"])
        held = held_rows(other, ["p", "s"])
        engine.execute(f"INSERT INTO elsewhere SELECT p, s FROM ({asked}) SEMI JOIN ({held}) USING (p, s)")
    found = scalar(engine, "SELECT count(*) FROM (SELECT DISTINCT p, s FROM elsewhere)")
    return 1 if 0 < found < FEW else found


# --- What is shown ----------------------------------------------------------------------------------------------


def _needs_major(hash_list: HashList, change: Difference, *, now: datetime) -> dict[str, int] | None:
    """Whether two holders of major keys must sign for what the list would lose; None when not."""
    seen = window(hash_list, now=now)
    lost = change.withdrawn + seen.lost
    return {"lost": lost, "held": seen.held} if change.withdrawn and needs_major(lost=lost, held=seen.held) else None


def _preview(engine: Engine, fmt: ListFormat) -> dict[str, Any]:
    """The first rows of what would change, every hash shortened."""
    hashes = [f"left(lower(hex({quoted(it.name)})), {SHORTENED}) AS {quoted(it.name)}" for it in fmt.further]
    metadata = [f"{quoted(name)}::VARCHAR AS {quoted(name)}" for name in fmt.columns]
    names = [fmt.key.name, *(it.name for it in fmt.further), *fmt.columns]
    fates = ", ".join(literal(fate) for fate in FATES)
    shown = ", ".join([f"left({key_hex()}, {SHORTENED})", *hashes, *metadata])
    rows = engine.execute(
        f"SELECT fate, {shown} FROM {FATED} WHERE fate IN ({fates}) ORDER BY p, s LIMIT {PREVIEW_ROWS}"
    ).fetchall()
    hashed = 1 + len(fmt.further)
    return {
        "columns": ["change", *names],
        "rows": [
            [FATES[row[0]], *(f"{text}…" if text else "" for text in row[1 : 1 + hashed]), *row[1 + hashed :]]
            for row in rows
        ],
    }


def _withdrawals(engine: Engine, state: HeldState, change: Difference, fmt: ListFormat) -> dict[str, Any]:
    """The first entries that go, with their whole keys and what the list says of them; goes itself with the file."""
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE going AS SELECT p, s FROM {change.table} WHERE op = {WITHDRAW}"
        f" ORDER BY p, s LIMIT {SHOWN_WITHDRAWALS}"
    )
    prefixes = ", ".join(str(p) for (p,) in engine.execute("SELECT DISTINCT p FROM going").fetchall())
    names = [name for name in WITHDRAWN_COLUMNS if name in fmt.columns]
    asked = f"p IN ({prefixes})"
    fold_later(engine, state, columns=["op", *names], condition=asked)
    held = held_rows(state, ["p", "s", *names], condition=asked)
    shown = ", ".join([key_hex(), *(f"{quoted(name)}::VARCHAR" for name in names)])
    rows = engine.execute(f"SELECT {shown} FROM ({held}) SEMI JOIN going USING (p, s) ORDER BY p, s").fetchall()
    return {"columns": [fmt.key.name, *names], "rows": [list(row) for row in rows]}


def _keep_faults(engine: Engine, draft: Draft, folder: Path) -> Faults:
    """Every line at fault, as a file that any spreadsheet opens without taking a text for a formula."""
    written, safe = folder / "faults.csv", folder / "safe.csv"
    write_errors_csv(engine, written)
    with written.open(newline="") as source, safe.open("w", newline="") as target:
        rows = csv.reader(source)
        sheet = Sheet(target, next(rows))
        for line, *rest in rows:
            sheet.add([int(line), *rest])
    digest, length = file_sha256(safe), safe.stat().st_size
    key = draft_key(digest, draft.pk, faults=True)
    with safe.open("rb") as opened:
        object_store().receive(key, iter(lambda: opened.read(BLOCK), b""), limit=length)
    return Faults(digest)

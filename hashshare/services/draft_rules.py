"""What a draft must be before it goes on: its columns, and what its dry run found. Rules over one row; no writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from hashshare.models import Draft, HashList
from hashshare.wire import errors
from hashshare.wire.difference import Difference
from hashshare.wire.entries import ListFormat
from hashshare.wire.fields import file_fields
from hashshare.wire.guards import FREE_SHARE, check_change
from hashshare.wire.intake import left_empty, not_in_file

OTHER_NAMES: Final = {
    "sha-256": "sha256", "sha_256": "sha256", "sha256 hash": "sha256", "sha-1": "sha1", "sha_1": "sha1",
    "sha1 hash": "sha1", "md-5": "md5", "md5 hash": "md5", "md5sum": "md5", "sha256sum": "sha256", "pdq hash": "pdq",
    "photo dna": "photodna", "photo-dna": "photodna", "photodna hash": "photodna", "class": "category",
    "classification": "category", "severity": "category", "age": "age_band", "ageband": "age_band",
    "age band": "age_band", "age range": "age_band", "media type": "media", "type": "media", "first seen": "first_seen",
    "firstseen": "first_seen", "date": "first_seen", "expiry": "expires", "expires at": "expires", "operation": "op",
    "action": "op", "quality": "pdq_quality", "pdq quality": "pdq_quality",
}  # fmt: skip
"""What spreadsheets call the columns of lists."""


def format_of(hash_list: HashList) -> ListFormat:
    return ListFormat(tuple(hash_list.algorithms), hash_list.scheme, tuple(hash_list.columns))


def list_columns(hash_list: HashList, *, changes: bool) -> tuple[str, ...]:
    """What a file's columns may be called, in the order of a template."""
    return tuple(field.name for field in file_fields(format_of(hash_list), changes=changes))


def guessed_columns(header: Sequence[str], hash_list: HashList, *, changes: bool) -> dict[str, str]:
    """What each column of a file seems to be; "" where nothing fits. No column of the list is given twice."""
    known, guessed = set(list_columns(hash_list, changes=changes)), dict[str, str]()
    for name in header:
        guess = name if name in known else OTHER_NAMES.get(name, name.replace(" ", "_").replace("-", "_"))
        guessed[name] = guess if guess in known - set(guessed.values()) else ""
    return guessed


def needed_columns(hash_list: HashList, *, kind: str, given: Collection[str]) -> tuple[str, ...]:
    """What a file must have: all of the list's columns, since an entry replaces the whole of an earlier one. Changes
    that say in `op` what they are may be withdrawals alone, which need their keys; the worker sees whether they are.
    """
    if kind != Draft.Kind.WHOLE and "op" in given:
        return (hash_list.algorithms[0],)
    return list_columns(hash_list, changes=False)


def may_be_empty(hash_list: HashList) -> tuple[str, ...]:
    """Columns that a file need not have, if somebody says so: all but the key."""
    return list_columns(hash_list, changes=False)[1:]


def check_columns(draft: Draft, columns: Mapping[str, str]) -> dict[str, str]:
    """Each column of the file with what it is, and those of the list that `not_in_file` says shall be empty. Raises
    UsageError for one given twice, unknown, or one of the list's that is missing; its fact `at` names the file's
    columns where that is to be mended.
    """
    known = list_columns(draft.list, changes=draft.kind != Draft.Kind.WHOLE)
    chosen = {name: columns.get(name, "") for name in draft.header}
    empty = left_empty(columns) & set(may_be_empty(draft.list))
    if contradicted := [column for column, name in chosen.items() if name in empty]:
        raise errors.UsageError(
            f"{chosen[contradicted[0]]} is said to be in the file, and not to be in it.", at=contradicted
        )
    chosen |= {not_in_file(name): name for name in sorted(empty)}
    given = [name for name in chosen.values() if name]
    if unknown := set(given) - set(known):
        raise errors.UsageError(f"{min(unknown)[:40]!r} is not a column of this list.")
    if twice := {name for name in given if given.count(name) > 1}:
        at = [column for column, name in chosen.items() if name in twice]
        raise errors.UsageError(f"Two columns of the file are both said to be {min(twice)}.", at=at)
    if missing := [name for name in needed_columns(draft.list, kind=draft.kind, given=given) if name not in given]:
        raise errors.UsageError(
            f"No column of the file is said to be {', '.join(missing)}.",
            next_step="It is the list's key, without which there is no entry."
            if draft.list.algorithms[0] in missing
            else "Say which it is. If the file has none, say so below: it is then empty in every entry of the file.",
            at=[column for column, name in chosen.items() if not name],
        )
    return chosen


def check_submittable(draft: Draft) -> None:
    """Raises DraftMoved when it must be checked again, BadInput for lines at fault that nobody said to leave out,
    what `stopped` returns, and what is to be said in the form: TooManyWithdrawals, UsageError.
    """
    found = draft.findings
    if found is None:
        raise errors.DraftMoved("This upload has not been checked as it stands.")
    if found["before"] != draft.list.version:
        raise errors.DraftMoved(
            f"{draft.list.name} has moved on to version {draft.list.version} since the file was checked.",
            next_step="Have it checked again: what it would change may be different now. Nothing was done.",
        )
    if found["problem_count"] and not draft.skip_bad:
        raise errors.BadInput(
            f"{found['rows'] - found['good']:,} lines are at fault.",
            next_step="Correct the file and upload it again, or say that these lines shall be left out.",
        )
    if (stop := stopped(found, kind=draft.kind, hosted=draft.list.hosted)) is not None:
        raise stop
    check_counts(draft)


def stopped(found: Mapping[str, Any], *, kind: str, hosted: bool) -> errors.HashshareError | None:
    """What keeps a file from being submitted whatever is said in the form: WithdrawnKey, NotLive, MajorRequired of a
    hosted list, or UsageError for nothing to publish, in the words of a page; None if nothing does.
    """
    if found["blocked"]:
        return errors.WithdrawnKey(
            f"{_entries(found['blocked'])} of the file {_were(found['blocked'])} withdrawn from this list before: "
            f"{_named(found, 'blocked')}.",
            next_step="Take them out of the file. To bring them back, upload a file of changes that says reinstate in "
            "its column op for each of them, with all of the entry's columns.",
        )
    for fate in ("unheld", "untraced") if kind == Draft.Kind.WITHDRAWALS else ("unheld",):
        if found[fate]:
            return errors.NotLive(
                f"{_entries(found[fate])} to be withdrawn {'is' if found[fate] == 1 else 'are'} not on this list: "
                f"{_named(found, fate)}.",
                next_step="Check the hashes, and that they are of the list's key algorithm. Leave the others out.",
            )
    if hosted and found.get("major"):
        return _needs_signatures(found["major"])
    return None if changed(found) else _nothing(kind)


def _needs_signatures(major: Mapping[str, int]) -> errors.MajorRequired:
    return errors.MajorRequired(
        f"The list would lose {major['lost']:,} entries within seven days, of {major['held']:,}. Above 1 % and 100 "
        "entries, two holders of major keys must sign for it, which a hosted list does not have.",
        next_step="Withdraw fewer at once, or have your engineer take the list home: hashshare publisher list unhost",
    )


def _nothing(kind: str) -> errors.UsageError:
    if kind != Draft.Kind.WITHDRAWALS:
        return errors.UsageError("The list says all of this already: there is nothing to publish.")
    return errors.UsageError(
        "All of this is withdrawn already: there is nothing to publish.",
        next_step="Members that have synced since no longer have it; Withdrawal propagation shows which.",
    )


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _named(found: Mapping[str, Any], fate: str) -> str:
    shown = found[f"{fate}_examples"][:3]
    more = found[fate] - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def check_counts(draft: Draft) -> None:
    """The rules over counts (wire.guards), in the words of a page."""
    found = draft.findings or {}
    needed = needed_number(draft)
    if needed is not None and draft.allow_withdrawals != needed:
        raise errors.TooManyWithdrawals(
            f"The file lacks {needed:,} of the list's {found['held']:,} entries, which would be withdrawn.",
            next_step=f"If the file is complete and this is meant, type the number: {needed}.",
        )
    if draft.kind == Draft.Kind.WHOLE and found["withdrawn"] and not draft.reason:
        raise errors.UsageError(
            f"The file lacks {found['withdrawn']:,} entries, which would be withdrawn.",
            next_step="Say why: every member reads the reason.",
        )
    check_change(
        difference_of(found),
        entries=found["held"],
        full=draft.kind == Draft.Kind.WHOLE,
        reason=draft.reason or None,
        allow_withdrawals=draft.allow_withdrawals,
        typed=draft.kind == Draft.Kind.WITHDRAWALS,
    )


def needed_number(draft: Draft) -> int | None:
    """How many withdrawals a whole list implies, if so many that the number must be typed."""
    found = draft.findings or {}
    withdrawn = found.get("withdrawn", 0)
    large = draft.kind == Draft.Kind.WHOLE and withdrawn * FREE_SHARE > found.get("held", 0)
    return withdrawn if large and withdrawn else None


def changed(found: Mapping[str, Any]) -> int:
    return int(found["added"] + found["updated"] + found["reinstated"] + found["withdrawn"])


COUNTS: Final = (
    "added", "updated", "reinstated", "withdrawn", "unchanged", "blocked", "unheld", "lapsed", "untraced", "outdated",
)  # fmt: skip
EXAMPLES: Final = ("blocked_examples", "unheld_examples", "untraced_examples")


def difference_of(found: Mapping[str, Any]) -> Difference:
    fields: dict[str, Any] = {name: found[name] for name in COUNTS}
    fields |= {name: tuple(found[name]) for name in EXAMPLES}
    return Difference(table="", **fields)

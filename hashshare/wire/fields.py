"""What each field of a published file must hold, as SQL: its value, whether it is sound, and what to say if not.

A field's text stands in the column `t_<name>` (null where empty), its value in `v_<name>`. Nothing here reads files.
"""

from __future__ import annotations

from dataclasses import dataclass

from hashshare.wire.algorithms import KEY_PREFIX, Algorithm, describe_text, guarded
from hashshare.wire.engine import literal
from hashshare.wire.entries import ListFormat, quoted
from hashshare.wire.vocabulary import (
    FIRST_DAY,
    LAST_DAY,
    MAX_PDQ_QUALITY,
    METADATA_COLUMNS,
    OPERATIONS,
    REASONS,
    WITHDRAW,
    words,
)


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a file: `typed`, `sound` and `message` are SQL over its text and value.

    `stored`: it becomes a column of the segment under its own name (the key becomes `p` and `s` instead).
    """

    name: str
    typed: str
    message: str
    required: bool
    stored: bool = True
    needed: bool = False
    """Whether a row without it is a fault."""

    @property
    def text(self) -> str:
        """The column that holds this field's text."""
        return quoted(f"t_{self.name}")

    @property
    def value(self) -> str:
        """The column that holds this field's value, null unless it is one."""
        return quoted(f"v_{self.name}")

    @property
    def sound(self) -> str:
        """Whether the field of a row is as it must be."""
        if self.needed:
            return f"{self.value} IS NOT NULL"
        return f"{self.text} IS NULL OR {self.value} IS NOT NULL"


def file_fields(fmt: ListFormat, *, changes: bool, default_reason: str | None = None) -> tuple[Field, ...]:
    """The fields of a file of entries, or of changes to them, in the order in which people are told of them."""
    fields = [_hash_field(fmt.key, required=True, needed=True, changes=changes)]
    fields += [_hash_field(hashed, required=not changes) for hashed in fmt.further]
    fields += [_metadata_field(column, fmt, required=not changes) for column in fmt.columns]
    return (*_operation_fields(default_reason), *fields) if changes else tuple(fields)


def key_prefix(fmt: ListFormat) -> str:
    """The segment's `p`; only to be computed where the key is sound."""
    key = quoted(f"v_{fmt.algorithms[0]}")
    return f"('0x' || hex({key}[1:{KEY_PREFIX}]))::UBIGINT"


def key_rest(fmt: ListFormat) -> str:
    """The segment's `s`."""
    return f"{quoted(f'v_{fmt.algorithms[0]}')}[{KEY_PREFIX + 1}:]"


def _hash_field(hashed: Algorithm, *, required: bool, needed: bool = False, changes: bool = False) -> Field:
    """`changes`: the row may be a withdrawal of it, as `t_op` says."""
    text = quoted(f"t_{hashed.name}")
    harmless = f"lower({text}) IN ({_harmless(hashed)})"
    cases = f"WHEN {harmless} THEN NULL WHEN length({text}) = {hashed.hex_width} THEN try(unhex({text}))"
    widths = [hashed.hex_width]
    if hashed.base64_width:
        cases += f" WHEN length({text}) = {hashed.base64_width} AND NOT contains({text}, '=') THEN"
        cases += f" try(from_base64({text}))"
        widths.append(hashed.base64_width)
    withdrawn = f"coalesce(t_op, '') = 'withdraw' AND {harmless}" if changes else "false"
    message = (
        f"CASE WHEN {text} IS NULL THEN 'is missing'"
        f" WHEN {withdrawn} THEN 'is that of an empty or blank file, which no list may hold: nothing to withdraw'"
        f" WHEN {harmless} THEN 'is that of an empty or blank file: it would match harmless files everywhere'"
        f" WHEN length({text}) IN ({', '.join(map(str, widths))}) THEN 'is not hexadecimal'"
        f" ELSE 'has ' || length({text}) || ' characters, expected {describe_text(hashed)}' END"
    )
    return Field(hashed.name, f"CASE {cases} END", message, required=required, stored=not needed, needed=needed)


def _harmless(hashed: Algorithm) -> str:
    """The guard list as text, so that such a line is named before anything is sent."""
    return ", ".join(literal(digest.hex()) for digest in sorted(guarded(hashed.name)))


def _metadata_field(column: str, fmt: ListFormat, *, required: bool) -> Field:
    text = quoted(f"t_{column}")
    shown = f"'is ' || {_shown(text)} || '"
    choice = words(column, scheme=fmt.scheme)
    if choice:
        return Field(column, _one_of(text, choice), f"{shown}, not one of {', '.join(choice)}'", required=required)
    if METADATA_COLUMNS[column] == "DATE":
        typed = (
            f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') AND {text} >= '{FIRST_DAY}'"
            f" AND {text} <= '{LAST_DAY}' THEN try_cast({text} AS DATE) END"
        )
        return Field(column, typed, f"{shown}, not a date such as 2026-11-22'", required=required)
    typed = (
        f"CASE WHEN regexp_full_match({text}, '[0-9]{{1,3}}') AND {text}::INTEGER <= {MAX_PDQ_QUALITY}"
        f" THEN {text}::UTINYINT END"
    )
    return Field(column, typed, f"{shown}, not a whole number from 0 to {MAX_PDQ_QUALITY}'", required=required)


def _operation_fields(default_reason: str | None) -> tuple[Field, Field]:
    cases = " ".join(f"WHEN {literal(name)} THEN {number}" for name, number in OPERATIONS.items())
    operation = Field(
        "op",
        f"(CASE coalesce(t_op, 'upsert') {cases} END)::UTINYINT",
        f"'is ' || {_shown('t_op')} || ', not one of {', '.join(OPERATIONS)}'",
        required=False,
        stored=False,
        needed=True,
    )
    fallback = f"coalesce(t_reason, {literal(default_reason)})" if default_reason else "t_reason"
    withdrawn = "coalesce(t_op, '') = 'withdraw'"
    reason = Field(
        "reason",
        f"CASE WHEN NOT {withdrawn} THEN 'none' WHEN {fallback} IN ({_list(REASONS)}) THEN {fallback} END",
        f"CASE WHEN t_reason IS NULL THEN 'is missing: a withdrawal has one of {', '.join(REASONS)}'"
        f" ELSE 'is ' || {_shown('t_reason')} || ', not one of {', '.join(REASONS)}' END",
        required=False,
        stored=False,
        needed=True,
    )
    return operation, reason


def stored_value(field: Field, *, changes: bool) -> str:
    """The field's value as the segment holds it: a withdrawal carries nothing but its key and reason."""
    return f"CASE WHEN v_op <> {WITHDRAW} THEN {field.value} END" if changes else field.value


def _one_of(text: str, choice: tuple[str, ...]) -> str:
    return f"CASE WHEN {text} IN ({_list(choice)}) THEN {text} END"


def _list(choice: tuple[str, ...]) -> str:
    return ", ".join(literal(word) for word in choice)


def _shown(text: str) -> str:
    """An excerpt of a wrong value that is safe to print."""
    return f"'\"' || regexp_replace(left({text}, 40), '[^ -~]', '?', 'g') || '\"'"

"""What stops a publication before anything is signed: rules over counts, pure."""

from __future__ import annotations

from typing import Final

from hashshare.wire.difference import Difference
from hashshare.wire.errors import NotLive, TooManyWithdrawals, UsageError, WithdrawnKey

FREE_SHARE: Final = 100
"""A full list may leave out one in this many entries without --allow-withdrawals."""


def check_change(
    change: Difference,
    *,
    entries: int,
    full: bool,
    reason: str | None,
    allow_withdrawals: int | None,
    typed: bool = False,
) -> None:
    """Whether `change` to a list of `entries` entries may be published; `full` if the file was the whole list, `typed`
    if a person typed its keys: a mistyped one must not pass for one that has lapsed.

    Raises WithdrawnKey, NotLive, TooManyWithdrawals, UsageError (no reason given), with the counts as facts.
    """
    _check_sticky(change)
    if typed and change.untraced:
        raise _untraced(change)
    if not full:
        return
    lacking = (
        f"The file lacks {change.withdrawn:,} of the list's {entries:,} entries, so publishing it would withdraw "
        f"{'it' if change.withdrawn == 1 else 'them'}. Nothing was published."
    )
    counts = {"withdrawals": change.withdrawn, "entries": entries}
    if change.withdrawn * FREE_SHARE > entries and change.withdrawn > (allow_withdrawals or 0):
        next_step = f"If the file is complete and this is meant: --allow-withdrawals {change.withdrawn}."
        raise TooManyWithdrawals(lacking, next_step=next_step, **counts)
    if change.withdrawn and reason is None:
        next_step = "Say why: --reason incorrect, superseded, expired or other."
        raise UsageError(lacking, next_step=next_step, **counts)


def _check_sticky(change: Difference) -> None:
    if change.blocked:
        raise WithdrawnKey(
            f"{_entries(change.blocked)} of the file {_were(change.blocked)} withdrawn from this list before: "
            f"{_examples(change.blocked_examples, change.blocked)}.",
            count=change.blocked,
            examples=list(change.blocked_examples),
        )
    if change.unheld:
        raise NotLive(
            f"{_entries(change.unheld)} to be withdrawn {_were(change.unheld)} never on this list: "
            f"{_examples(change.unheld_examples, change.unheld)}.",
            next_step="Check the hashes, and that they are of the list's key algorithm.",
            count=change.unheld,
            examples=list(change.unheld_examples),
        )


def _untraced(change: Difference) -> NotLive:
    was = "It was never on it, or it" if change.untraced == 1 else "Each was never on it, or"
    return NotLive(
        f"{_entries(change.untraced)} to be withdrawn {'is' if change.untraced == 1 else 'are'} not on this list now: "
        f"{_examples(change.untraced_examples, change.untraced)}. {was} lapsed and dropped out when the base was "
        "renewed. Nothing was published.",
        next_step="Check the hashes. What has lapsed matches nowhere any more and needs no withdrawal: leave it out.",
        count=change.untraced,
        examples=list(change.untraced_examples),
    )


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _examples(examples: tuple[str, ...], total: int) -> str:
    shown = ", ".join(f"{key[:16]}…" for key in examples[:3])
    return shown if total <= 3 else f"{shown} and {total - 3:,} more"

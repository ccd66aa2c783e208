"""What goes wrong with one list doesn't keep the others from being used: each failure is told, kept and counted."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from typing import Any, Final

from hashshare.client.cli.failures import explained, raise_if_interrupted
from hashshare.client.cli.output import Output, error_document
from hashshare.wire.errors import ExitCode, HashshareError

GRAVEST_FIRST: Final = (
    ExitCode.VERIFICATION,
    ExitCode.NOT_ALLOWED,
    ExitCode.REJECTED,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.NETWORK,
    ExitCode.ALARM,
)
"""A hub out of reach is the one failure that passes by itself; an alarm is none, since what was asked was done."""


class ListFailures:
    """The failures of a command that goes on with the next list."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self.codes: list[ExitCode] = []
        self.rows: list[dict[str, Any]] = []
        """A row per failed list, as --json shows it: name, list_id, error."""

    def add(self, name: str, list_id: str, error: Exception, *, kept: str = "") -> dict[str, Any]:
        """Tell it and keep it; returns the list's row. `kept` says what stays in use.

        Raises KeyboardInterrupt where Ctrl-C came in the shape of this error.
        """
        raise_if_interrupted(error)
        if self._out.debug:
            traceback.print_exception(error)
        told = error if isinstance(error, HashshareError) else explained(error)
        self.codes.append(told.exit_code)
        row = {"name": name, "list_id": list_id, "error": error_document(told)}
        self.rows.append(row)
        self._out.list_error(name, told, kept=kept)
        return row

    def settle(self) -> None:
        """End the command with the gravest failure's exit code, if there was any."""
        if self.codes:
            self._out.exit_code = gravest(self.codes)


def gravest(codes: Iterable[ExitCode]) -> ExitCode:
    """Of at least one."""
    return min(codes, key=GRAVEST_FIRST.index)

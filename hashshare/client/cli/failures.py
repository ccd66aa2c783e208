"""What to say about exceptions that are not hashshare's own: Ctrl-C, a full disk, and those that nobody foresaw."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from hashshare.wire.engine import found_no_room
from hashshare.wire.errors import HashshareError

INTERRUPTED: Final = {
    "type": "interrupted",
    "title": "Interrupted",
    "detail": "Interrupted; what was there before stays in use.",
    "next_step": "Run the command again: it finishes or repeats what was begun.",
}
"""A problem document of the command's own; no hub sends it."""

_QUOTED_FILE: Final = re.compile(r'file \\*"([^"\\]+)')

_DIGEST: Final = re.compile("[0-9a-f]{64}")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C ends the body with KeyboardInterrupt, also when a library turns it into an error of its own.

    DuckDB does, and code above it could take that for a fault of the file being read.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _Press())
    try:
        yield
    except Exception as error:
        raise_if_interrupted(error)
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Press:
    """The handler of Ctrl-C inside `interruptible`; remembers that it was pressed."""

    pressed = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt


def raise_if_interrupted(error: Exception) -> None:
    """For code inside `interruptible` that would go on after an error: whether it was Ctrl-C in another shape."""
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, _Press) and handler.pressed:
        raise KeyboardInterrupt from error


def explained(error: Exception) -> HashshareError:
    """The error to show for one that no code here raised."""
    if found_no_room(error):
        named = getattr(error, "filename", None) or next(iter(_QUOTED_FILE.findall(str(error))), None)
        if named and _DIGEST.search(named):
            # The folder says which disk; the name is a digest.
            named = str(Path(named).parent)
        where = f" ({named})" if named else ""
        return HashshareError(
            f"The disk is full{where}; what was there before stays in use.",
            next_step="Make room, then run the command again.",
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return HashshareError(f"{where}{error.strerror or error}.")
    return HashshareError(
        f"Internal error ({type(error).__name__}: {error}).",
        next_step="Run it again with --debug and report what it prints.",
    )

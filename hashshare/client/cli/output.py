"""How every command speaks: text or one JSON document, progress, errors, exit codes.

A command is a function whose first parameter is `out: Output`; `command(app)` registers it with the options that all
share. Domain logic may not live here.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from hashshare.client.cli.failures import INTERRUPTED, explained, interruptible
from hashshare.client.cli.layout import folded, least_width, packed, shortened
from hashshare.wire.errors import ExitCode, HashshareError
from hashshare.wire.fingerprints import spoken, spoken_lines
from hashshare.wire.plain_text import escaped, printable

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the stack trace of an error.")]


class Output:
    """Where a command's words go: `say`, `facts` and `table` for people, silent under --json; `result` for programs."""

    def __init__(self, *, as_json: bool = False, debug: bool = False) -> None:
        self.as_json = as_json
        self.debug = debug
        self.document: Mapping[str, Any] | None = None
        self.exit_code = ExitCode.DONE
        self._drawing = False
        self.console = Console(highlight=False, soft_wrap=True)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            # In a pipe or a mail from cron nothing is gained by folding columns at 80.
            self.console.width = 240

    @property
    def interactive(self) -> bool:
        """Whether bars may be drawn."""
        return self.errors.is_terminal and not self.as_json

    def say(self, line: str = "", *, style: str = "") -> None:
        """A line on stdout, taken literally (no markup); above the bar while one is drawn on the same terminal."""
        if not self.as_json:
            console = self.errors if self._drawing and self.console.is_terminal else self.console
            console.print(printable(line), style=style or None, markup=False)

    def warn(self, line: str) -> None:
        """A line on stderr for what needs attention although the command went on."""
        self._complain(f"! {line}", style="yellow", indent=2)

    def error(self, error: HashshareError) -> None:
        """An error and its next step on stderr. Under --json see `fail`."""
        self.errors.print("error ", style="red", end="")
        self._complain(error.message, indent=6, column=6)
        if error.next_step:
            self._complain(f"      {error.next_step}", indent=6)

    def list_error(self, name: str, error: HashshareError, *, kept: str = "") -> None:
        """What went wrong with one list among others, what `kept` its use, and its next step, on stderr."""
        self._complain(f"{name}   error: {error.message}", style="red", indent=2)
        for line in (kept, error.next_step):
            if line:
                self._complain(f"  {line}", indent=2)

    def _complain(self, text: str, *, style: str = "", indent: int, column: int = 0) -> None:
        """Words on stderr, from `column` on; on a terminal folded between words, later lines indented."""
        lines = shortened(printable(text)).splitlines()
        if self.errors.is_terminal:
            lines = [part for line in lines for part in folded(line, self.errors.width, indent=indent, column=column)]
        self.errors.print("\n".join(lines), style=style or None, markup=False)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values in two columns, the names padded to one width."""
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            self.say(f"  {name:<{width}}  {value}")

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
        """Columns without frame; those whose index is in `right` hold numbers.

        Where words would have to be broken to fit them on the terminal, each row is told in lines instead.
        """
        if self.console.is_terminal and least_width(headings, rows) > self.console.width:
            for first, *others in rows:
                self.say(first)
                cells = (f"{name.lower()} {cell}" for name, cell in zip(headings[1:], others, strict=True) if cell)
                for line in packed(list(cells), self.console.width - 2):
                    self.say(f"  {line}")
            return
        table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
        for index, heading in enumerate(headings):
            table.add_column(heading, justify="right" if index in right else "left", overflow="fold", no_wrap=not index)
        for row in rows:
            table.add_row(*(escape(printable(cell)) for cell in row))
        if not self.as_json:
            self.console.print(table)

    def fingerprint(self, before: str, fingerprint: str, after: str = "") -> None:
        """A fingerprint as people read it out, in four lines on a terminal where one would not do."""
        if not self.console.is_terminal or len(before + spoken(fingerprint) + after) <= self.console.width:
            self.say(before + spoken(fingerprint) + after)
            return
        first, *lines = spoken_lines(fingerprint)
        self.say(before + first)
        for line in lines:
            self.say(" " * len(before) + line + (after if line is lines[-1] else ""))

    def result(self, document: Mapping[str, Any]) -> None:
        """What --json prints when the command ends; the last call counts."""
        self.document = document

    @contextlib.contextmanager
    def bar(self, label: str, *, total: int | None, unit: str = "bytes") -> Iterator[Callable[[int], None]]:
        """A progress bar on stderr; call the result with what is done so far. Nothing when not on a terminal."""
        if not self.interactive:
            yield lambda _done: None
            return
        columns = [TextColumn("  {task.description}"), *([BarColumn(bar_width=36)] if total is not None else [])]
        done = "{task.completed:,.0f}" + ("" if total is None else "/{task.total:,.0f}")
        tail = [DownloadColumn(), TransferSpeedColumn()] if unit == "bytes" else [TextColumn(done)]
        with Progress(*columns, *tail, console=self.errors, transient=True) as progress:
            task = progress.add_task(escape(label), total=total)
            self._drawing = True
            try:
                yield lambda done: progress.update(task, completed=done)
            finally:
                self._drawing = False


def command(
    app: typer.Typer, name: str | None = None, **settings: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a command of `app`, adding --json and --debug and turning errors into exit codes.

    The function's first parameter receives the Output; the others are typer's as usual.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]
        shared = [
            inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
            inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Debug),
        ]

        @functools.wraps(function)
        def run(*, as_json: bool, debug: bool, **arguments: Any) -> None:
            out = Output(as_json=as_json, debug=debug)
            raise typer.Exit(perform(out, lambda: function(out, **arguments)))

        parameters = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own), *shared]
        run.__dict__.pop("__wrapped__", None)
        run.__dict__["__signature__"] = signature.replace(parameters=parameters)
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        app.command(name, **settings)(run)
        return function

    return register


def perform(out: Output, act: Callable[[], None]) -> int:
    """Run a command's body; the exit code. Errors are printed as people or programs need them, never as a trace."""
    try:
        with interruptible():
            act()
    except HashshareError as error:
        return _failed(out, error)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(out)
    except BrokenPipeError:
        # The reader (head, less) has enough; point stdout elsewhere so that the interpreter's last flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 (it is told, and whole with --debug)
        return _failed(out, explained(error), error)
    if out.as_json:
        print_json(out.document if out.document is not None else {})
    return int(out.exit_code)


def _interrupted(out: Output) -> int:
    if out.as_json:
        print_json({**(out.document or {}), "error": INTERRUPTED})
    else:
        out.errors.print(f"{INTERRUPTED['detail']}\n{INTERRUPTED['next_step']}", markup=False)
    return 128 + signal.SIGINT


def _failed(out: Output, error: HashshareError, cause: Exception | None = None) -> int:
    if out.debug:
        traceback.print_exception(cause or error)
    if out.as_json:
        print_json({**(out.document or {}), "error": error_document(error)})
    else:
        out.error(error)
    return int(error.exit_code)


def error_document(error: HashshareError) -> dict[str, Any]:
    """{"type","title","detail","next_step", facts...}: the same words as the hub's problem documents."""
    document = {"type": error.slug, "title": error.title, "detail": error.message}
    return {**error.facts, **document, **({"next_step": error.next_step} if error.next_step else {})}


def print_json(document: Mapping[str, Any]) -> None:
    sys.stdout.write(escaped(json.dumps(document, indent=2, ensure_ascii=False, default=str)) + "\n")
    sys.stdout.flush()


# --- words -------------------------------------------------------------------------------------------------------


def one_line(text: str) -> str:
    """A file's name as one line: one with a line feed in it must not look like two findings."""
    return text.replace("\n", "\N{REPLACEMENT CHARACTER}")


def count(number: int, noun: str = "", plural: str = "") -> str:
    """1,234 or "1,234 entries"; `plural` defaults to noun + s."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size(length: int) -> str:
    """Bytes as people say them, powers of 1000: 312 KB, 1.4 GB."""
    if length < 1000:
        return f"{length} B"
    value = float(length)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5 or unit == "TB":
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def short(digest: str) -> str:
    """A digest cut for people; --json has it whole."""
    return digest if len(digest) <= 16 else f"{digest[:12]}…"

"""How a publication is told on a terminal: bars, lines at fault, and the outcome. Silent under --json."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hashshare.client.cli.damage import warn_healed
from hashshare.client.cli.output import Output, count, size
from hashshare.client.commits import Job
from hashshare.client.publication import LeftOut, Listener, Publication, Wish
from hashshare.client.refusals import Refusal
from hashshare.wire.difference import Difference
from hashshare.wire.errors import ExitCode
from hashshare.wire.intake import Intake
from hashshare.wire.plain_text import printable

SHOWN_PROBLEMS: Final = 3
LAPSED: Final = "lapsed, and dropped out when the base was renewed"
UNTRACED: Final = "not on the list now: it never was, or it lapsed and dropped out when the base was renewed"
STAGES: Final = {
    "sync": "syncing",
    "check": "checking what is held",
    "intake": "reading",
    "diff": "comparing",
    "write": "writing",
    "base": "counting on the new base",
    "merge": "merging",
    "adopt": "adopting",
    "build": "building the base",
}
"""What a bar is called while a stage runs; those left out are told otherwise."""


class Narrator(Listener):
    """Draws one publication. A bar is taken away before anything is said, or it would overwrite the words."""

    def __init__(self, out: Output, name: str) -> None:
        self._out, self._name = out, name
        self._bars = contextlib.ExitStack()
        self._move: Callable[[int], None] | None = None
        self._done = 0
        self._total = 0
        self._task = ""
        self.published = False
        """Whether the hub has taken the release, so that what fails from here on is only the publisher's own copy."""
        self.damaged: list[str] = []
        """Held files that were made whole again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.close()

    def stage(self, name: str) -> None:
        self._bars.close()
        self._move = None
        self.published = name == "adopt"
        if name in STAGES:
            self._begin(STAGES[name], total=None)

    def read(self, wish: Wish, intake: Intake, errors_file: Path | None) -> None:
        self._bars.close()
        rejected = intake.rows - intake.good
        line = f"{wish.file.name}: {count(intake.rows, 'row')}, {intake.good:,} good"
        if not intake.problem_count:
            self._out.say(line)
            return
        shown = min(SHOWN_PROBLEMS, len(intake.problems))
        where = f"first {shown} below, all" if shown < intake.problem_count else "below, and"
        self._complain(f"{line}, {rejected:,} rejected ({where} in {errors_file})")
        width = max(len(problem.column) for problem in intake.problems[:shown])
        for problem in intake.problems[:shown]:
            self._complain(f"  line {problem.line:<6}{problem.column:<{width}} {problem.message}")

    def compared(self, change: Difference, before: int | None) -> None:
        self._bars.close()
        against = f"against v{before}" if before else "first release"
        self._out.say(f"{self._name}   {against}   {change_text(change)}")
        if change.outdated:
            what = (
                "1 new row has lapsed already and stays"
                if change.outdated == 1
                else (f"{change.outdated:,} new rows have lapsed already and stay")
            )
            first = change.outdated_examples[0][:16]
            self._complain(f"! {what} out, by the date in `expires`: see {first}\N{HORIZONTAL ELLIPSIS}")

    def left_out(self, change: Difference, rows: tuple[LeftOut, ...]) -> None:
        self._bars.close()
        number = change.lapsed + change.untraced
        what = "1 withdrawal was" if number == 1 else f"{number:,} withdrawals were"
        self._complain(f"! {what} left out, of what the list does not hold:")
        for row in rows[:SHOWN_PROBLEMS]:
            line = f"line {row.line:<6}" if row.line else ""
            self._complain(f"  {line}{row.key[:16]}\N{HORIZONTAL ELLIPSIS}  {LAPSED if row.lapsed else UNTRACED}")
        if number > SHOWN_PROBLEMS:
            self._complain(f"  and {number - SHOWN_PROBLEMS:,} more")

    def uploading(self, total: int) -> None:
        self._done, self._total = 0, total
        self._bars.close()
        self._begin("uploading", total=total)

    def uploaded(self, length: int) -> None:
        self._done += length
        if self._move is not None:
            self._move(self._done)

    def job(self, job: Job) -> None:
        if job.task_id and job.task_id != self._task:
            self._task = job.task_id
            self._bars.close()
            self._begin("verifying at the hub", total=job.total or None)
        if self._move is not None and job.total:
            self._move(job.done)

    def waiting(self, why: str) -> None:
        self._bars.close()
        self._out.warn(why)

    def healed(self, files: Sequence[str]) -> None:
        self._bars.close()
        self.damaged += [file for file in files if file not in self.damaged]
        warn_healed(self._out, self._name, files)

    def _begin(self, label: str, *, total: int | None) -> None:
        unit = "bytes" if label == "uploading" else "steps"
        self._move = self._bars.enter_context(self._out.bar(label, total=total, unit=unit))

    def _complain(self, line: str) -> None:
        """To stderr, where cron's mail picks it up."""
        if not self._out.as_json:
            self._out.errors.print(printable(line), markup=False)


def change_text(change: Difference) -> str:
    """`+ 9,482 added   ~ 3 updated   - 13 withdrawn`; what is zero is left out."""
    parts = [
        f"+ {change.added:,} added" if change.added else "",
        f"~ {change.updated:,} updated" if change.updated else "",
        f"+ {change.reinstated:,} reinstated" if change.reinstated else "",
        f"\N{MINUS SIGN} {change.withdrawn:,} withdrawn" if change.withdrawn else "",
    ]
    return "   ".join(part for part in parts if part) or "no change"


def tell(out: Output, publication: Publication) -> None:
    """The outcome and the next step."""
    if publication.dry_run:
        out.say("Dry run: nothing was published.")
    elif publication.request is not None:
        return
    elif not publication.published:
        out.say(f"The list says this already (v{publication.version}); nothing was published.")
    else:
        _tell_published(out, publication)


def tell_refused(out: Output, name: str, refused: Refusal | None) -> None:
    """A base that the hub did not take: a warning, and from the second in a row on a failure of the command."""
    if refused is None:
        return
    job = f" (job {refused.job})" if refused.job else ""
    out.warn(f"The hub refused the new base of {name} at v{refused.version}{job}: {refused.reason}")
    if not refused.is_error:
        out.warn("It was dropped, and the list goes on with its old base; the next one is built anew.")
        return
    out.warn(f"That makes {refused.times} in a row: until one is adopted, new members download the old base, with")
    out.warn(f"every entry that was withdrawn since. {refused.next_step(name)}")
    out.exit_code = ExitCode.VERIFICATION


def _tell_published(out: Output, publication: Publication) -> None:
    before = f"v{publication.before} → " if publication.before else ""
    out.say(
        f"{publication.name}   {before}v{publication.version}   {count(publication.entries, 'entry', 'entries')}"
        f"   {count(publication.objects, 'object')}, {size(publication.uploaded)} uploaded"
    )
    if publication.merged:
        out.say(f"  {count(publication.merged, 'segment')} merged with their neighbours")
    if publication.base is not None:
        out.say(f"  new base at v{publication.base} adopted")
    took = "   ".join(f"{name} {seconds:.1f} s" for name, seconds in publication.stages.items() if seconds >= 0.05)
    if took:
        out.say(f"  {took}")
    if publication.job is not None and publication.job.worker:
        out.say(f"  verified by {publication.job.worker}, task {publication.job.task_id}")

"""What a sync of one list says: its progress while it runs, and what came of it."""

from __future__ import annotations

from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from hashshare.client.cli.damage import warn_healed
from hashshare.client.cli.output import Output, count, size
from hashshare.client.intervals import Early
from hashshare.client.sync import Synced
from hashshare.wire.documents import write_time

MINUS = "\N{MINUS SIGN}"


def say_synced(out: Output, done: Synced, *, acknowledged: bool) -> None:
    """The outcome in a line for cron, in two on a terminal; `acknowledged`: the hub has just been told."""
    if done.damaged:
        warn_healed(out, done.name, done.damaged)
    told = "   acknowledged" if acknowledged else ""
    if not done.changed:
        out.say(f"{done.name}   v{done.version}   up to date, {count(done.entries)} held{told}")
        return
    if done.before is None or done.full:
        change = f"the whole list in {count(done.segments, 'object')}, {size(done.bytes)}"
    else:
        releases = count(done.version - done.before, "release")
        made = f", {count(done.made)} made here" if done.made else ""
        change = f"{releases} in {count(done.segments, 'segment')}, {size(done.bytes)}{made}"
    versions = f"v{done.version}" if done.before is None else f"v{done.before} → v{done.version}"
    counts = f"{_operations(done)}{count(done.entries)} held{_growth(done)}   verified{told}"
    if out.interactive:
        out.say(f"{done.name}   {versions}   {change}")
        out.say(f"  {counts}")
    else:
        out.say(f"{done.name}   {versions}   {change}   {counts}")


def _operations(done: Synced) -> str:
    """An operation on an entry that was there before changes it; only the publisher's tool knows which."""
    if done.upserts is None or done.withdrawals is None:
        return ""
    return f"+ {count(done.upserts)} added or changed   {MINUS} {count(done.withdrawals)} withdrawn   "


def _growth(done: Synced) -> str:
    more = done.entries - (done.entries if done.entries_before is None else done.entries_before)
    return f" ({'+' if more > 0 else MINUS} {count(abs(more))})" if more else ""


class DownloadBar:
    """Draws a list's download; several threads report to it."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._bars: Bars | None = None

    def start(self, name: str, *, before: int | None, version: int, objects: int, total: int) -> None:
        if not self._out.interactive or not total:
            return
        columns = (TextColumn("  {task.description}"), BarColumn(bar_width=36), DownloadColumn(), TransferSpeedColumn())
        self._bars = Bars(*columns, console=self._out.errors, transient=True)
        label = f"{name} v{version}" if before is None else f"{name} v{before} → v{version}"
        self._task = self._bars.add_task(f"{label}, {count(objects, 'object')}", total=total)
        self._bars.start()

    def advance(self, done: int) -> None:
        if self._bars is not None:
            self._bars.advance(self._task, done)

    def finish(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def say_early(out: Output, early: Early) -> None:
    """That nothing was asked, and why; quietly, for cron."""
    again = write_time(early.again_at)
    out.result({"lists": [], "early": {"asked_at": write_time(early.asked_at), "again_at": again}})
    if out.interactive:
        out.say(f"The hub was asked at {write_time(early.asked_at)}; the lists allow it again at {again}.")
        out.say("What is held is in use. To ask all the same: hashshare sync --now")

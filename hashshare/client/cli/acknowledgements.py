"""How acknowledgements and logs are told by `sync` and `status`."""

from __future__ import annotations

from typing import Any

from hashshare.client.acknowledged import Told
from hashshare.client.acknowledging import Outcome
from hashshare.client.cli.output import Output, count, error_document
from hashshare.client.logs import Seen
from hashshare.wire.errors import ExitCode, VerificationFailed
from hashshare.wire.plain_text import printable


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """As `sync --json` shows it beside its list."""
    document: dict[str, Any] = {"state": outcome.state, "sent": outcome.sent}
    if outcome.why is not None:
        document["why"] = error_document(outcome.why)
    if outcome.fault is not None:
        document["log_error"] = error_document(outcome.fault)
    return document


def tell_outcome(out: Output, name: str, version: int, outcome: Outcome) -> ExitCode | None:
    """What needs attention; the exit code of a log that is refused. A statement that waits is no failure."""
    if outcome.why is not None:
        again = "It is offered again in a day" if outcome.state == "declined" else "The next sync sends it"
        out.warn(f"{name} v{version} is not acknowledged: {outcome.why.message} {again}.")
    if outcome.fault is None:
        return None
    if not isinstance(outcome.fault, VerificationFailed):
        out.warn(f"{name}: the hub's log could not be checked: {outcome.fault.message}")
        return None
    out.errors.print(printable(f"{name}   error: {outcome.fault.message}"), style="red", markup=False)
    out.errors.print(f"  version {version} stays in use; what was refused: {outcome.fault.facts.get('refused')}")
    if outcome.fault.next_step:
        out.errors.print(f"  {printable(outcome.fault.next_step)}", markup=False)
    return outcome.fault.exit_code


def told_json(state: Told) -> dict[str, Any]:
    """As `status --json` shows it: what the hub has taken, what it has yet to hear."""
    taken = state.taken and {"version": state.taken.version, "purged": state.taken.purged, "at": state.taken_at}
    waiting = state.pending
    pending = waiting and {
        "version": waiting.claim.version,
        "purged": waiting.claim.purged,
        "state": waiting.state,
        "detail": waiting.why,
        "tried_at": waiting.tried_at,
    }
    return {"acknowledged": taken, "acknowledgement_pending": pending}


def acknowledged_cell(state: Told) -> str:
    """`v58`, `v58, v59 pending`, `-`."""
    taken = f"v{state.taken.version}" if state.taken else "-"
    return f"{taken}, v{state.pending.claim.version} {state.pending.state}" if state.pending else taken


def warn_pending(out: Output, name: str, state: Told) -> None:
    """Say in `status` what the hub has yet to hear, and why."""
    pending = state.pending
    if pending is None:
        return
    why = f": {pending.why}" if pending.why else "."
    again = "the next sync sends it" if pending.state == "pending" else "sync offers it once a day"
    out.warn(f"{name} v{pending.claim.version} is not acknowledged{why} Last tried {pending.tried_at}; {again}.")


def log_json(publisher: str, seen: Seen) -> dict[str, Any]:
    """As `status --json` shows what is remembered of a publisher's log."""
    named = {"publisher": publisher, "origin": seen.origin, "size": seen.size, "root": seen.root.hex()}
    return {**named, "checkpoint": seen.checkpoint, "seen_at": seen.seen_at, "refused": seen.refused}


def warn_refused(out: Output, publisher: str, seen: Seen) -> None:
    """Say, until the hub shows a log that extends what was seen, that it did not."""
    if seen.refused is not None:
        out.warn(
            f"{seen.refused.get('detail')} Refused since {seen.refused.get('at')}; last seen whole with "
            f"{count(seen.size, 'leaf', 'leaves')} at {seen.seen_at}. Show {publisher} both checkpoints: "
            f"{seen.refused.get('file')}"
        )

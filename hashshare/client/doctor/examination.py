"""Every check in turn. What one finds never keeps the others from being made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from hashshare.client.doctor import account, clock, lists, logs, machine, publishing, reach, roots
from hashshare.client.doctor.finding import Finding, bad, skipped
from hashshare.client.doctor.patient import HeldList, Patient
from hashshare.client.home import Config, Home
from hashshare.client.hubs import others
from hashshare.client.session import Session
from hashshare.client.store import ListStore, known_name, stores
from hashshare.wire import keys
from hashshare.wire.errors import ExitCode, HashshareError, NotAllowed, NotFound

Check = Callable[[Patient], Iterable[Finding]]


def check_hub(patient: Patient) -> Iterable[Finding]:
    yield reach.judge(patient.reached) if patient.reached else skipped(reach.CHECK, "Not asked.")
    for further in others(patient.home) if patient.reached else ():
        yield reach.judge_other(reach.reach(further.config.hub_url))


CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("enrolment", machine.check_enrolment),
    ("key", machine.check_key),
    ("disk", machine.check_disk),
    ("hub", check_hub),
    ("clock", clock.check),
    ("account", account.check),
    ("root", roots.check),
    ("list", lists.check),
    ("store", lists.check_files),
    ("log", logs.check),
    ("witness", logs.check_witnesses),
    ("acknowledgement", logs.check_acknowledgements),
    ("publisher", publishing.check),
)


def examine(home: Home, *, offline: bool, now: datetime) -> Iterator[Finding]:
    """Each finding as soon as it is there. Nothing is changed here; the hub notes that the key was seen, no more."""
    config = _config(home)
    reached = None if offline or config is None else reach.reach(config.hub_url)
    told = _account(home, config) if config and reached and not reached.fault else None
    held = tuple(_held(store) for store in stores(home))
    patient = Patient(home, now, config, held, reached, told)
    for name, check in CHECKS:
        try:
            yield from check(patient)
        except (HashshareError, OSError, ValueError, KeyError, TypeError) as error:
            yield _failed(name, error)


def _failed(name: str, error: Exception) -> Finding:
    message = error.message if isinstance(error, HashshareError) else f"{type(error).__name__}: {error}"
    return bad(
        name,
        f"This could not be checked: {message}",
        means="A file of this home is damaged or cannot be read, or the hub's answer makes no sense.",
        do=getattr(error, "next_step", "") or "Look at the file that is named; restore the home from your backup.",
        exit_code=ExitCode.FAILED,
    )


def _config(home: Home) -> Config | None:
    try:
        return home.config()
    except (HashshareError, OSError, KeyError, ValueError):
        return None


def _account(home: Home, config: Config) -> dict[str, Any] | HashshareError | None:
    """The hub's own word on us, without the kept token, so that it says how things are now."""
    try:
        key = keys.load(home.key_path)
    except (HashshareError, OSError):
        return None
    session = Session(config.hub_url, key=key)
    try:
        answers = {"status": session.get_json("status")}
        try:
            answers["access-keys"] = session.get_json("access-keys")
        except (NotAllowed, NotFound):
            answers["access-keys"] = {}
    except HashshareError as error:
        return error
    return answers


def _held(store: ListStore) -> HeldList:
    try:
        return HeldList(store, known_name(store), store.held())
    except (HashshareError, OSError):
        return HeldList(store, known_name(store), None)

"""Hand signed metadata and objects to the hub, and wait for what its worker makes of them.

Nothing is built or signed here. Every step may be repeated: an upload already there is fine, and a job is only watched.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hashshare.client.answers import decoded_object
from hashshare.client.problems import error_of
from hashshare.client.session import Session
from hashshare.wire.errors import AlreadyThere, ExitCode, HashshareError, HubFailure, NetworkError
from hashshare.wire.objects import ObjectRef

PATIENCE: Final = 3600.0
"""Seconds after which waiting for a job is given up; the job itself goes on."""

QUEUED_LONG: Final = 20.0
"""Seconds after which a job that no worker has taken is worth a word: usually it is taken within one."""

PAUSE_SHARE: Final = 0.1
SHORTEST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0
"""Seconds between two looks at a job: a tenth of the time waited so far, within these bounds."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work at the hub. `state`: queued | running | done | failed. `worker` and `task_id` name who did it."""

    id: str
    kind: str
    state: str
    done: int
    total: int
    message: str
    worker: str
    task_id: str
    attempts: int
    result: Any
    problem: Mapping[str, Any] | None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Job:
        """From the API's JSON; what is absent or null becomes empty."""
        progress = document.get("progress") or {}
        return cls(
            id=str(document["id"]),
            kind=str(document.get("kind") or ""),
            state=str(document.get("state") or ""),
            done=int(progress.get("done") or 0),
            total=int(progress.get("total") or 0),
            message=str(progress.get("message") or ""),
            worker=str(document.get("worker") or ""),
            task_id=str(document.get("task_id") or ""),
            attempts=int(document.get("attempts") or 0),
            result=document.get("result"),
            problem=document.get("problem"),
        )

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed")

    def to_json(self) -> dict[str, Any]:
        named = {"id": self.id, "kind": self.kind, "state": self.state}
        return {**named, "worker": self.worker, "task_id": self.task_id, "attempts": self.attempts}


Watch = Callable[[Job], None]


def upload(session: Session, domain: str, ref: ObjectRef, *, file: Path | None = None, body: bytes = b"") -> bool:
    """PUT one object, from `file` if given; False if the list already had it. Raises TooLarge, WrongDigest, ..."""
    path = f"tuf/{domain}/targets/{ref.stored_path}"
    try:
        if file is None:
            session.send("PUT", path, body=body, sha256=ref.sha256)
        else:
            session.send("PUT", path, file=file, sha256=ref.sha256)
    except AlreadyThere:
        return False
    return True


def commit(session: Session, domain: str, roles: Mapping[str, bytes], *, follows: int) -> Job:
    """POST signed metadata: TUF role name -> envelope bytes. `follows` is the accepted version of the last role.

    Raises Conflict (VersionConflict, or a release in progress) and the VerificationFailed tree.
    """
    body = {"roles": {role: base64.b64encode(envelope).decode("ascii") for role, envelope in roles.items()}}
    answer = session.send("POST", f"tuf/{domain}/commits", json=body, headers={"If-Match": f'"{follows}"'})
    return _read(decoded_object(answer).get("job"))


def job(session: Session, job_id: str) -> Job:
    """Raises NotEntitled for a job that is not this organisation's."""
    return _read(session.get_json(f"jobs/{job_id}"))


def _read(document: Any) -> Job:
    """Raises NetworkError for what tells of no job."""
    try:
        return Job.read(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkError("The hub's answer about the job makes no sense.") from error


def wait(session: Session, job_id: str, *, watch: Watch | None = None, patience: float = PATIENCE) -> Job:
    """Poll until the job has ended; `watch` sees every answer. Raises `rejection(job)` if it failed.

    The session's `warn` hears once of a job that stays queued, so that nobody waits in the dark.
    """
    began = queued_since = time.monotonic()
    warned = False
    while not (current := job(session, job_id)).finished:
        if watch is not None:
            watch(current)
        now = time.monotonic()
        if current.state != "queued":
            queued_since = now
        elif now - queued_since > QUEUED_LONG and not warned:
            warned = True
            session.warn(queued_long(current, now - queued_since))
        waited = now - began
        if waited > patience:
            raise HubFailure(
                f"The hub has not finished job {job_id} after {patience:.0f} seconds.",
                next_step="Run the command again: it goes on waiting. Nothing is lost.",
                job=job_id,
            )
        session.wait(min(max(waited * PAUSE_SHARE, SHORTEST_PAUSE), LONGEST_PAUSE))
    if watch is not None:
        watch(current)
    if current.state == "failed":
        raise rejection(current)
    return current


def queued_long(waiting: Job, seconds: float) -> str:
    return (
        f"Job {waiting.id} has been queued at the hub for {seconds:.0f} seconds and no worker has taken it. Waiting: "
        "nothing is lost, and this command may be stopped and run again. If it lasts, tell the hub's operator."
    )


def rejection(failed: Job) -> HashshareError:
    """The error that a failed job's problem document describes, with the job's id as a fact."""
    error = error_of(failed.problem or {"title": "The hub's worker rejected it without saying why."}, status=422)
    error.facts["job"] = failed.id
    error.exit_code = ExitCode.REJECTED  # type: ignore[misc]
    return error

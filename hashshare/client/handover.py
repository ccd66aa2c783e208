"""Hand a list's signed feed to the hub so that a killed run does not lose sight of it."""

from __future__ import annotations

from datetime import UTC, datetime

from hashshare.client.commits import Job, commit, wait
from hashshare.client.home import write_json
from hashshare.client.publication import Listener
from hashshare.client.publisher import OwnList
from hashshare.client.session import Session
from hashshare.client.signed import note_signed
from hashshare.wire.errors import HashshareError
from hashshare.wire.repository.metadata import MAJOR


def hand_over(
    session: Session,
    own: OwnList,
    envelope: bytes,
    *,
    follows: int,
    version: int,
    listener: Listener,
    major: bytes | None = None,
) -> Job:
    """Commit feed metadata that `follows` a role version, and a major beside it, note the job, wait for it to end.

    The note (see settling.settle) outlives a killed run; `version` is the content's. Raises what commit and wait raise.
    """
    pending = own.publisher.pending_path(own.list_id)
    roles = {**({} if major is None else {MAJOR: major}), own.list_id: envelope}
    note_signed(own.publisher, own.list_id, envelope, now=datetime.now(UTC))
    job = commit(session, own.publisher.domain, roles, follows=follows)
    write_json(pending, {"job": job.id, "version": version})
    try:
        job = wait(session, job.id, watch=listener.job)
    except HashshareError as error:
        if error.facts.get("job") == job.id and error.status < 500:
            pending.unlink(missing_ok=True)
        raise
    pending.unlink(missing_ok=True)
    return job

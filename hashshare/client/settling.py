"""Before a publication: nothing of the list under way at the hub, and the held copy up to date."""

from __future__ import annotations

import contextlib

from hashshare.client.commits import Watch, wait
from hashshare.client.home import read_json
from hashshare.client.publication import Listener
from hashshare.client.published import note_published
from hashshare.client.publisher import OwnList
from hashshare.client.resending import resend, standing
from hashshare.client.session import Session
from hashshare.client.store import Held, ListStore
from hashshare.client.sync import heads, sync_list
from hashshare.wire.errors import (
    Conflict,
    ExpiredMetadata,
    HashshareError,
    HubRestored,
    NetworkError,
    NotAllowed,
    NotFound,
    VerificationFailed,
)


def settle(session: Session, own: OwnList, listener: Listener) -> None:
    """Wait for the commit that an earlier run handed over and did not see end. How it ended shows in the sync."""
    path = own.publisher.pending_path(own.list_id)
    pending = read_json(path)
    if pending is None:
        return
    listener.waiting(f"An earlier run handed over version {pending.get('version')}; waiting for its job to end.")
    _let_end(session, str(pending["job"]), watch=listener.job)
    path.unlink(missing_ok=True)


def await_other_release(session: Session, conflict: Conflict) -> None:
    """Wait for the job that the hub names as in the way; if it names none, a moment."""
    job_id = conflict.facts.get("job")
    if job_id:
        _let_end(session, str(job_id))
    else:
        session.wait(1.0)


def bring_up_to_date(session: Session, own: OwnList, listener: Listener | None = None) -> Held | None:
    """The list as its publisher last signed it, synced and verified; None before its first release.

    `listener` hears of held files that had to be made whole. A hub that was restored from a backup is sent what it
    lacks first. Raises HubRestored when it takes nothing yet; VerificationFailed if the hub hides a release that was
    seen before: signing its version again would fork the list.
    """
    try:
        return _up_to_date(session, own, listener)
    except HubRestored:
        for line in resend(session, own.publisher).told():
            session.warn(line)
        return _up_to_date(session, own, listener)


def _up_to_date(session: Session, own: OwnList, listener: Listener | None) -> Held | None:
    home, store = own.publisher.home, ListStore(own.publisher.home, own.list_id)
    head = next((head for head in heads(session, home) if head.list_id == own.list_id), None)
    if head is None or not head.version:
        if store.held() is not None:
            _check_not_restored(session, own)
            raise VerificationFailed(f"The hub shows no release of {own.name}, though this machine holds one.")
        return None
    try:
        done = sync_list(session, home, head, accept_shrink=True, force=True, history=True)
        if listener is not None and done.damaged:
            listener.healed(done.damaged)
    except ExpiredMetadata:
        # Our own signature ran out, and only a new one mends it: what is held will do if nothing came after it.
        held = store.held()
        if held is None or (held.version, held.role_version) != (head.version, head.role_version):
            raise
    held = store.held()
    if held is not None:
        note_published(own, held)
    return held


def _check_not_restored(session: Session, own: OwnList) -> None:
    """Raises HubRestored when the hub says so itself; a hub of an older version says nothing."""
    with contextlib.suppress(NotFound, NotAllowed):
        if standing(session, own.publisher.domain).awaited:
            raise HubRestored


def _let_end(session: Session, job_id: str, *, watch: Watch | None = None) -> None:
    """Whether it failed, or is no longer known, does not matter here. Raises NetworkError."""
    try:
        wait(session, job_id, watch=watch)
    except NetworkError:
        raise
    except HashshareError:
        return

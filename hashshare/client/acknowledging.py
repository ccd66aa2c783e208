"""Telling the hub, in a signed statement, which version of a list is applied here and how far it is purged.

A list's folder has `acknowledgement.json`: what the hub has taken, what it has yet to hear, and the statements of which
no receipt was seen. Nothing here fails a sync: what cannot be told now is told by the next one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hashshare.client.acknowledged import Claim, Pending, Told, save_told, told
from hashshare.client.answers import decoded
from hashshare.client.home import Home
from hashshare.client.logs import DeliveryLog, hub_address, read_proof
from hashshare.client.publisher import OwnPublisher
from hashshare.client.session import Session
from hashshare.client.store import Held, ListStore
from hashshare.wire.documents import write_time
from hashshare.wire.errors import (
    Conflict,
    HashshareError,
    MethodNotAllowed,
    NetworkError,
    NotAllowed,
    NotFound,
    TooManyRequests,
)
from hashshare.wire.log import Acknowledgement, sign_acknowledgement

ASKED_AGAIN: Final = timedelta(days=1)
"""How long a hub that takes no acknowledgements, or none of this list, is left alone while nothing new is applied."""
MOST_UNSEEN: Final = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: acknowledged (now or before) | pending | unsupported | declined | own (a list published from here).

    `sent`: it was taken just now. `why` it was not, when that is news. `fault`: the log that the hub answered with
    contradicts what was seen of it; the statement was taken all the same.
    """

    state: str
    sent: bool = False
    why: HashshareError | None = None
    fault: HashshareError | None = None


class Acknowledger:
    """One run's statements; a hub found out of reach, or not taking them, is not asked again for the next list."""

    def __init__(self, home: Home, session: Session) -> None:
        self._home, self._session = home, session
        self._given_up: HashshareError | None = None

    def after_sync(self, store: ListStore, held: Held) -> Outcome:
        """Tell what is held unless the hub knows it; then look at the log if that is due, or it was at odds before.

        Raises nothing but what the disk raises.
        """
        if _is_own(self._home, held):
            return Outcome("own")
        log = DeliveryLog(self._home, held.publisher, session=self._session)
        state = told(store)
        if state.taken == Claim.of(held):
            fault = _look_again(log)
            if told(store).taken == Claim.of(held):
                return Outcome("acknowledged", fault=fault)
        if state.pending is not None and _left_alone(state.pending, held):
            return Outcome(state.pending.state, fault=_look_again(log))
        with log.locked():
            return self._tell(log, store, held)

    def _tell(self, log: DeliveryLog, store: ListStore, held: Held) -> Outcome:
        """Under the log's lock: keep the statement, send it, keep what became of it."""
        state = told(store)
        if state.taken == Claim.of(held):
            return Outcome("acknowledged")
        pending = state.pending
        if pending is None or pending.claim != Claim.of(held) or _signer(pending) != self._session.key_id:
            # Also when the key has changed since: a hub takes what is signed with a key in force when it arrives.
            pending = Pending(Claim.of(held), self._statement(held))
        save_told(store, dataclasses.replace(state, pending=pending))
        try:
            answer, fresh = self._send(pending.statement, log.size)
        except Conflict:
            # Another machine of the organisation is ahead of this one.
            save_told(store, _taken(state, pending, fresh=False))
            return Outcome("acknowledged")
        except HashshareError as error:
            return self._postponed(store, state, pending, error)
        fault = _taken_over(log, answer)
        # Read again: another log in the place of the old one may have made all that was told before void.
        save_told(store, _taken(told(store), pending, fresh=fresh))
        return Outcome("acknowledged", sent=True, fault=fault)

    def _statement(self, held: Held) -> str:
        config = self._home.config()
        acknowledgement = Acknowledgement(
            organisation=str(config.organisation.get("slug")),
            hub=hub_address(config),
            list_name=held.name,
            list_id=held.list_id,
            version=held.version,
            purged=held.purged,
            manifest_sha256=held.manifest_sha256,
            at=datetime.now(UTC),
        )
        return sign_acknowledgement(acknowledgement, key=self._session.key).decode()

    def _send(self, statement: str, size: int) -> tuple[dict[str, Any], bool]:
        """The hub's answer, and whether it had not heard that before."""
        if self._given_up is not None:
            raise self._given_up
        headers = {"Content-Type": "application/json"}
        response = self._session.send("POST", f"acknowledgements?size={size}", body=statement.encode(), headers=headers)
        answer = decoded(response)
        if not isinstance(answer, dict):
            raise NetworkError("The hub's answer to the acknowledgement makes no sense.")
        return answer, response.status_code == 201

    def _postponed(self, store: ListStore, state: Told, pending: Pending, error: HashshareError) -> Outcome:
        kind = _kind(error)
        if kind == "unsupported" or isinstance(error, NetworkError | TooManyRequests):
            self._given_up = error
        why = "This hub takes no acknowledgements." if kind == "unsupported" else error.message
        kept = dataclasses.replace(pending, state=kind, why=why, tried_at=write_time(datetime.now(UTC)))
        save_told(store, dataclasses.replace(state, pending=kept))
        return Outcome(kind, why=None if kind == "unsupported" else error)


def _kind(error: HashshareError) -> str:
    if isinstance(error, NotFound | MethodNotAllowed):
        return "unsupported"
    return "declined" if isinstance(error, NotAllowed) else "pending"


def _left_alone(pending: Pending, held: Held) -> bool:
    if pending.state == "pending" or pending.claim != Claim.of(held):
        return False
    return datetime.now(UTC) - datetime.fromisoformat(pending.tried_at) < ASKED_AGAIN


def _is_own(home: Home, held: Held) -> bool:
    """Whether the list is published from here: its publisher knows what it holds."""
    domain, _, slug = held.name.partition("/")
    return OwnPublisher(home, domain).list_path(slug).exists()


def _signer(pending: Pending) -> str:
    """The id of the key that signed the statement, "" for a damaged one."""
    try:
        return str(json.loads(pending.statement)["signatures"][0]["keyid"])
    except (ValueError, LookupError, TypeError):
        return ""


def _taken(state: Told, pending: Pending, *, fresh: bool) -> Told:
    """`fresh`: this very statement is now to stand in the log, not one that said the same before."""
    now = write_time(datetime.now(UTC))
    unseen = dict(state.unseen)
    if fresh:
        unseen[statement_sha256(pending.statement)] = now
    kept = dict(list(unseen.items())[-MOST_UNSEEN:])
    return Told(taken=pending.claim, taken_at=now, pending=None, unseen=kept)


def statement_sha256(statement: str) -> str:
    """As the log's row names it: of the document's bytes as sent."""
    return hashlib.sha256(statement.encode()).hexdigest()


def _taken_over(log: DeliveryLog, answer: dict[str, Any]) -> HashshareError | None:
    """The log's state as the hub's answer has it, with the proof that it extends what was seen; what is wrong."""
    try:
        found = answer["log"]
        log.extend(str(found["checkpoint"]), lambda _old, _new: read_proof(found["consistency"]))
    except NotFound:
        return None
    except (KeyError, TypeError):
        return NetworkError("The hub's answer to the acknowledgement lacks its log's state.")
    except HashshareError as error:
        return error
    return None


def _look_again(log: DeliveryLog) -> HashshareError | None:
    """What is wrong with a log that was refused, or was not looked at for a day; else nothing is asked.

    So a member that has nothing to tell also learns of a log that was superseded.
    """
    seen = log.seen
    if seen is None or not seen.is_due(datetime.now(UTC)):
        return None
    try:
        log.check()
    except HashshareError as error:
        return error
    return None

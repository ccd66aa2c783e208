"""What is asked of a peer at each poll: its heads, and now and then what it offers. HTTP only; nothing is believed yet.

Peers are asked at the same time, each in a thread of its own, and whoever takes longer than PATIENCE is given up: a
peer that sends without end, or too slowly, holds up neither the others nor the timetable. Its thread ends by itself,
within the client's own bounds, and until then that peer is not asked again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from django.db import connection
from requests import Response

from federation.models import Peer
from federation.offers import MAX_OFFERS, OfferedPublisher, parse_offers
from federation.services.connections import session_with
from hashshare.client.answers import chunks
from hashshare.client.polling import Head, read_heads
from hashshare.client.session import Session
from hashshare.wire.documents import read_object
from hashshare.wire.errors import HashshareError, NetworkError, NotEntitled, NotFound, TooSlow, VerificationFailed
from hashshare.wire.limits import MIB

PATIENCE: Final = 20.0
"""Seconds for all that a poll asks of one peer."""
MAX_HEADS: Final = 8 * MIB


@dataclass(frozen=True, slots=True)
class Question:
    """`etag`: of the heads that are known. `known`: domain, list id and role version of what is mirrored from there.

    `offers`: whether to ask for them even if the heads are the same.
    """

    peer: Peer
    etag: str
    known: frozenset[tuple[str, str, int]]
    offers: bool


@dataclass(slots=True)
class Answer:
    """`heads` None: nothing new since. `offers` None: not asked. `refused`: ids of known lists that the peer says this
    hub may not read any more.
    """

    etag: str = ""
    heads: list[Head] | None = None
    offers: tuple[OfferedPublisher, ...] | None = None
    refused: frozenset[str] = frozenset()
    error: HashshareError | None = None


@dataclass(slots=True)
class _Asked:
    question: Question
    answer: Answer = field(default_factory=Answer)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        try:
            self.answer = ask(session_with(self.question.peer), self.question)
        except HashshareError as error:
            self.answer = Answer(error=error)
        except Exception as error:  # noqa: BLE001 - whatever a peer makes the libraries do, it is that peer's trouble
            self.answer = Answer(error=NetworkError(f"The answer could not be read ({type(error).__name__})."))
        finally:
            connection.close()
            self.over.set()


_running: dict[str, _Asked] = {}
"""By the peer's name: those that were given up and whose threads have not ended yet."""


def ask_all(questions: Iterable[Question], *, patience: float = PATIENCE) -> dict[str, Answer]:
    """The answers by the peers' names; TooSlow as `error` where none came in time."""
    for name in [name for name, asked in _running.items() if asked.over.is_set()]:
        del _running[name]
    found: dict[str, Answer] = {}
    asked = [_Asked(question) for question in questions]
    for each in asked:
        name = each.question.peer.name
        if name in _running:
            found[name] = Answer(error=_too_slow(name))
            continue
        _running[name] = each
        threading.Thread(target=each.run, name=f"ask-{name}", daemon=True).start()
    until = time.monotonic() + patience
    for each in asked:
        name = each.question.peer.name
        if name in found:
            continue
        if each.over.wait(max(0.0, until - time.monotonic())):
            found[name] = each.answer
            del _running[name]
        else:
            found[name] = Answer(error=_too_slow(name))
    return found


def _too_slow(name: str) -> TooSlow:
    return TooSlow(f"{name} does not answer the poll in {PATIENCE:.0f} seconds.", next_step="It is asked again.")


def ask(session: Session, question: Question) -> Answer:
    """Raises NetworkError, NotAuthenticated, NotAllowed, MalformedOffers."""
    etag, heads = _heads(session, question.etag)
    if heads is None and not question.offers:
        return Answer(etag=etag)
    missing = [] if heads is None else _missing(heads, question.known)
    offers = None
    if question.offers or missing or _unknown(heads or (), question.known):
        offers = parse_offers(_body(session.get("peers/offers", stream=True), session, limit=MAX_OFFERS))
    return Answer(etag, heads, offers, frozenset(it[1] for it in missing if _is_refused(session, *it)))


def _heads(session: Session, etag: str) -> tuple[str, list[Head] | None]:
    headers = {"If-None-Match": etag} if etag else None
    response = session.get("heads", headers=headers, stream=True)
    if response.status_code == 304:
        response.close()
        return etag, None
    body = _body(response, session, limit=MAX_HEADS)
    try:
        document = read_object(body, limit=MAX_HEADS, error=VerificationFailed, what="answer to the poll")
    except VerificationFailed as error:
        raise NetworkError(error.message) from error
    return response.headers.get("ETag", "")[:200], read_heads(document)


def _body(response: Response, session: Session, *, limit: int) -> bytes:
    """All of it, read only as far as the bound. Raises NetworkError."""
    body = bytearray()
    for block in chunks(response, hub_url=session.hub_url):
        body += block
        if len(body) > limit:
            response.close()
            raise NetworkError(f"The peer answers with more than {limit // MIB} MiB.")
    return bytes(body)


def _missing(heads: Iterable[Head], known: Collection[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    named = {head.list_id for head in heads}
    return [it for it in known if it[1] not in named]


def _unknown(heads: Iterable[Head], known: Collection[tuple[str, str, int]]) -> bool:
    ids = {list_id for _, list_id, _ in known}
    return any(head.list_id not in ids for head in heads)


def _is_refused(session: Session, domain: str, list_id: str, role_version: int) -> bool:
    """Whether the peer refuses the list's own metadata, which it gave before, while it answers other questions."""
    try:
        session.get(f"tuf/{domain}/metadata/{max(1, role_version)}.{list_id}.json", stream=True).close()
    except (NotEntitled, NotFound) as error:
        return isinstance(error, NotEntitled)
    return False

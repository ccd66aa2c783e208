"""Fetching a member's receipts: page by page, each checked before it is kept, nothing fetched twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hashshare.client.acknowledged import save_told, told
from hashshare.client.home import Home, make_private_folder
from hashshare.client.logs import DeliveryLog
from hashshare.client.receipts import (
    Kept,
    OwnRow,
    Subject,
    Tally,
    check_kept,
    check_receipt,
    check_row,
    kept_receipts,
    named,
    receipts_path,
)
from hashshare.client.session import Session
from hashshare.client.store import ListStore
from hashshare.client.successions import known_origins
from hashshare.durable import append_lines
from hashshare.wire.errors import MalformedLog, WrongProof
from hashshare.wire.log import AcknowledgementRow

PAGE: Final = 200


def fetch_receipts(
    home: Home, session: Session, subject: Subject, *, progress: Callable[[int], None] = lambda _: None
) -> Tally:
    """Check what is kept, then fetch, check and keep what the hub has logged since.

    Raises the VerificationFailed tree at the first that is wrong: what came before it is kept. Raises NotEntitled,
    NotFound, NetworkError.
    """
    log = DeliveryLog(home, subject.list_name.partition("/")[0], session=session)
    store = ListStore(home, subject.list_id)
    with home.lock(f"receipts-{subject.list_id}"):
        awaited = set(told(store).unseen)
        tally = check_kept(home, subject, log)
        fetching = _Fetching(session, log, subject, receipts_path(home, subject.list_id), tally)
        while fetching.page():
            progress(tally.receipts)
        tally.waiting = len(fetching.unsealed)
        if len(fetching.unsealed) < PAGE:
            coming = {row.statement_sha256 for row in fetching.unsealed if isinstance(row, AcknowledgementRow)}
            tally.missing = tuple(sorted(awaited - tally.seen - coming))
    _settle(log, store, awaited & tally.seen)
    return tally


class _Fetching:
    """The pages of one list's receipts, each kept as soon as it is checked. `unsealed`: of the last page."""

    def __init__(self, session: Session, log: DeliveryLog, subject: Subject, path: Path, tally: Tally) -> None:
        self._session, self._log, self._subject = session, log, subject
        self._path, self._tally = path, tally
        self._after = last_kept(log, subject)
        self.unsealed: list[OwnRow] = []

    def page(self) -> bool:
        """Fetch the next one; whether there was something sealed in it."""
        params = {"list": self._subject.list_name, "after": str(self._after), "limit": str(PAGE)}
        with self._log.locked():
            answer = self._session.get_json("receipts", params=params)
            note, documents = _shape(answer)
            before = self._log.seen
            found = self._log.extend(note)
        if before is not None and before.origin != found.origin:
            # Another log goes on in its place: what it does not have of the old one may have other rows there.
            self._after = last_kept(self._log, self._subject)
            return True
        fresh: list[Kept] = []
        try:
            self._check(documents, note, fresh)
        finally:
            if fresh:
                make_private_folder(self._path.parent)
                append_lines(self._path, [kept.to_line() for kept in fresh])
        return bool(fresh)

    def _check(self, documents: list[dict[str, Any]], note: str, fresh: list[Kept]) -> None:
        verifier = self._log.verifier(note)
        self.unsealed = []
        for document in documents:
            with named(self._subject.list_name, document.get("index")):
                if document.get("index") is None:
                    self.unsealed.append(check_row(str(document.get("row")), self._subject))
                    continue
                kept = Kept.read(document)
                if kept.index <= self._after:
                    raise MalformedLog(f"Leaf {kept.index} comes after leaf {self._after}.")
                row, checkpoint = check_receipt(kept, self._subject, verifier)
                if not kept.receipt.endswith(f"\n\n{note}"):
                    raise WrongProof("It is not proved under the checkpoint that came with it.")
                self._tally.add(row, checkpoint)
            fresh.append(kept)
            self._after = kept.index


def last_kept(log: DeliveryLog, subject: Subject) -> int:
    """The highest index of which a receipt is kept that is one of the present log's leaves; -1 for none."""
    bounds = known_origins(log.home, log.domain)
    kept = kept_receipts(log.home, subject.list_id)
    return max((it.index for it in kept if (bound := bounds.get(it.origin)) is None or it.index < bound), default=-1)


def _shape(answer: object) -> tuple[str, list[dict[str, Any]]]:
    """Raises MalformedLog for anything but a checkpoint and receipts."""
    if isinstance(answer, dict):
        note, documents = answer.get("checkpoint"), answer.get("receipts")
        if isinstance(note, str) and isinstance(documents, list) and all(isinstance(it, dict) for it in documents):
            return note, documents
    raise MalformedLog("The hub's answer does not hold receipts under a checkpoint.")


def _settle(log: DeliveryLog, store: ListStore, seen: set[str]) -> None:
    """Statements that are proved to be logged are no longer waited for."""
    if not seen:
        return
    with log.locked():
        state = told(store)
        left = {sha256: at for sha256, at in state.unseen.items() if sha256 not in seen}
        save_told(store, dataclasses.replace(state, unseen=left))

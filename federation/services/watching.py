"""Watching peers: what each shows now must extend what it showed before, to this hub and to every other that witnesses
it. What contradicts that is recorded with both signed notes, which prove it to anybody.

A peer that does not answer, or answers with rubbish, is not accused: only what it signed counts, and what it does not
show although it signed it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from federation.models import Finding, MirroredPublisher, Peer, WatchedLog, WitnessedLog
from federation.selectors.peers import peers_in_force
from federation.services.connections import session_with
from federation.services.cosigning import OUT_OF_REACH, cosigner_of
from federation.services.findings import record_finding
from federation.services.reading import PublicLog, Signed, opened
from federation.services.watched_roots import check_roots
from hashshare.client.session import Session
from hashshare.client.successions import check_crossing, follow
from hashshare.log_keys import PUBLICATION
from hashshare.services.problems import problem_document
from hashshare.services.runs import spared
from hashshare.wire.errors import (
    HashshareError,
    LogForked,
    LogKeyChanged,
    NetworkError,
    NotFound,
    VerificationFailed,
    WrongProof,
)
from hashshare.wire.log.checkpoints import Checkpoint
from hashshare.wire.log.cosignatures import cosignatures
from hashshare.wire.log.notes import MAX_NOTE
from hashshare.wire.log.successions import first_origin, number_of

logger = logging.getLogger(__name__)

SETTLED: Final = timedelta(minutes=5)
"""A checkpoint that is older is no longer on its way through some cache: whoever is shown less is shown another log."""

PATIENT: Final = timedelta(hours=1)
"""For how long a hub may fail to show that its log extends what it signed."""

MOST_LOGS: Final = 200
"""Logs of one peer in one run, those first that were not seen for longest."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something that the peer signed. `at`: since when somebody had it; `where` it was shown, in words."""

    signed: Signed
    at: datetime
    where: str
    file: str


def watch_peers(*, now: datetime) -> int:
    """Every active peer; how many logs were read and compared."""
    peers, count = peers_in_force(), 0
    for peer in peers:
        with spared("The peer %s could not be watched.", peer):
            count += watch_peer(peer, now=now, others=[other for other in peers if other != peer])
    return count


def watch_peer(peer: Peer, *, now: datetime, others: Iterable[Peer] = ()) -> int:
    """The logs of one, and the roots that are mirrored from it; how many logs could be compared."""
    session, elsewhere, count = session_with(peer), [(other, session_with(other)) for other in others], 0
    for name in names_of(peer):
        log = PublicLog(peer, session, name)
        try:
            newest = watch_log(log, elsewhere, now=now)
        except NetworkError as error:
            logger.warning("The logs of %s were not read: %s", peer, error.message)
            return count
        count += newest is not None
        if newest is not None and name == PUBLICATION:
            check_roots(log, newest, now=now)
    return count


def names_of(peer: Peer) -> list[str]:
    """The publication log first; then those of publishers that are mirrored here, and those that were cosigned here."""
    mirrored = MirroredPublisher.objects.filter(peer=peer).exclude(state=MirroredPublisher.State.ENDED)
    names = set(mirrored.values_list("publisher__domain", flat=True))
    origins = WitnessedLog.objects.filter(peer=peer).values_list("origin", flat=True)
    names |= {first_origin(origin).removeprefix(f"{peer.name}/log/") for origin in origins}
    seen = {first_origin(row.origin): row.seen_at for row in WatchedLog.objects.filter(peer=peer)}
    never = datetime.min.replace(tzinfo=UTC)
    ordered = sorted(names - {PUBLICATION}, key=lambda name: (seen.get(f"{peer.name}/log/{name}", never), name))
    return [PUBLICATION, *ordered][:MOST_LOGS]


def watch_log(log: PublicLog, elsewhere: MutableSequence[tuple[Peer, Session]], *, now: datetime) -> Signed | None:
    """What the peer shows now, compared with all that it is known to have signed of this log; None when it has none
    that can be believed. Raises NetworkError. Of `elsewhere`, who is out of reach is left out from then on.
    """
    try:
        newest = log.newest()
    except LogKeyChanged as error:
        _record_key(log, error, now)
        return None
    except NotFound:
        return None
    except VerificationFailed as error:
        logger.warning("%s: %s", log.first_origin, error.message)
        return None
    for earlier in [*_known(log, newest), *_elsewhere(log, newest, elsewhere, now)]:
        newest = _compare(log, newest, earlier, now)
    if not _check_succession(log, newest, now):
        return None
    _remember(log, newest, now)
    _forget_dispute(newest.checkpoint.origin, log, newest)
    return newest


# --- what the peer is known to have signed -----------------------------------------------------------------------


def _known(log: PublicLog, newest: Signed) -> Iterator[Earlier]:
    """By this hub: as it read the log before, cosigned it, or was asked to."""
    origin = newest.checkpoint.origin
    for watched in WatchedLog.objects.filter(origin=origin):
        signed = Signed(Checkpoint(origin, watched.size, bytes(watched.root)), watched.checkpoint)
        yield Earlier(signed, watched.seen_at, "here before", "seen-before.txt")
    for row in WitnessedLog.objects.filter(origin=origin):
        if row.cosigned_at is not None:
            signed = Signed(Checkpoint(origin, row.size, bytes(row.root)), row.checkpoint)
            yield Earlier(signed, row.cosigned_at, "when it had it cosigned here", "cosigned-here.txt")
        disputed = _disputed(row, log)
        if disputed is not None and row.disputed_at is not None:
            yield Earlier(disputed, row.disputed_at, "when it asked to have it cosigned here", "disputed.txt")


def _disputed(row: WitnessedLog, log: PublicLog) -> Signed | None:
    """None also for one of a key that the peer had before."""
    try:
        return opened(row.disputed, origin=row.origin, key=log.key) if row.disputed else None
    except VerificationFailed:
        return None


def _elsewhere(
    log: PublicLog, newest: Signed, others: MutableSequence[tuple[Peer, Session]], now: datetime
) -> Iterator[Earlier]:
    """By other peers: what they cosigned. That it is signed by this one's key makes it proof, whoever shows it.

    One that is out of reach is waited for once, and not at each of many logs: it would keep all from being watched.
    """
    origin = newest.checkpoint.origin
    for other, session in list(others):
        try:
            body = session.ask("GET", f"/witness/cosigned/{origin}").content[: MAX_NOTE + 1]
            note = body.decode("utf-8", "replace")
            signed = opened(note, origin=origin, key=log.key)
            times = [made.at for made in cosignatures(note, [cosigner_of(other)])]
        except HashshareError as error:
            if not isinstance(error, NotFound):
                logger.warning("%s says nothing of %s: %s", other, origin, error.message)
            if isinstance(error, OUT_OF_REACH):
                others.remove((other, session))
            continue
        at = datetime.fromtimestamp(min(*times, int(now.timestamp())), UTC) if times else now
        yield Earlier(signed, at, f"to {other.name}", f"shown-to-{other.name.replace(':', '-')}.txt")


# --- comparing -----------------------------------------------------------------------------------------------------


def _compare(log: PublicLog, newest: Signed, earlier: Earlier, now: datetime) -> Signed:
    """What is the newest after that: the peer is asked once more where somebody has seen more than it shows."""
    if earlier.signed.checkpoint.size > newest.checkpoint.size:
        newest = _asked_again(log, newest)
    new, old = newest.checkpoint, earlier.signed.checkpoint
    documents = {"shown-now.txt": newest.note, earlier.file: earlier.signed.note}
    if old.size > new.size:
        if now - earlier.at > SETTLED:
            _record_less(log, new, old, earlier, documents, now)
        return newest
    try:
        log.check_extends(old, newest)
    except LogForked:
        told = f"It signed {old.size} leaves {earlier.where}, which the {new.size} that it signs and shows now"
        told += " contradict." if old.size == new.size else " do not begin with, by its own tiles."
        _record(log, Finding.Kind.SPLIT_VIEW, told, documents, now)
    except (VerificationFailed, NotFound) as error:
        _record_unshown(log, earlier, error, documents, now)
    return newest


def _asked_again(log: PublicLog, newest: Signed) -> Signed:
    try:
        return log.newest()
    except (VerificationFailed, NotFound):
        return newest


def _record_less(
    log: PublicLog, new: Checkpoint, old: Checkpoint, earlier: Earlier, documents: dict[str, str], now: datetime
) -> None:
    elsewhere = earlier.where.startswith("to ")
    kind = Finding.Kind.SPLIT_VIEW if elsewhere else Finding.Kind.LOG_SHRANK
    told = f"It shows {new.size} leaves, and signed {old.size} {earlier.where}, at {earlier.at:%Y-%m-%d %H:%M} UTC."
    _record(log, kind, told, documents, now)


def _record_unshown(
    log: PublicLog, earlier: Earlier, error: HashshareError, documents: dict[str, str], now: datetime
) -> None:
    """A tile that is missing or does not fit may be a fault; for an hour, it is a refusal to show what was signed."""
    logger.warning("%s: %s", log.first_origin, error.message)
    WatchedLog.objects.filter(origin=earlier.signed.checkpoint.origin).update(trouble=problem_document(error))
    if now - earlier.at > PATIENT:
        told = f"It does not show that its log begins with what it signed {earlier.where}: {error.message}"
        _record(log, Finding.Kind.SPLIT_VIEW, told, documents, now)


def _check_succession(log: PublicLog, newest: Signed, now: datetime) -> bool:
    """A log that openly took the place of one that was watched: it has to begin as the hub's signed statements say.
    False when that could not be seen yet.
    """
    origin = newest.checkpoint.origin
    if number_of(origin) == 1 or WatchedLog.objects.filter(origin=origin).exists():
        return True
    first = log.first_origin
    rows = [row for row in WatchedLog.objects.filter(peer=log.peer) if first_origin(row.origin) == first]
    for row in rows:
        known = Checkpoint(row.origin, row.size, bytes(row.root))
        documents = {"seen-before.txt": row.checkpoint, "shown-now.txt": newest.note}
        documents |= {f"succession-{number}.txt": note for number, note in enumerate(log.statements, start=1)}
        try:
            crossing, start = follow(known, log.key, origin, log.statements)
            proof = log.check_tree(newest).consistency_proof
            check_crossing(start, newest.checkpoint, lambda old, _new, proof=proof: proof(old))  # type: ignore[misc]
        except (LogForked, WrongProof) as error:
            _record(log, Finding.Kind.SPLIT_VIEW, f"Its log goes on as {origin}: {error.message}", documents, now)
        except (VerificationFailed, NotFound) as error:
            logger.warning("%s: %s", origin, error.message)
            return False
        else:
            if crossing.lost:
                told = f"It says, signed, that {crossing.lost} of the {crossing.size} leaves shown before are lost."
                _record(log, Finding.Kind.LOG_SHRANK, told, documents, now)
    return True


def _record_key(log: PublicLog, error: LogKeyChanged, now: datetime) -> None:
    documents = {"shown-now.txt": log.said}
    for row in WatchedLog.objects.filter(peer=log.peer, origin=log.said.partition("\n")[0]):
        documents["seen-before.txt"] = row.checkpoint
    _record(log, Finding.Kind.KEY_CHANGED, error.message, documents, now)


def _record(log: PublicLog, kind: Finding.Kind, detail: str, documents: dict[str, str], now: datetime) -> None:
    record_finding(
        peer=log.peer, kind=kind, subject=log.first_origin, detail=detail, documents=documents, now=now
    )  # fmt: skip


def _remember(log: PublicLog, newest: Signed, now: datetime) -> None:
    """The newest that extends what was seen; what does not is not taken over, so that it stays noticed."""
    found, row = newest.checkpoint, WatchedLog.objects.filter(origin=newest.checkpoint.origin).first()
    if row is None:
        WatchedLog.objects.create(
            peer=log.peer, origin=found.origin, size=found.size, root=found.root, checkpoint=newest.note, seen_at=now
        )
        return
    try:
        log.check_extends(Checkpoint(row.origin, row.size, bytes(row.root)), newest)
    except (VerificationFailed, NotFound):
        return
    row.size, row.root, row.checkpoint, row.seen_at, row.trouble = found.size, found.root, newest.note, now, None
    row.save(update_fields=["size", "root", "checkpoint", "seen_at", "trouble"])


def _forget_dispute(origin: str, log: PublicLog, newest: Signed) -> None:
    """A checkpoint that came with a wrong proof, and is part of the log all the same, was no lie."""
    for row in WitnessedLog.objects.filter(origin=origin).exclude(disputed=""):
        disputed = _disputed(row, log)
        try:
            if disputed is not None:
                log.check_extends(disputed.checkpoint, newest)
        except (VerificationFailed, NotFound):
            continue
        WitnessedLog.objects.filter(pk=row.pk, disputed=row.disputed).update(disputed="", disputed_at=None)

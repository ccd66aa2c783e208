"""The roots that are mirrored from a peer: each must be in its publication log, and none may be replaced in silence.

Lists are verified from the root that was met first, so a hub that serves another can only do harm to who meets the
publisher after that. It cannot do so without leaving a trace: either its public log has the digest of a second root, or
it serves one that the log does not have.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from federation.models import CheckedRoot, Finding, MirroredPublisher, Peer, WatchedLog
from federation.services.findings import record_finding
from federation.services.reading import PublicLog, Signed
from hashshare.client.session import Session
from hashshare.models import Metadata
from hashshare.wire.errors import HashshareError, MalformedLog, NetworkError, VerificationFailed
from hashshare.wire.log.leaves import publication_entry
from hashshare.wire.log.replacements import RootReplaced
from hashshare.wire.log.tiles import WIDTH

logger = logging.getLogger(__name__)

AT_ONCE: Final = 400 * WIDTH
"""Leaves that are looked through in one run: some 20 MB. The next goes on there."""

LOGGED_WITHIN: Final = timedelta(minutes=30)
"""A root is logged as it is accepted, and shown within minutes."""


def check_roots(log: PublicLog, newest: Signed, *, now: datetime) -> None:
    """Of every publisher that is mirrored from the log's peer. `newest` is its publication log as it now stands."""
    mirrors = list(MirroredPublisher.objects.filter(peer=log.peer).select_related("publisher", "peer"))
    following = {mirror.publisher.domain: mirror for mirror in mirrors if mirror.state != MirroredPublisher.State.ENDED}
    for mirror in following.values():
        _meet(mirror, now)
    try:
        _look_through(log, newest, following, now)
    except VerificationFailed as error:
        logger.warning("The roots of %s were not found: %s", log.peer, error.message)
        return
    for mirror in following.values():
        _name_missing(mirror, newest, now)
        _check_served(mirror, log.session, now)


def _meet(mirror: MirroredPublisher, now: datetime) -> None:
    """Every root that is held here is to be found in the peer's log."""
    held = Metadata.objects.filter(publisher=mirror.publisher, role="root").values_list("version", "sha256")
    known = set(CheckedRoot.objects.filter(mirror=mirror).values_list("version", "sha256"))
    CheckedRoot.objects.bulk_create(
        [CheckedRoot(mirror=mirror, version=version, sha256=sha256, met_at=now)
         for version, sha256 in held if (version, sha256) not in known],
        ignore_conflicts=True,
    )  # fmt: skip


def _look_through(log: PublicLog, newest: Signed, following: Mapping[str, MirroredPublisher], now: datetime) -> None:
    """One pass over the leaves that are still wanted: for roots not found yet, and for those said to be replaced."""
    watched = WatchedLog.objects.filter(origin=newest.checkpoint.origin).first()
    wanted = list(CheckedRoot.objects.filter(mirror__in=following.values(), index=None))
    scanned = watched.scanned if watched else 0
    start = min([scanned, *(root.searched for root in wanted)])
    size = newest.checkpoint.size
    if start >= size:
        return
    by_entry = {_entry(root.sha256): root for root in wanted}
    end = start
    for index, entry in log.entries(newest, start=start):
        if index >= start + AT_ONCE:
            break
        end = index + 1
        if entry in by_entry:
            CheckedRoot.objects.filter(pk=by_entry[entry].pk).update(index=index)
        if index >= scanned:
            _note_replacement(log.peer, entry, following, now)
    CheckedRoot.objects.filter(pk__in=[root.pk for root in wanted], searched__lt=end).update(searched=end)
    WatchedLog.objects.filter(origin=newest.checkpoint.origin, scanned__lt=end).update(scanned=end)


def _entry(sha256: str) -> bytes:
    """The leaf of a file with that digest."""
    return publication_entry(b"")[:-32] + bytes.fromhex(sha256)


def _note_replacement(peer: Peer, entry: bytes, following: Mapping[str, MirroredPublisher], now: datetime) -> None:
    """What the hub itself says, in its log, of a root that was replaced."""
    try:
        replaced = RootReplaced.read(entry)
    except MalformedLog:
        return
    if replaced is None or replaced.publisher not in following:
        return
    record_finding(
        peer=peer,
        kind=Finding.Kind.ROOT_REPLACED,
        subject=replaced.publisher,
        detail=f"The hub's own log says that the root {replaced.before} was replaced by {replaced.after} without a "
        "signature of the old one. Ask the publisher, by another channel, whether it began anew.",
        documents={"replacement.txt": entry.decode()},
        now=now,
    )


def _name_missing(mirror: MirroredPublisher, newest: Signed, now: datetime) -> None:
    """A root that the peer served, and that its whole log does not have long after."""
    for root in CheckedRoot.objects.filter(mirror=mirror, index=None, searched__gte=newest.checkpoint.size):
        if now - root.met_at < LOGGED_WITHIN:
            continue
        row = Metadata.objects.filter(publisher=mirror.publisher, role="root", sha256=root.sha256).first()
        if row is None:
            continue  # put aside since, when the publisher was followed afresh under another
        record_finding(
            peer=mirror.peer,
            kind=Finding.Kind.ROOT_REPLACED,
            subject=mirror.publisher.domain,
            detail=f"It served version {root.version} of the root of {mirror.publisher.domain}, which is not in its "
            f"publication log of {newest.checkpoint.size} leaves: it was never said in public to be accepted.",
            documents={f"{root.version}.root.json": row.content.decode(), "publication-log.txt": newest.note},
            now=now,
        )


def _check_served(mirror: MirroredPublisher, session: Session, now: datetime) -> None:
    """That the peer serves the first and the newest root still as they are held here."""
    held = Metadata.objects.filter(publisher=mirror.publisher, role="root").order_by("version")
    first, last = held.first(), held.last()
    for row in {row.version: row for row in (first, last) if row is not None}.values():
        try:
            path = f"tuf/{mirror.publisher.domain}/metadata/{row.version}.root.json"
            served = session.get(path).content
        except NetworkError:
            return
        except HashshareError as error:
            logger.info("%s does not serve %s: %s", mirror.peer, path, error.message)
            return
        if served != row.content:
            name_replaced_root(mirror=mirror, version=row.version, held=row.content, served=served, now=now)


def name_replaced_root(
    *, mirror: MirroredPublisher, version: int, held: bytes, served: bytes, now: datetime | None = None
) -> None:
    """Record that the peer serves `served` in the place of the root `held`, or as the one after it without its
    signature. Whoever mirrors calls it too.
    """
    digest = hashlib.sha256(served).hexdigest()
    record_finding(
        peer=mirror.peer,
        kind=Finding.Kind.ROOT_REPLACED,
        subject=mirror.publisher.domain,
        detail=f"It serves another root of {mirror.publisher.domain} as version {version}, {digest}, than it did "
        f"before, {hashlib.sha256(held).hexdigest()}, and nothing that the old one's keys signed leads to it.",
        documents={
            "held.root.json": held.decode("utf-8", "replace"),
            "served.root.json": served.decode("utf-8", "replace"),
        },
        now=now or timezone.now(),
    )

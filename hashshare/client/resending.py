"""Sending the hub again what it lost, after it was restored from a backup: metadata and objects as they were signed and
are held here, nothing signed anew. So members who have seen it find just that, and no rollback.

Every step may be repeated; a killed run is finished by the next one.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuf.api.metadata import Metadata

from hashshare.client import trust
from hashshare.client.answers import decoded
from hashshare.client.bases import BaseFolder
from hashshare.client.commits import Job, Watch, commit, wait
from hashshare.client.drafts import Upload
from hashshare.client.identity import enter_in_catalogue, id_at_hub
from hashshare.client.publisher import OwnList, OwnPublisher, find_list, kept_words
from hashshare.client.resent_majors import ask_anew
from hashshare.client.session import Session
from hashshare.client.signed_majors import documents_of, signed_major
from hashshare.client.store import Held, ListStore
from hashshare.client.uploads import upload_all
from hashshare.wire.errors import HashshareError, HubRestored, MajorRequired, NetworkError, VersionConflict
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, manifest_path
from hashshare.wire.repository import read_role
from hashshare.wire.repository.metadata import MAJOR

REENTERED: Final = {"description": "", "terms": "", "visibility": "private"}
"""What a list's record at the hub says when hub and publisher forgot it: nobody sees it before somebody has looked."""


@dataclass(slots=True)
class Resent:
    """`roles`: role -> version, of what the hub lacked. `entered`: lists that it did not know any more; their
    subscriptions are lost. `wordless`: those of them whose title, terms and visibility nobody here knows, either.
    `bytes` were uploaded.
    """

    roles: dict[str, int] = field(default_factory=dict)
    entered: list[str] = field(default_factory=list)
    wordless: list[str] = field(default_factory=list)
    bytes: int = 0

    def told(self) -> Iterator[str]:
        """What a person has to do about each list that the hub had forgotten."""
        for name in self.entered:
            yield (
                f"{name}: the hub had forgotten this list and who is subscribed to it. Have your members run "
                f"`hashshare subscribe {name} --accept-terms`, then grant it: `hashshare grant {name} ORGANISATION`."
            )
        for name in self.wordless:
            yield (
                f"{name}: its title, terms and visibility are not known here, so it has none and is private: grant it "
                "to each member first, then they can subscribe."
            )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the hub has of the publisher: role -> version; whether it waits for the publisher's word."""

    awaited: bool
    roles: Mapping[str, int]


def standing(session: Session, domain: str) -> Standing:
    """Raises NotEntitled, NetworkError; NotFound from a hub of an older version."""
    found = session.get_json(f"publishers/{domain}/resumption")
    try:
        return Standing(bool(found["awaited"]), {str(role): int(it) for role, it in found["roles"].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkError("The hub's answer about the publisher makes no sense.") from error


def resend(session: Session, mine: OwnPublisher, *, watch: Watch | None = None) -> Resent:
    """Send what the hub lacks, then say that it is all. Under no lock of the publisher's; nothing here changes.

    Raises HubRestored while the hub's operator has yet to run `recover`, VersionConflict when the hub has newer than is
    held here: then another machine of the publisher is the one to ask.
    """
    found = standing(session, mine.domain)
    if not found.awaited:
        raise HubRestored(
            f"The hub does not wait for {mine.domain}: it has everything already, or its operator has yet to run "
            "manage.py recover.",
            next_step="Nothing is lost here. If a publication or refresh succeeds, there is nothing left to send.",
        )
    _check_not_behind(mine, found)
    done = Resent()
    lists = [find_list(mine.home, f"{mine.domain}/{slug}") for slug in mine.slugs]
    for own in lists:
        _enter(session, own, done)
    for role, body in _officers(mine):
        _commit(session, mine, role, body, found, done, watch)
    if (major := signed_major(mine)) is not None:
        done.bytes += upload_all(session, mine.domain, documents_of(mine, major), sent=lambda _: None)
        _commit(session, mine, MAJOR, major, found, done, watch)
    for own in lists:
        _resend_list(session, own, found, done, watch)
        _send_base_again(own)
    _say_all(session, mine)
    return done


def _check_not_behind(mine: OwnPublisher, found: Standing) -> None:
    here = held_versions(mine)
    for role, version in found.roles.items():
        if version > here.get(role, 0):
            raise VersionConflict(
                f"The hub has version {version} of {role}, and this machine {here.get(role, 0)}.",
                next_step="Run it on the machine that published last; or ask the hub's operator to accept what it has "
                f"(manage.py recover --accept {mine.domain}).",
                role=role,
            )


def _enter(session: Session, own: OwnList, done: Resent) -> None:
    """A list that the hub knows stays as it is."""
    if id_at_hub(session, own) == own.list_id:
        return
    words = kept_words(own)
    if enter_in_catalogue(session, own, {"title": own.name, **REENTERED} if words is None else words):
        done.entered.append(own.name)
        if words is None:
            done.wordless.append(own.name)


def _officers(mine: OwnPublisher) -> Iterator[tuple[str, bytes]]:
    """Every root from the first on, then targets."""
    for _, path in sorted(_roots(mine).items()):
        yield "root", path.read_bytes()
    targets = _targets(mine)
    if targets is not None:
        yield "targets", targets.read_bytes()


def _roots(mine: OwnPublisher) -> dict[int, Path]:
    """By version: the one made here, and those that tuf.ngclient verified."""
    kept = (trust.metadata_dir(mine.home, mine.domain) / "root_history").glob("*.root.json")
    found = {int(path.name.partition(".")[0]): path for path in kept}
    return {**found, 1: mine.root_path} if mine.root_path.exists() else found


def _targets(mine: OwnPublisher) -> Path | None:
    places = (trust.metadata_dir(mine.home, mine.domain) / "targets.json", mine.targets_path)
    return next((path for path in places if path.exists()), None)


def _commit(
    session: Session,
    mine: OwnPublisher,
    role: str,
    body: bytes,
    found: Standing,
    done: Resent,
    watch: Watch | None,
) -> None:
    """Unless the hub has that version."""
    version = read_role(role, body).version
    follows = max(found.roles.get(role, 0), done.roles.get(role, 0))
    if version <= follows:
        return
    try:
        job: Job = commit(session, mine.domain, {role: body}, follows=follows)
    except VersionConflict as conflict:
        if conflict.facts.get("current") != version:
            raise
    else:
        wait(session, job.id, watch=watch)
    done.roles[role] = version


def _resend_list(session: Session, own: OwnList, found: Standing, done: Resent, watch: Watch | None) -> None:
    feed = trust.metadata_dir(own.publisher.home, own.publisher.domain) / f"{own.list_id}.json"
    held = ListStore(own.publisher.home, own.list_id).held()
    if held is None or not feed.exists():
        return
    body = feed.read_bytes()
    if read_role(own.list_id, body).version <= found.roles.get(own.list_id, 0):
        return
    uploads = list(_uploads(own, held))
    done.bytes += upload_all(session, own.publisher.domain, uploads[:-1], sent=lambda _: None)
    done.bytes += upload_all(session, own.publisher.domain, uploads[-1:], sent=lambda _: None)
    try:
        _commit(session, own.publisher, own.list_id, body, found, done, watch)
    except MajorRequired as refused:
        at_hub = max(found.roles.get(MAJOR, 0), done.roles.get(MAJOR, 0))
        ask_anew(session, own, held, refused, at_hub=at_hub, now=datetime.now(UTC))


def _send_base_again(own: OwnList) -> None:
    """A base that waits to be adopted may have been lost, too: whoever goes on with it sends it whole."""
    folder = BaseFolder(own)
    with folder.lock(blocking=False) as alone:
        if alone and (prepared := folder.read()) is not None:
            folder.save(dataclasses.replace(prepared, sent=frozenset()))


def _uploads(own: OwnList, held: Held) -> Iterator[Upload]:
    """Segments, the base index, and last the manifest that names them."""
    store = ListStore(own.publisher.home, own.list_id)
    manifest = store.manifest_path(held.manifest_sha256).read_bytes()
    ref = ObjectRef.of(manifest_path(own.list_id), manifest)
    if ref.sha256 != held.manifest_sha256:
        raise HashshareError(f"The held manifest of {own.name} is damaged.", next_step=f"hashshare verify {own.name}")
    for part in held.objects:
        yield Upload(part.ref, file=store.object_path(part.sha256))
    index = store.index_path(held.base_index_sha256)
    yield Upload(Manifest.parse(manifest).base.index, file=index)
    yield Upload(ref, body=manifest)


def held_versions(mine: OwnPublisher) -> dict[str, int]:
    """Role -> version, of everything that the publisher signed and that is here."""
    found = {"root": max(_roots(mine), default=0)}
    if (targets := _targets(mine)) is not None:
        found["targets"] = read_role("targets", targets.read_bytes()).version
    if (major := signed_major(mine)) is not None:
        found[MAJOR] = read_role(MAJOR, major).version
    for slug in mine.slugs:
        own = find_list(mine.home, f"{mine.domain}/{slug}")
        feed = trust.metadata_dir(mine.home, mine.domain) / f"{own.list_id}.json"
        if feed.exists():
            found[own.list_id] = read_role(own.list_id, feed.read_bytes()).version
    return {role: version for role, version in found.items() if version}


def _say_all(session: Session, mine: OwnPublisher) -> None:
    said: dict[str, Any] = {"roles": held_versions(mine), "seen": _seen(mine)}
    answer = decoded(session.send("POST", f"publishers/{mine.domain}/resumption", json=said))
    if not isinstance(answer, dict) or answer.get("awaited") is not False:
        raise NetworkError("The hub took everything, and still waits for this publisher.")


def _seen(mine: OwnPublisher) -> dict[str, int]:
    """Versions that the hub had signed before, as verified here: they must be left behind."""
    found = {}
    for role in ("snapshot", "timestamp"):
        path = trust.metadata_dir(mine.home, mine.domain) / f"{role}.json"
        with contextlib.suppress(Exception):
            found[role] = Metadata[Any].from_bytes(path.read_bytes()).signed.version
    return found

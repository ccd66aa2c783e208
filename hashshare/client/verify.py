"""Check a held list again without the network: signatures from the pinned root down, digests, segments, the count.

An expired role is reported and does not fail: dropping protection would be the worse failure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Root, Targets

from hashshare.client import healing, trust
from hashshare.client.admission import check_object
from hashshare.client.held_standby import held_standby
from hashshare.client.home import Home
from hashshare.client.kept_metadata import expiries
from hashshare.client.planning import of_segment, shards_of
from hashshare.client.proof import Proof, read_proof
from hashshare.client.proving import wrong_count
from hashshare.client.store import Held, ListStore, read_digested
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.engine import open_engine
from hashshare.wire.errors import BadSignature, MalformedManifest, MalformedMetadata, WrongDigest
from hashshare.wire.manifest import Manifest
from hashshare.wire.repository.hosting import hosted_lists
from hashshare.wire.repository.metadata import ROOT, TARGETS, RoleFile, read_typed, root_fingerprint
from hashshare.wire.repository.shapes import feed_manifest
from hashshare.wire.state import count_entries

COUNT_MEMORY: Final = "160MiB"


@dataclass(frozen=True, slots=True)
class Verified:
    """`expired`: the roles whose time is over, with when. `hosted`: the hub keeps the key that signed it.
    `standby_hub`: the other hub that the publisher's root lets say what is newest, "" for none.
    """

    name: str
    list_id: str
    version: int
    purged: int
    entries: int
    objects: int
    bytes: int
    trust: str
    fingerprint: str
    expired: tuple[tuple[str, datetime], ...]
    hosted: bool
    standby_hub: str = ""


def verify_list(store: ListStore, *, progress: Callable[[int], None] = lambda _: None) -> Verified:
    """Everything that can be checked offline. `progress` is told of bytes done.

    A file that is not what was signed is set aside, so that the next sync fetches just that one. Raises the
    VerificationFailed tree: WrongDigest and MissingObject with the facts `damaged` and `missing`, the files.
    """
    with store.reading_lock():
        held = store.usable()
        known = trust.usable_publisher(store.home, held.publisher)
        manifest = _verify_documents(store, held)
        done = _verify_objects(store, held, progress)
        count = _count(store)
        if count != manifest.entries:
            raise wrong_count(held.name, count, manifest.entries)
        now = datetime.now(UTC)
        ends = expiries(store.home, held.publisher, held.list_id)
        return Verified(
            name=held.name,
            list_id=held.list_id,
            version=held.version,
            purged=held.purged,
            entries=count,
            objects=len(held.objects),
            bytes=done,
            trust=known.state,
            fingerprint=known.fingerprint,
            expired=tuple((role, end) for role, end in ends.items() if end <= now),
            hosted=held.list_id in hosted_lists(read_proof(store.proof_path(held.manifest_sha256)).targets),
            standby_hub=named.hub if (named := held_standby(store.home, held.publisher)) else "",
        )


def _verify_documents(store: ListStore, held: Held) -> Manifest:
    """The signed manifest, which current.json must follow object by object."""
    _verify_document(store.manifest_path(held.manifest_sha256), held.manifest_sha256, name=held.name)
    try:
        manifest = Manifest.parse(verify_signatures(store, held))
    except (BadSignature, WrongDigest, MalformedMetadata):
        proof = store.proof_path(held.manifest_sha256)
        if proof.is_file():
            healing.set_aside(proof)
        raise
    path = store.index_path(manifest.base.index.sha256)
    _verify_document(path, manifest.base.index.sha256, name=held.name)
    index = BaseIndex.parse(path.read_bytes())
    index.check_against(manifest)
    said = (held.list_id, held.name, held.version, held.base, held.deltas)
    past = tuple(of_segment(it) for it in manifest.segments if it.to_version > manifest.base.version)
    if (manifest.list_id, manifest.list_name, manifest.version, shards_of(index), past) != said:
        raise MalformedManifest(
            f"{store.folder}/current.json does not name what the manifest of {held.name} names.",
            next_step=f"hashshare sync {held.name} --force",
        )
    return manifest


def _verify_objects(store: ListStore, held: Held, progress: Callable[[int], None]) -> int:
    """Every object's digest, all of them before the first complaint, then what is in it. Returns their bytes."""
    done = 0
    faulty: list[Path] = []
    for part in held.objects:
        path = store.object_path(part.sha256)
        if not healing.is_right(path, part):
            faulty.append(path)
        elif not faulty:
            check_object(path, part, held.fmt)
        done += part.length
        progress(done)
    healing.refuse(faulty, name=held.name)
    return done


def _verify_document(path: Path, sha256: str, *, name: str) -> None:
    """Raises WrongDigest, MissingObject."""
    if read_digested(path, sha256) is None:
        healing.refuse([path], name=name)


def _count(store: ListStore) -> int:
    with store.pinned() as (_, state), open_engine(read=state.paths, memory=COUNT_MEMORY) as engine:
        return count_entries(engine, state)


def verify_signatures(store: ListStore, held: Held) -> bytes:
    """From root version 1, whose fingerprint is kept, to the manifest; its bytes. Raises BadSignature, WrongDigest."""
    proof = read_proof(store.proof_path(held.manifest_sha256))
    anchors = _anchors(store.home, held.publisher)
    for anchor in anchors:
        try:
            return _verify_under(anchor, store, held, proof)
        except (BadSignature, MalformedMetadata):
            if anchor is anchors[-1]:
                raise
    raise MalformedMetadata(f"No root of {held.publisher} is held here.", next_step="hashshare sync")


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A root version 1 and those that were reached from it."""

    root: Path
    history: Path
    fingerprint: str


def _anchors(home: Home, domain: str) -> list[_Anchor]:
    """The root that is trusted, and those that it replaced: a list that was synced under one of them stays in use."""
    known = trust.usable_publisher(home, domain)
    newest = _Anchor(
        trust.root_path(home, domain), trust.metadata_dir(home, domain) / "root_history", known.fingerprint
    )
    aside = sorted(trust.replaced_dir(home, domain).glob("*"))
    return [newest, *(_Anchor(it / "root.json", it / "metadata" / "root_history", it.name) for it in aside)]


def _verify_under(anchor: _Anchor, store: ListStore, held: Held, proof: Proof) -> bytes:
    domain = held.publisher
    root = _root_chain(anchor, domain, proof.root_version)
    try:
        targets = read_typed(TARGETS, proof.targets, Targets)
        root.signed.verify_delegate(TARGETS, targets.metadata.signed_bytes, targets.metadata.signatures)
        feed = read_typed(held.list_id, proof.feed, Targets)
        targets.signed.verify_delegate(held.list_id, feed.metadata.signed_bytes, feed.metadata.signatures)
    except (tuf_errors.UnsignedMetadataError, ValueError) as error:
        raise BadSignature(f"{domain}: {error}.") from error
    reference = feed_manifest(feed.body, list_id=held.list_id)
    body = store.manifest_bytes()
    if (hashlib.sha256(body).hexdigest(), len(body)) != (reference.sha256, reference.length):
        raise WrongDigest(
            f"The manifest of {held.name} is not the one that its feed signs.", next_step="hashshare sync"
        )
    return body


def _root_chain(anchor: _Anchor, domain: str, version: int) -> RoleFile[Root]:
    """Root `version`, each up to it signed by enough keys of the one before and of itself (TUF specification 5.3)."""
    body = anchor.root.read_bytes()
    if root_fingerprint(body) != anchor.fingerprint:
        raise WrongDigest(f"The root of {domain} kept here was changed.")
    current = read_typed(ROOT, body, Root)
    while current.version < version:
        path = anchor.history / f"{current.version + 1}.root.json"
        if not path.is_file():
            raise MalformedMetadata(
                f"{domain}: root version {current.version + 1} is missing.", next_step="hashshare sync"
            )
        following = read_typed(ROOT, path.read_bytes(), Root)
        try:
            for judge in (current.signed, following.signed):
                judge.verify_delegate(ROOT, following.metadata.signed_bytes, following.metadata.signatures)
        except tuf_errors.UnsignedMetadataError as error:
            raise BadSignature(
                f"{domain}: root version {following.version} does not follow from the one before."
            ) from error
        current = following
    return current

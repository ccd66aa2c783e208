"""Hotline Aurora as the wire tests see her: officers' keys, a feed key, hub North's keys, and what North serves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata
from tuf.ngclient.fetcher import FetcherInterface

from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.major import Major
from hashshare.wire.manifest import Base, Manifest, Segment
from hashshare.wire.objects import ObjectRef, base_index_path, delta_path, manifest_path, shard_path
from hashshare.wire.repository import Trusted

LIST_ID = "00c0ffee00c0ffee"
OTHER_LIST_ID = "0123456789abcdef"
NOW = datetime.now(UTC).replace(microsecond=0)
PUBLISHED = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""What manifests say here."""


class Hand:
    """One key in somebody's hands."""

    def __init__(self, private: Ed25519PrivateKey | None = None) -> None:
        self.private = private or keys.generate()
        self.raw = keys.public_bytes(self.private)
        self.key: Key = keys.tuf_key(self.raw)
        self.signer: Signer = keys.tuf_signer(self.private)


def hands(number: int) -> list[Hand]:
    return [Hand() for _ in range(number)]


def keys_of(held: Sequence[Hand]) -> list[Key]:
    return [hand.key for hand in held]


def signers_of(held: Sequence[Hand]) -> list[Signer]:
    return [hand.signer for hand in held]


def base_of(
    list_id: str, *, version: int, entries: int = 0, bodies: Sequence[bytes] = (), built_at: datetime = PUBLISHED
) -> tuple[BaseIndex, Base]:
    """A base of shards that are not really Parquet; this package never opens them."""
    refs = [ObjectRef.of(shard_path(list_id, version=version, number=n), body) for n, body in enumerate(bodies)]
    step = 2**64 // (len(refs) or 1)
    shards = tuple(
        Shard(f"{n * step:016x}", f"{(n + 1) * step - 1:016x}", entries // len(refs), ref) for n, ref in enumerate(refs)
    )
    index = BaseIndex(list_id, version, entries, shards)
    ref = ObjectRef.of(base_index_path(list_id, version=version), index.to_bytes())
    return index, Base(version, entries, index.total_bytes, ref, built_at)


def segment_of(list_id: str, start: int, end: int, *, upserts: int = 1, withdrawals: int = 0, size: int = 0) -> Segment:
    """A delta whose object is `size` bytes long, or as many as would be usual."""
    path = delta_path(list_id, from_version=start, to_version=end)
    ref = ObjectRef.of(path, f"{start}-{end}".encode())
    length = size or 1_000 + 33 * (upserts + withdrawals)
    return Segment(start, end, upserts, withdrawals, replace(ref, length=length))


def manifest_of(*segments: Segment, base: Base | None = None, version: int = 1, entries: int = 0) -> Manifest:
    return Manifest(
        list_id=LIST_ID,
        list_name="aurora.example/images",
        version=segments[-1].to_version if segments else version,
        algorithms=("sha256", "md5"),
        scheme="uk-abc",
        columns=("category", "media"),
        published_at=PUBLISHED,
        entries=entries,
        base=base or base_of(LIST_ID, version=1)[1],
        segments=segments,
    )


@dataclass
class Aurora:
    """Her repository at North: three officers of whom two sign, one feed key, metadata that North serves."""

    officers: list[Hand] = field(default_factory=lambda: hands(3))
    feed: Hand = field(default_factory=Hand)
    north: list[Hand] = field(default_factory=lambda: hands(2))
    seconds: list[Hand] = field(default_factory=lambda: hands(3))
    """Holders of the major role's keys, once it is delegated."""
    now: datetime = NOW
    served: dict[str, bytes] = field(default_factory=dict)
    feeds: dict[str, bytes] = field(default_factory=dict)
    snapshots: int = 0
    timestamps: int = 0
    root: bytes = b""
    targets: bytes = b""
    major: bytes | None = None

    def __post_init__(self) -> None:
        two = signers_of(self.officers[:2])
        keyring = keys_of(self.officers)
        self.root = repository.create_root(
            root_keys=keyring, targets_keys=keyring, hub_keys=self.hub_keys, threshold=2, signers=two, now=self.now
        )
        self.targets = repository.delegate_list(
            repository.create_targets(signers=two, now=self.now),
            list_id=LIST_ID,
            keys=[self.feed.key],
            signers=two,
            now=self.now,
        )
        self.serve_metadata("root", self.root)
        self.serve_metadata("targets", self.targets)

    @property
    def hub_keys(self) -> list[Key]:
        return keys_of(self.north)

    @property
    def trusted(self) -> repository.Trusted:
        return repository.Trusted(self.root, self.targets, dict(self.feeds), self.major)

    def commit_roles(self, roles: Mapping[str, bytes], *, now: datetime | None = None) -> repository.Commit:
        """North's judgement."""
        return repository.verify_commit(self.trusted, roles=roles, hub_keys=self.hub_keys, now=now or self.now)

    def commit(
        self, *, root: bytes = b"", targets: bytes = b"", feed: bytes = b"", now: datetime | None = None
    ) -> repository.Commit:
        """North's judgement over what is given."""
        roles = {"root": root, "targets": targets, LIST_ID: feed}
        return self.commit_roles({role: body for role, body in roles.items() if body}, now=now)

    def sign(self, manifest: bytes, *, version: int, by: Hand | None = None, life: timedelta | None = None) -> bytes:
        extra = {} if life is None else {"life": life}
        signer = (by or self.feed).signer
        return repository.sign_release(
            list_id=LIST_ID, manifest=manifest, version=version, signers=[signer], now=self.now, **extra
        )

    def publish(self, manifest: bytes, *, version: int) -> bytes:
        """Sign, let North accept, and serve."""
        feed = self.sign(manifest, version=version)
        self.commit(feed=feed)
        self.feeds[LIST_ID] = feed
        self.serve_metadata(LIST_ID, feed)
        self.serve_object(ObjectRef.of(manifest_path(LIST_ID), manifest), manifest)
        self.seal()
        return feed

    def delegate_major(self, **options: Any) -> bytes:
        """Targets with the major role, accepted by North."""
        given = {"keys": keys_of(self.seconds), "signers": two(self), "now": self.now, **options}
        targets = repository.delegate_major(self.targets, **given)
        self.commit(targets=targets)
        self.targets = targets
        self.serve_metadata("targets", targets)
        return targets

    def sign_major(self, *documents: Major, by: Sequence[Hand] | None = None) -> bytes:
        signers = signers_of(self.seconds[:2] if by is None else by)
        return repository.sign_major(self.major, documents=documents, signers=signers, now=self.now)

    def publish_major(self, *documents: Major) -> None:
        """Sign by two, let North accept, and serve."""
        major = self.sign_major(*documents)
        self.commit_roles({"major": major})
        self.major = major
        self.serve_metadata("major", major)
        for document in documents:
            self.serve_object(document.ref, document.to_bytes())
        self.seal()

    def seal(self, *, by: Hand | None = None) -> None:
        """North signs snapshot and timestamp over what she has accepted."""
        signer = (by or self.north[0]).signer
        self.snapshots += 1
        self.timestamps += 1
        snapshot = repository.sign_snapshot(
            targets=self.targets,
            feeds=self.feeds,
            major=self.major,
            version=self.snapshots,
            signer=signer,
            now=self.now,
        )
        self.serve_metadata("snapshot", snapshot)
        timestamp = repository.sign_timestamp(snapshot=snapshot, version=self.timestamps, signer=signer, now=self.now)
        self.serve_metadata("timestamp", timestamp)

    def serve_metadata(self, role: str, body: bytes) -> None:
        self.served[f"metadata/{repository.read_role(role, body).name}"] = body

    def serve_object(self, ref: ObjectRef, body: bytes) -> None:
        self.served[f"targets/{ref.stored_path}"] = body


def major_of(manifest: Manifest, *, lost: int = 1_000) -> Major:
    """The document by which so many entries may go with this manifest."""
    ref = ObjectRef.of(manifest_path(manifest.list_id), manifest.to_bytes())
    return Major(manifest.list_id, manifest.list_name, manifest.version, lost, ref)


class ServedFrom(FetcherInterface):
    """The network in a dictionary; remembers what was asked for."""

    def __init__(self, served: dict[str, bytes]) -> None:
        self.served = served
        self.asked: list[str] = []

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = url.removeprefix("https://north.example/")
        self.asked.append(path)
        if path not in self.served:
            raise DownloadHTTPError("not found", 404)
        return iter([self.served[path]])


NOTHING = Trusted(None, None, {})
"""What a hub trusts of a publisher that it has never heard of."""


def two(aurora: Aurora) -> list[Signer]:
    return signers_of(aurora.officers[:2])


def edited(body: bytes, edit: Callable[[dict[str, Any]], object], signers: list[Signer]) -> bytes:
    """The same metadata with `signed` changed as JSON, properly signed again."""
    document = json.loads(body)
    edit(document["signed"])
    unshared = json.loads(json.dumps(document["signed"]))
    metadata: Metadata[Any] = Metadata.from_dict({"signatures": [], "signed": unshared})
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def next_version(signed: dict[str, Any]) -> None:
    signed["version"] += 1

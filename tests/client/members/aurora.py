"""Hotline Aurora as a member meets her: a real TUF repository, real segments, the hub's own signatures beside it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import Key

from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.entries import Kind, ListFormat, segment_columns
from hashshare.wire.major import Major
from hashshare.wire.manifest import Base, Manifest, Redistribution, Segment
from hashshare.wire.objects import ObjectRef, base_index_path, delta_path, manifest_path
from hashshare.wire.repository.metadata import MAJOR_LIFE
from hashshare.wire.segments import write_base, write_delta

FMT = ListFormat(("sha256", "md5", "sha1"), "uk-abc", ("category", "expires"))
UPSERT, WITHDRAW, REINSTATE = 1, 2, 3


@dataclass(frozen=True)
class Item:
    """A harmless stand-in for a file: random bytes, and what a list says of them."""

    content: bytes
    category: str = "A"
    expires: date | None = None

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    @property
    def md5(self) -> bytes:
        return hashlib.md5(self.content).digest()

    @property
    def sha1(self) -> bytes:
        return hashlib.sha1(self.content).digest()


def items(number: int, category: str = "A") -> list[Item]:
    return [Item(secrets.token_bytes(64), category) for _ in range(number)]


@dataclass
class Operations:
    """What a delta does, by key."""

    rows: dict[bytes, tuple[int, str | None, Item | None]] = field(default_factory=dict)

    def counts(self) -> tuple[int, int]:
        withdrawals = sum(op == WITHDRAW for op, _, _ in self.rows.values())
        return len(self.rows) - withdrawals, withdrawals


class Aurora:
    """One publisher with one list. `metadata` and `objects` are what a hub would serve, by file name and path."""

    def __init__(self, folder: Path, *, domain: str = "aurora.example", slug: str = "images") -> None:
        self.folder, self.domain, self.name = folder, domain, f"{domain}/{slug}"
        folder.mkdir(parents=True, exist_ok=True)
        self.list_id = secrets.token_hex(8)
        self.officer, self.feed_key = keys.generate(), keys.generate()
        self.seconds = [keys.generate(), keys.generate()]
        """Who hold the major keys."""
        self.major: bytes | None = None
        self.online, self.standby = keys.generate(), keys.generate()
        self.metadata: dict[str, bytes] = {}
        self.objects: dict[str, bytes] = {}
        self.history: dict[int, Operations] = {}
        self.live: dict[bytes, Item] = {}
        self.published: dict[int, str] = {}
        self.version = self.role_version = self.snapshots = self.timestamps = 0
        self.segments: tuple[Segment, ...] = ()
        self.status, self.redistribution = "active", Redistribution("federation")
        self.feed_life, self.timestamp_life = timedelta(days=14), timedelta(days=1)
        self._create()

    # --- trust ---

    def _create(self) -> None:
        now, signers = datetime.now(UTC), [keys.tuf_signer(self.officer)]
        officer = [self._key(self.officer)]
        hub = [self._key(self.online), self._key(self.standby)]
        self.root = repository.create_root(
            root_keys=officer, targets_keys=officer, hub_keys=hub, signers=signers, now=now
        )
        self.metadata["1.root.json"] = self.root
        targets = repository.create_targets(signers=signers, now=now)
        self.targets = repository.delegate_list(
            targets, list_id=self.list_id, keys=[self._key(self.feed_key)], signers=signers, now=now
        )
        self.metadata["2.targets.json"] = self.targets
        self.built_at = datetime.now(UTC).replace(microsecond=0)
        self.base = self._base(1, [])
        self._publish(1)

    def delegate_major(self, **options: Any) -> None:
        """Takes effect with the next release or refresh."""
        self.targets = repository.delegate_major(
            self.targets,
            keys=[self._key(key) for key in self.seconds],
            signers=[keys.tuf_signer(self.officer)],
            now=datetime.now(UTC),
            **options,
        )
        self.metadata[repository.read_role("targets", self.targets).name] = self.targets

    def sign_major(self, lost: int, *, manifest: bytes = b"", version: int = 0, life: timedelta | None = None) -> Major:
        """For the current release, unless given otherwise; takes effect when `sign_again` seals it."""
        ref = ObjectRef.of(manifest_path(self.list_id), manifest or self.current)
        made = Major(self.list_id, self.name, version or self.version, lost, ref)
        self.put(made.path, made.to_bytes())
        self.major = repository.sign_major(
            self.major,
            documents=[made],
            signers=[keys.tuf_signer(key) for key in self.seconds],
            now=datetime.now(UTC),
            life=life or MAJOR_LIFE,
        )
        self.metadata[repository.read_role("major", self.major).name] = self.major
        return made

    @staticmethod
    def _key(private: Ed25519PrivateKey) -> Key:
        return keys.tuf_key(keys.public_bytes(private))

    @property
    def fingerprint(self) -> str:
        return repository.root_fingerprint(self.root)

    def rotate_root(self) -> None:
        """Root version 2, signed by the same officer."""
        signers = [keys.tuf_signer(self.officer)]
        self.metadata["2.root.json"] = repository.next_root(self.root, signers=signers, now=datetime.now(UTC))

    def replace_officer(self) -> None:
        """A new officer's key for root and targets; takes effect with the next release or refresh."""
        old, self.officer = self.officer, keys.generate()
        own, now = [self._key(self.officer)], datetime.now(UTC)
        signers = [keys.tuf_signer(old), keys.tuf_signer(self.officer)]
        root = repository.next_root(self.root, root_keys=own, targets_keys=own, signers=signers, now=now)
        self.targets = repository.renew_targets(self.targets, signers=signers[1:], now=now)
        self.metadata["2.root.json"], self.metadata["3.targets.json"] = root, self.targets

    def begin_anew(self) -> None:
        """As a publisher does that lost its officers' keys: another first root, the same feed key and lists."""
        self.officer = keys.generate()
        signers, own = [keys.tuf_signer(self.officer)], [self._key(self.officer)]
        self.root = repository.create_root(
            root_keys=own,
            targets_keys=own,
            hub_keys=[self._key(self.online), self._key(self.standby)],
            signers=signers,
            now=datetime.now(UTC),
        )
        self.targets = repository.delegate_list(
            repository.create_targets(signers=[], now=datetime.now(UTC)),
            list_id=self.list_id,
            keys=[self._key(self.feed_key)],
            signers=signers,
            now=datetime.now(UTC),
            amend=True,
        )
        kept = {name: body for name, body in self.metadata.items() if name.split(".")[1] not in ("root", "targets")}
        self.metadata = {**kept, "1.root.json": self.root, "1.targets.json": self.targets}
        self.seal()

    # --- releases ---

    def release(self, upserts: Iterable[Item] = (), withdrawals: Iterable[Item] = (), *, reason: str = "other") -> None:
        """The next content version: one delta."""
        operations = Operations()
        for item in upserts:
            operations.rows[item.sha256] = (UPSERT, None, item)
            self.live[item.sha256] = item
        for item in withdrawals:
            operations.rows[item.sha256] = (WITHDRAW, reason, None)
            self.live.pop(item.sha256)
        version = self.version + 1
        self.history[version] = operations
        self.segments += (self._segment(self.version, version, operations),)
        self._publish(version)

    def merge(self, start: int, end: int) -> None:
        """Replace the segments from `start` to `end` by their fold; takes effect with the next release or refresh."""
        folded = Operations()
        for version in range(start + 1, end + 1):
            folded.rows.update(self.history[version].rows)
        merged = self._segment(start, end, folded)
        before = tuple(part for part in self.segments if part.to_version <= start)
        after = tuple(part for part in self.segments if part.from_version >= end)
        self.segments = (*before, merged, *after)

    def renew_base(self, *, shard_entries: int = 1_000_000, built_at: datetime | None = None) -> None:
        """A base at the current version; takes effect with the next release. What had lapsed by `built_at` goes."""
        self.built_at = built_at or datetime.now(UTC).replace(microsecond=0)
        day = self.built_at.date()
        self.live = {key: it for key, it in self.live.items() if it.expires is None or it.expires > day}
        self.base = self._base(self.version, list(self.live.values()), shard_entries=shard_entries)

    def drop_segments(self) -> None:
        """Raise the chain's floor to the base."""
        self.segments = tuple(part for part in self.segments if part.from_version >= self.base.version)

    def refresh(self) -> None:
        """The same content version under new metadata."""
        self._publish(self.version)

    def sign_again(self) -> None:
        """The very same manifest under new metadata."""
        self.sign(self.current)

    # --- files ---

    def _segment(self, start: int, end: int, operations: Operations) -> Segment:
        path = self.folder / f"{self.list_id}-delta-{start}-{end}.parquet"
        rows = [
            self._row(key, item) | {"op": op, "reason": reason} for key, (op, reason, item) in operations.rows.items()
        ]
        with open_engine(write=self.folder) as engine:
            self._table(engine, "delta", rows)
            write_delta(engine, "rows", path, fmt=FMT)
        upserts, withdrawals = operations.counts()
        ref = self.put(delta_path(self.list_id, from_version=start, to_version=end), path.read_bytes())
        return Segment(start, end, upserts, withdrawals, ref)

    def _base(self, version: int, live: Sequence[Item], *, shard_entries: int = 1_000_000) -> Base:
        with open_engine(write=self.folder) as engine:
            self._table(engine, "base", [self._row(item.sha256, item) for item in live])
            shards = write_base(engine, "rows", self.folder, fmt=FMT, version=version, shard_entries=shard_entries)
        written = tuple(
            Shard(
                shard.facts.low,
                shard.facts.high,
                shard.facts.rows,
                self.put(f"{self.list_id}/{shard.path.name}", shard.path.read_bytes()),
            )
            for shard in shards
        )
        index = BaseIndex(self.list_id, version, len(live), written)
        ref = self.put(base_index_path(self.list_id, version=version), index.to_bytes())
        return Base(version, len(live), index.total_bytes, ref, self.built_at)

    @staticmethod
    def _row(key: bytes, item: Item | None) -> dict[str, object]:
        row: dict[str, object] = {"p": int.from_bytes(key[:8]), "s": key[8:]}
        names = ("md5", "sha1", "category", "expires")
        return row | {name: getattr(item, name) if item else None for name in names}

    @staticmethod
    def _table(engine: Engine, kind: Kind, rows: Sequence[dict[str, object]]) -> None:
        columns = segment_columns(FMT, kind)
        declared = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
        engine.execute(f"CREATE TABLE rows ({declared})")
        if rows:
            lists = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
            engine.execute(f"INSERT INTO rows SELECT {lists}", [[row[name] for row in rows] for name in columns])

    def put(self, path: str, body: bytes) -> ObjectRef:
        ref = ObjectRef.of(path, body)
        self.objects[ref.stored_path] = body
        return ref

    # --- signing ---

    def manifest(self, version: int) -> Manifest:
        return Manifest(
            list_id=self.list_id,
            list_name=self.name,
            version=version,
            algorithms=FMT.algorithms,
            scheme=FMT.scheme,
            columns=FMT.columns,
            published_at=datetime.now(UTC).replace(microsecond=0),
            entries=len(self.live),
            base=self.base,
            segments=self.segments,
            status=self.status,
            redistribution=self.redistribution,
        )

    def _publish(self, version: int) -> None:
        body = self.manifest(version).to_bytes()
        self.sign(body)
        self.version = version
        self.published[version] = hashlib.sha256(body).hexdigest()

    def sign(self, manifest: bytes, *, feed_key: Ed25519PrivateKey | None = None) -> None:
        """Feed, snapshot and timestamp over these bytes, whatever they are."""
        now, self.current = datetime.now(UTC), manifest
        self.role_version += 1
        self.put(manifest_path(self.list_id), manifest)
        self.feed = repository.sign_release(
            list_id=self.list_id,
            manifest=manifest,
            version=self.role_version,
            signers=[keys.tuf_signer(feed_key or self.feed_key)],
            now=now,
            life=self.feed_life,
        )
        self.metadata[f"{self.role_version}.{self.list_id}.json"] = self.feed
        self.seal()

    def seal(self) -> None:
        """A new snapshot over what stands, and a timestamp over that."""
        self.snapshots += 1
        self.snapshot = repository.sign_snapshot(
            targets=self.targets,
            feeds={self.list_id: self.feed},
            major=self.major,
            version=self.snapshots,
            signer=keys.tuf_signer(self.online),
            now=datetime.now(UTC),
        )
        self.metadata[f"{self.snapshots}.snapshot.json"] = self.snapshot
        self.stamp()

    def stamp(self) -> None:
        """A new timestamp over the same snapshot."""
        self.timestamps += 1
        self.metadata["timestamp.json"] = repository.sign_timestamp(
            snapshot=self.snapshot,
            version=self.timestamps,
            signer=keys.tuf_signer(self.online),
            now=datetime.now(UTC),
            life=self.timestamp_life,
        )

    def object_path(self, prefix: str) -> str:
        """The one stored path whose object name begins with `prefix`."""
        found = [path for path in self.objects if path.partition(".")[2].startswith(prefix)]
        assert len(found) == 1, found
        return found[0]

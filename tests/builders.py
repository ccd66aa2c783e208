"""The cast, with real keys and real files: hotlines that publish through the services, members that subscribe.

Aurora and Borealis are hotlines, Cobalt a member, Delta a government partner. Hashes are those of random bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.hub_keys import hub_keys
from hashshare.models import HashList, Job, Organisation, Subscription
from hashshare.selectors.callers import Caller
from hashshare.services.commits import submit_commit
from hashshare.services.invitations import enrol, invite_organisation
from hashshare.services.lists import create_list
from hashshare.services.manifests import object_path, read_base_index
from hashshare.services.objects import store_object
from hashshare.services.subscriptions import decide_subscription, request_subscription
from hashshare.services.work import run_job
from hashshare.wire import errors, keys, repository
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.compaction import merge_deltas, renew_base
from hashshare.wire.documents import Fields
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import Kind, ListFormat, segment_columns
from hashshare.wire.major import Major
from hashshare.wire.manifest import Base, Manifest, Redistribution, Segment
from hashshare.wire.objects import ObjectRef, base_index_path, delta_path, manifest_path
from hashshare.wire.segments import Shard as WrittenShard
from hashshare.wire.segments import write_base, write_delta
from hashshare.wire.state import HeldState

UPSERT, WITHDRAW, REINSTATE = 1, 2, 3


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Party:
    """An enrolled organisation and its machine key."""

    organisation: Organisation
    key: Ed25519PrivateKey

    @property
    def caller(self) -> Caller:
        return Caller(self.organisation, "signature", keys.fingerprint_of(self.key))


def party(kind: str, name: str, *, domains: Iterable[str] = (), country: str = "NL") -> Party:
    """Invited, and enrolled with a fresh key."""
    _, code = invite_organisation(kind=kind, name=name, country=country, domains=domains, now=now())
    key = keys.generate()
    made = enrol(code=code, public_key=keys.public_bytes(key), key_name="machine", now=now())
    return Party(made.organisation, key)


def member(name: str = "Cobalt") -> Party:
    return party("member", name, country="DE")


def partner(name: str = "Delta") -> Party:
    return party("partner", name, country="SE")


@dataclass
class Publisher:
    """A hotline with its officers' and feed keys; what it has had accepted of root and targets."""

    party: Party
    domain: str
    officer: Ed25519PrivateKey = field(default_factory=keys.generate)
    feed: Ed25519PrivateKey = field(default_factory=keys.generate)
    seconds: list[Ed25519PrivateKey] = field(default_factory=lambda: [keys.generate(), keys.generate()])
    """Who hold the major keys, once that role is delegated."""
    root: bytes = b""
    targets: bytes = b""
    major: bytes | None = None

    @property
    def caller(self) -> Caller:
        return self.party.caller

    def init(self) -> Job:
        """Root and targets, committed and accepted."""
        signer = keys.tuf_signer(self.officer)
        officers = [signer.public_key]
        self.root = repository.create_root(
            root_keys=officers, targets_keys=officers, hub_keys=hub_keys().both, signers=[signer], now=now()
        )
        self.targets = repository.create_targets(signers=[signer], now=now())
        return self.commit({"root": self.root, "targets": self.targets}, if_match=0)

    def delegate(self, list_id: str) -> Job:
        """Give the feed key the list's role."""
        version = repository.read_role("targets", self.targets).version
        self.targets = repository.delegate_list(
            self.targets,
            list_id=list_id,
            keys=[keys.tuf_signer(self.feed).public_key],
            signers=[keys.tuf_signer(self.officer)],
            now=now(),
        )
        return self.commit({"targets": self.targets}, if_match=version)

    def delegate_major(self) -> Job:
        """Give the major role to the two who hold its keys."""
        version = repository.read_role("targets", self.targets).version
        self.targets = repository.delegate_major(
            self.targets,
            keys=[keys.tuf_signer(key).public_key for key in self.seconds],
            signers=[keys.tuf_signer(self.officer)],
            now=now(),
        )
        return self.commit({"targets": self.targets}, if_match=version)

    def sign_major(self, *documents: Major, by: Sequence[Ed25519PrivateKey] | None = None) -> bytes:
        signers = [keys.tuf_signer(key) for key in (self.seconds if by is None else by)]
        return repository.sign_major(self.major, documents=documents, signers=signers, now=now())

    def submit(self, roles: Mapping[str, bytes], *, if_match: int) -> Job:
        return submit_commit(caller=self.caller, domain=self.domain, roles=roles, if_match=if_match, now=now())

    def commit(self, roles: Mapping[str, bytes], *, if_match: int) -> Job:
        """Submitted and worked off, as a worker would."""
        return worked(self.submit(roles, if_match=if_match))


def worked(job: Job) -> Job:
    """Done by one worker; shards of a new base, which are jobs of their own, too."""
    run_job(job_id=job.pk, worker="test", task_id="test")
    while part := job.parts.filter(state=Job.State.QUEUED).order_by("number").first():
        run_job(job_id=part.pk, worker="test", task_id="test")
        run_job(job_id=job.pk, worker="test", task_id="test")
    job.refresh_from_db()
    return job


def publisher(name: str = "Aurora", domain: str = "aurora.example") -> Publisher:
    """Enrolled, with root and targets accepted."""
    made = Publisher(party("hotline", name, domains=[domain]), domain)
    job = made.init()
    assert job.state == Job.State.DONE, job.problem
    return made


Row = dict[str, Any]
"""Column -> value: `key` (bytes), further algorithms (bytes or None), metadata; in deltas `op` and `reason`."""


def entry(**columns: Any) -> Row:
    """A row for a list keyed by sha256 with md5 and a category."""
    body = secrets.token_bytes(24)
    row = {"key": hashlib.sha256(body).digest(), "md5": hashlib.md5(body).digest(), "category": "A"}
    return row | columns


def upsert(row: Row) -> Row:
    return row | {"op": UPSERT}


def withdraw(row: Row, reason: str = "incorrect") -> Row:
    return {"key": row["key"], "op": WITHDRAW, "reason": reason}


def reinstate(row: Row) -> Row:
    return row | {"op": REINSTATE}


@dataclass
class Feed:
    """One list as its publisher's tool sees it: writes segments and manifests into a folder, uploads, commits."""

    publisher: Publisher
    row: HashList
    fmt: ListFormat
    folder: Path = field(
        default_factory=lambda: Path(tempfile.mkdtemp(prefix="feed-", dir=os.environ["HASHSHARE_TEST_RUN"]))
    )
    manifest: Manifest | None = None
    role_version: int = 0

    @property
    def list_id(self) -> str:
        return self.row.tuf_id

    def first(self, rows: Sequence[Row], *, shard_entries: int = 1_000_000, **changes: Any) -> Manifest:
        """The manifest of version 1, its objects uploaded."""
        with open_engine(write=self.folder) as engine:
            table(engine, rows, self.fmt, "base")
            written = write_base(engine, "rows", self.folder, fmt=self.fmt, version=1, shard_entries=shard_entries)
        return self.base_manifest(self.put_shards(written), **changes)

    def base_manifest(self, shards: tuple[Shard, ...], **changes: Any) -> Manifest:
        entries = sum(shard.entries for shard in shards)
        index = BaseIndex(self.list_id, 1, entries, shards)
        ref = self.put(base_index_path(self.list_id, version=1), index.to_bytes())
        published_at = now().replace(microsecond=0)
        manifest = Manifest(
            list_id=self.list_id,
            list_name=self.row.name,
            version=1,
            algorithms=self.fmt.algorithms,
            scheme=self.fmt.scheme,
            columns=self.fmt.columns,
            published_at=published_at,
            entries=entries,
            base=Base(1, entries, index.total_bytes, ref, published_at),
            redistribution=declared_policy(self.row),
        )
        return replace(manifest, **changes)

    def next(self, operations: Sequence[Row], *, growth: int | None = None, **changes: Any) -> Manifest:
        """The manifest after the current one with a delta of these operations, its objects uploaded."""
        assert self.manifest is not None
        start = self.manifest.version
        path = self.folder / f"delta-{start}-{start + 1}.parquet"
        with open_engine(write=self.folder) as engine:
            table(engine, operations, self.fmt, "delta")
            facts = write_delta(engine, "rows", path, fmt=self.fmt)
        segment = Segment(start, start + 1, facts.upserts, facts.withdrawals, self.put_file(path.name, path))
        return self.following(segment, facts.upserts - facts.withdrawals if growth is None else growth, **changes)

    def following(self, segment: Segment, growth: int, **changes: Any) -> Manifest:
        """The current manifest with one more segment."""
        assert self.manifest is not None
        made = replace(
            self.manifest,
            version=segment.to_version,
            entries=self.manifest.entries + growth,
            published_at=now().replace(microsecond=0),
            segments=(*self.manifest.segments, segment),
        )
        return replace(made, **changes)

    def merged(self, manifest: Manifest, start: int, end: int) -> Manifest:
        """The manifest with the current segments from version `start` to `end` merged into one."""
        parts = [s for s in manifest.segments if start <= s.from_version and s.to_version <= end]
        paths = [object_path(part.object) for part in parts]
        path = self.folder / f"delta-{start}-{end}.parquet"
        with open_engine(read=paths, write=self.folder) as engine:
            facts = merge_deltas(engine, paths, path, fmt=self.fmt)
        segment = Segment(start, end, facts.upserts, facts.withdrawals, self.put_file(path.name, path))
        first = manifest.segments.index(parts[0])
        segments = (*manifest.segments[:first], segment, *manifest.segments[first + len(parts) :])
        return replace(manifest, segments=segments)

    def renewed(self, manifest: Manifest, version: int, *, shard_entries: int = 1_000_000) -> Manifest:
        """The manifest with a new base at `version`, of the old base and the current segments up to there."""
        base = tuple(object_path(ref) for ref in read_base_index(manifest.base.index).object_refs())
        late = [s for s in manifest.segments if manifest.base.version < s.to_version <= version]
        state = HeldState(self.fmt, base=base, deltas=tuple(object_path(s.object) for s in late))
        with open_engine(read=state.paths, write=self.folder) as engine:
            today = now().date()
            written = renew_base(engine, state, self.folder, version=version, today=today, shard_entries=shard_entries)
        return self.with_base(manifest, version, self.put_shards(written))

    def with_base(self, manifest: Manifest, version: int, shards: tuple[Shard, ...]) -> Manifest:
        entries = sum(shard.entries for shard in shards)
        index = BaseIndex(self.list_id, version, entries, shards)
        ref = self.put(base_index_path(self.list_id, version=version), index.to_bytes())
        return replace(manifest, base=Base(version, entries, index.total_bytes, ref, now().replace(microsecond=0)))

    def put_shards(self, written: Sequence[WrittenShard]) -> tuple[Shard, ...]:
        return tuple(
            Shard(s.facts.low, s.facts.high, s.facts.rows, self.put_file(s.path.name, s.path)) for s in written
        )

    def put_file(self, name: str, path: Path) -> ObjectRef:
        return self.put(f"{self.list_id}/{name}", path.read_bytes())

    def put(self, path: str, body: bytes) -> ObjectRef:
        """Upload; an object that is there already is fine."""
        ref = ObjectRef.of(path, body)
        with contextlib.suppress(errors.AlreadyThere):
            store_object(
                caller=self.publisher.caller,
                domain=self.publisher.domain,
                list_id=self.list_id,
                digest=ref.sha256,
                name=ref.name,
                chunks=[body],
                now=now(),
            )
        return ref

    def signed(self, manifest: Manifest | bytes, *, version: int | None = None, **options: Any) -> dict[str, bytes]:
        """Feed metadata over the manifest, which is uploaded."""
        body = manifest if isinstance(manifest, bytes) else manifest.to_bytes()
        self.put(manifest_path(self.list_id), body)
        made = repository.sign_release(
            list_id=self.list_id,
            manifest=body,
            version=version or self.role_version + 1,
            **{"signers": [keys.tuf_signer(self.publisher.feed)], "now": now(), **options},
        )
        return {self.list_id: made}

    def major(self, manifest: Manifest, *, lost: int, version: int = 0, held: int | None = None) -> Major:
        """The document by which so many entries may go with this manifest, uploaded."""
        ref = ObjectRef.of(manifest_path(self.list_id), manifest.to_bytes())
        made = Major(self.list_id, self.row.name, version or manifest.version, lost, ref, held=held)
        self.put(made.path, made.to_bytes())
        return made

    def submit(self, manifest: Manifest | bytes, *, major: bytes | None = None, **options: Any) -> Job:
        roles = self.signed(manifest, **options) | ({"major": major} if major else {})
        return self.publisher.submit(roles, if_match=self.role_version)

    def release(self, manifest: Manifest, **options: Any) -> Job:
        """Submitted and worked off; the publisher's tool moves on when it was published."""
        job = worked(self.submit(manifest, **options))
        if job.state == Job.State.DONE:
            self.manifest, self.role_version = manifest, self.role_version + 1
            self.publisher.major = options.get("major") or self.publisher.major
        return job

    def publish(self, manifest: Manifest, **options: Any) -> Job:
        """`release` that must succeed."""
        job = self.release(manifest, **options)
        assert job.state == Job.State.DONE, job.problem
        self.row.refresh_from_db()
        return job


def declared_policy(row: HashList) -> Redistribution:
    """What the list said of itself when it was made: so says its first manifest."""
    return Redistribution.read(Fields(row.redistribution, where="redistribution", error=errors.MalformedManifest))


def table(engine: Any, rows: Sequence[Row], fmt: ListFormat, kind: Kind) -> None:
    """A table `rows` with a segment's columns."""
    columns = segment_columns(fmt, kind)
    declared = ", ".join(f'"{name}" {type_}' for name, type_ in columns.items())
    engine.execute(f"CREATE TABLE rows ({declared})")
    if rows:
        split = [row | {"p": int.from_bytes(row["key"][:8], "big"), "s": row["key"][8:]} for row in rows]
        lists = ", ".join(f"unnest(?::{kind}[])" for kind in columns.values())
        engine.execute(f"INSERT INTO rows SELECT {lists}", [[row.get(name) for row in split] for name in columns])


def feed(owner: Publisher, slug: str = "images", **declared: Any) -> Feed:
    """A list, its role delegated, nothing published."""
    row = create_list(
        caller=owner.caller,
        **{
            "publisher": owner.domain,
            "slug": slug,
            "tuf_id": secrets.token_hex(8),
            "title": "Known images",
            "algorithms": ["sha256", "md5"],
            "scheme": "uk-abc",
            "columns": ["category"],
            "terms": "For detection only.",
            "now": now(),
            **declared,
        },
    )
    job = owner.delegate(row.tuf_id)
    assert job.state == Job.State.DONE, job.problem
    return Feed(owner, row, ListFormat(tuple(row.algorithms), row.scheme, tuple(row.columns)))


def subscribed(who: Party, to: Feed) -> Subscription:
    """Requested with the terms accepted, and granted."""
    names: dict[str, Any] = {"domain": to.publisher.domain, "slug": to.row.slug, "now": now()}
    request_subscription(caller=who.caller, terms_digest=to.row.terms_digest, **names)
    return decide_subscription(
        caller=to.publisher.caller, organisation=who.organisation.slug, decision="grant", **names
    )


__all__ = [
    "Feed",
    "Party",
    "Publisher",
    "delta_path",
    "entry",
    "feed",
    "member",
    "now",
    "partner",
    "party",
    "publisher",
    "reinstate",
    "subscribed",
    "table",
    "upsert",
    "withdraw",
    "worked",
]

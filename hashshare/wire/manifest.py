"""The manifest: the one document that a list's feed role signs, naming everything a member needs at one version.

Reading is strict about what is known and keeps what is not; `chain` holds the rules over the segments it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from hashshare.wire import limits
from hashshare.wire.chain import check_chain
from hashshare.wire.documents import Fields, read_object, write_object, write_time
from hashshare.wire.errors import MalformedManifest, UnknownRequirement
from hashshare.wire.objects import LIST_ID, ObjectRef, base_index_path, delta_path

FORMAT: Final = "hashshare-manifest/1"
KNOWN_REQUIREMENTS: Final[frozenset[str]] = frozenset()
STATUSES: Final = ("active", "withdrawn")
POLICIES: Final = ("none", "named", "federation")
MAX_REQUIREMENTS: Final = 64
MAX_PEERS: Final = 256
MAX_UNKNOWN: Final = 16
MAX_COLUMNS: Final = 32
MAX_POLL_SECONDS: Final = 86_400

_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN: Final = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)+{_LABEL}")
LIST_NAME: Final = re.compile(rf"(?=.{{1,253}}/)({_LABEL}\.)+{_LABEL}/[a-z0-9][a-z0-9-]{{0,62}}")
WORD: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PLACE: Final = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
HUB: Final = re.compile(r"[a-z0-9][a-z0-9.:-]{0,252}")


@dataclass(frozen=True, slots=True)
class Redistribution:
    """Who may pass the list on to its own members: no peer, the named peers, or every peer of the federation.

    `peers` and `not_in` are hubs' and countries' names as the federation knows them; they restrict, never widen.
    """

    policy: str = "none"
    peers: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields) -> Redistribution:
        policy = fields.text("policy")
        if policy not in POLICIES:
            fields.fail(f"policy is not one of {', '.join(POLICIES)}")
        none: tuple[str, ...] = ()
        peers = fields.optional("peers", lambda name: fields.texts(name, pattern=HUB, limit=MAX_PEERS), none)
        not_in = fields.optional("not_in", lambda name: fields.texts(name, pattern=PLACE, limit=MAX_PEERS), none)
        return cls(policy, peers, not_in, fields.rest)

    def to_json(self) -> dict[str, Any]:
        lists = {"peers": list(self.peers), "not_in": list(self.not_in)}
        return {"policy": self.policy, **{name: value for name, value in lists.items() if value}, **self.extra}

    def to_record(self) -> dict[str, Any]:
        """What a hub's row keeps of it, and shows: of fields that this version does not know only that there are some,
        and their names, since each may forbid something (`unknown`).
        """
        names = sorted({name if WORD.fullmatch(name) else "?" for name in self.extra})[:MAX_UNKNOWN]
        return {**replace(self, extra={}).to_json(), **({"unknown": names} if names else {})}


@dataclass(frozen=True, slots=True)
class Segment:
    """A delta: everything that changed after `from_version` up to and including `to_version`.

    `upserts` counts operations 1 and 3 (a reinstatement is an upsert), `withdrawals` operation 2.
    """

    from_version: int
    to_version: int
    upserts: int
    withdrawals: int
    object: ObjectRef
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields, *, list_id: str) -> Segment:
        from_version, to_version = fields.count("from", at_least=1), fields.count("to", at_least=2)
        upserts, withdrawals = fields.count("upserts"), fields.count("withdrawals")
        if upserts + withdrawals > limits.MAX_ENTRIES_PER_SEGMENT:
            fields.fail("has more operations than a segment may hold")
        path = delta_path(list_id, from_version=from_version, to_version=to_version)
        target = ObjectRef.read(fields.nested("object"), path=path, limit=limits.MAX_OBJECT)
        return cls(from_version, to_version, upserts, withdrawals, target, fields.rest)

    @property
    def operations(self) -> int:
        return self.upserts + self.withdrawals

    def to_json(self) -> dict[str, Any]:
        return {
            "from": self.from_version,
            "to": self.to_version,
            "upserts": self.upserts,
            "withdrawals": self.withdrawals,
            "object": self.object.to_json(),
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Base:
    """The whole list at `version`: `entries` rows in `bytes` bytes of shards, which the `index` object names.

    Entries that had lapsed at `built_at` (an aware UTC time of whole seconds) are left out.
    """

    version: int
    entries: int
    bytes: int
    index: ObjectRef
    built_at: datetime
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields, *, list_id: str) -> Base:
        version = fields.count("version", at_least=1)
        entries, size = fields.count("entries"), fields.count("bytes")
        path = base_index_path(list_id, version=version)
        index = ObjectRef.read(fields.nested("index"), path=path, limit=limits.MAX_BASE_INDEX)
        return cls(version, entries, size, index, fields.moment("built_at"), fields.rest)

    def to_json(self) -> dict[str, Any]:
        counts = {"version": self.version, "entries": self.entries, "bytes": self.bytes}
        return {**counts, "index": self.index.to_json(), "built_at": write_time(self.built_at), **self.extra}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A list at one content version.

    `algorithms[0]` is the key. `entries` counts the live rows at `version`, lapsed ones included. `published_at` is an
    aware UTC time of whole seconds. `segments` run in version order. `extra` holds fields of newer versions.
    """

    list_id: str
    list_name: str
    version: int
    algorithms: tuple[str, ...]
    scheme: str
    columns: tuple[str, ...]
    published_at: datetime
    entries: int
    base: Base
    segments: tuple[Segment, ...] = ()
    status: str = "active"
    redistribution: Redistribution = Redistribution()
    poll_seconds: int = 300
    requires: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)
    list_extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, body: bytes) -> Manifest:
        """From bytes whose digest was checked. Raises UnknownRequirement before looking at anything that a
        requirement may have changed, and MalformedManifest for every other fault; the chain is checked too.
        """
        document = read_object(body, limit=limits.MAX_MANIFEST, error=MalformedManifest, what="manifest")
        fields = Fields(document, where="manifest", error=MalformedManifest)
        requires = _requirements(fields)
        manifest = _read_manifest(fields, requires)
        check_chain(manifest)
        return manifest

    def to_bytes(self) -> bytes:
        """The document; `Manifest.parse(m.to_bytes()) == m`."""
        return write_object(
            {
                "format": FORMAT,
                "requires": list(self.requires),
                "list": {"id": self.list_id, "name": self.list_name, **self.list_extra},
                "version": self.version,
                "status": self.status,
                "algorithms": list(self.algorithms),
                "scheme": self.scheme,
                "columns": list(self.columns),
                "published_at": write_time(self.published_at),
                "entries": self.entries,
                "redistribution": self.redistribution.to_json(),
                "poll_seconds": self.poll_seconds,
                "base": self.base.to_json(),
                "segments": [segment.to_json() for segment in self.segments],
                **self.extra,
            }
        )

    def object_refs(self) -> Iterator[ObjectRef]:
        """The objects it names itself: the base index, then the segments; shards are named by the base index."""
        yield self.base.index
        for segment in self.segments:
            yield segment.object

    @property
    def publisher(self) -> str:
        """The publisher's domain."""
        return self.list_name.partition("/")[0]


def _requirements(fields: Fields) -> tuple[str, ...]:
    if fields.text("format") != FORMAT:
        fields.fail(f"format is not {FORMAT}")
    requires = fields.texts("requires", limit=MAX_REQUIREMENTS)
    unknown = [name for name in requires if name not in KNOWN_REQUIREMENTS]
    if unknown:
        message = f"The list uses {', '.join(unknown)}, which this version of hashshare does not know."
        raise UnknownRequirement(message, requires=unknown)
    return requires


def _poll_seconds(fields: Fields) -> int:
    seconds = fields.count("poll_seconds", at_least=1)
    if seconds > MAX_POLL_SECONDS:
        fields.fail(f"poll_seconds is above {MAX_POLL_SECONDS}")
    return seconds


def _read_manifest(fields: Fields, requires: tuple[str, ...]) -> Manifest:
    identity = fields.nested("list")
    list_id = identity.text("id", pattern=LIST_ID)
    status = fields.text("status")
    if status not in STATUSES:
        fields.fail(f"status is not one of {', '.join(STATUSES)}")
    algorithms = fields.texts("algorithms", pattern=WORD, limit=limits.MAX_ALGORITHMS)
    if not algorithms:
        fields.fail("algorithms is empty")
    segments = fields.each("segments", limit=limits.MAX_SEGMENTS_IN_CHAIN)
    return Manifest(
        list_id=list_id,
        list_name=identity.text("name", pattern=LIST_NAME, limit=320),
        version=fields.count("version", at_least=1),
        algorithms=algorithms,
        scheme=fields.text("scheme", pattern=WORD),
        columns=fields.texts("columns", pattern=WORD, limit=MAX_COLUMNS),
        published_at=fields.moment("published_at"),
        entries=fields.count("entries"),
        base=Base.read(fields.nested("base"), list_id=list_id),
        segments=tuple(Segment.read(segment, list_id=list_id) for segment in segments),
        status=status,
        redistribution=Redistribution.read(fields.nested("redistribution")),
        poll_seconds=_poll_seconds(fields),
        requires=requires,
        extra=fields.rest,
        list_extra=identity.rest,
    )

"""What is held of one list, object by object: the content of its store's current.json."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import HashshareError
from hashshare.wire.objects import ObjectRef

FORMAT: Final = "hashshare-store/1"


@dataclass(frozen=True, slots=True)
class HeldObject:
    """A segment as the signed documents describe it: a base shard (`from_version` 0, `to_version` the base's) or a
    delta. `path` is its TUF target path, <list-id>/<name>. `low` and `high`: a shard's first and last `p`, as the base
    index has them.
    """

    sha256: str
    length: int
    rows: int
    withdrawals: int
    from_version: int
    to_version: int
    path: str
    low: str = ""
    high: str = ""

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef(self.path, self.length, self.sha256)


@dataclass(frozen=True, slots=True)
class Loss:
    """What the syncs of one `day` (UTC, ISO 8601) took: `lost` entries of the `held` ones, between two versions."""

    day: str
    from_version: int
    to_version: int
    held: int
    lost: int


@dataclass(frozen=True, slots=True)
class Held:
    """The content of current.json. Times are ISO 8601 UTC; `earlier` only tells a publisher what was withdrawn.

    `deltas` are the manifest's segments past its base. `purged`: no row that was withdrawn at this version or before is
    left in this folder, though later withdrawals may still have theirs, hidden by their tombstones. `losses`: of the
    days that are watched (client.losses), swapped with the version that took them, so that a kill forgets none.
    """

    list_id: str
    name: str
    version: int
    role_version: int
    status: str
    algorithms: tuple[str, ...]
    scheme: str
    columns: tuple[str, ...]
    entries: int
    manifest_sha256: str
    published_at: str
    applied_at: str
    purged: int
    base_version: int
    base_index_sha256: str
    base: tuple[HeldObject, ...]
    deltas: tuple[HeldObject, ...]
    earlier: tuple[HeldObject, ...] = ()
    losses: tuple[Loss, ...] = ()

    @property
    def publisher(self) -> str:
        return self.name.partition("/")[0]

    @property
    def objects(self) -> tuple[HeldObject, ...]:
        return self.base + self.deltas + self.earlier

    @property
    def fmt(self) -> ListFormat:
        return ListFormat(self.algorithms, self.scheme, self.columns)

    @property
    def purgeable(self) -> int:
        """What `purged` is once nothing but these objects is left: a tombstone's row may lie in what came before it."""
        first = next((part for part in self.deltas if part.withdrawals), None)
        return self.version if first is None else max(first.from_version, self.base_version)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Held:
        """Raises HashshareError when the file is not of this format."""
        try:
            # Records from before losses stood in them have none.
            document = {"losses": [], **document}
            fields = {field.name: document[field.name] for field in dataclasses.fields(cls)}
            for name in ("algorithms", "columns"):
                fields[name] = tuple(fields[name])
            for name in ("base", "deltas", "earlier"):
                fields[name] = tuple(HeldObject(**record) for record in fields[name])
            fields["losses"] = tuple(Loss(**record) for record in fields["losses"])
            if document["format"] != FORMAT:
                raise KeyError("format")
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise HashshareError("It is damaged or of another version of hashshare.") from error

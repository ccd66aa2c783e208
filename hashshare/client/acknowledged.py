"""What the hub was told of a list: the content of its folder's `acknowledgement.json`. Nothing here asks the hub."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hashshare.client.home import Home, read_json, write_json
from hashshare.client.store import Held, ListStore
from hashshare.wire.errors import HashshareError

FORMAT: Final = "hashshare-acknowledged/1"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a statement says of a list."""

    version: int
    purged: int
    manifest_sha256: str

    @classmethod
    def of(cls, held: Held) -> Claim:
        return cls(held.version, held.purged, held.manifest_sha256)


@dataclass(frozen=True, slots=True)
class Pending:
    """`statement` is the signed document; `why` and `tried_at` say what kept it back.

    `state`: pending | unsupported (the hub takes none) | declined (none of ours). The last two are not offered at every
    poll.
    """

    claim: Claim
    statement: str
    state: str = "pending"
    why: str = ""
    tried_at: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """The content of acknowledgement.json. `unseen`: {statement's SHA-256: when it was taken}, without receipt yet."""

    taken: Claim | None = None
    taken_at: str = ""
    pending: Pending | None = None
    unseen: dict[str, str] = dataclasses.field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, document: dict[str, Any] | None) -> Told:
        """Nothing was told if the file is damaged or of another version: telling it twice does no harm."""
        try:
            found = dict(document or {})
            if found.pop("format", FORMAT) != FORMAT:
                return cls()
            if found.get("taken"):
                found["taken"] = Claim(**found["taken"])
            if found.get("pending"):
                pending = dict(found["pending"])
                found["pending"] = Pending(**{**pending, "claim": Claim(**pending["claim"])})
            return cls(**found)
        except TypeError:
            return cls()


def path_of(store: ListStore) -> Path:
    """Beside the list for the hub whose enrolment lies in the home itself; each hub is told for itself."""
    return store.home.account / "lists" / store.list_id / "acknowledgement.json"


def told(store: ListStore) -> Told:
    try:
        return Told.from_json(read_json(path_of(store)))
    except HashshareError:
        return Told()


def told_most(home: Home, list_id: str) -> Told:
    """What the hub was told that knows the newest version applied here: the first, unless another has delivered."""
    found = [told(ListStore(home.at(hub), list_id)) for hub in home.hubs]
    return max(found, key=lambda state: state.taken.version if state.taken else -1)


def save_told(store: ListStore, state: Told) -> None:
    write_json(path_of(store), state.to_json())

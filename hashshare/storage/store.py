"""What the hub asks of a store, whichever kind it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class InternalPath:
    """The web server in front of the hub sends the object, from this path of an `internal` location."""

    path: str


@dataclass(frozen=True, slots=True)
class PresignedUrl:
    """Whoever has the address may read the object for so many seconds: it is a credential."""

    url: str
    seconds: int

    def __repr__(self) -> str:
        return f"PresignedUrl(seconds={self.seconds})"


class ObjectStore(Protocol):
    """Immutable objects by key; see `keys.object_key`. A missing one is FileNotFoundError everywhere."""

    def receive(self, key: str, chunks: Iterable[bytes], *, limit: int) -> int:
        """Keep the bytes, hashed while they come; their length. Raises TooLarge, WrongDigest, and keeps nothing then.

        Nobody ever sees a part of an object.
        """

    def length(self, key: str) -> int | None:
        """Bytes that are there; None: no such object."""

    def local(self, key: str) -> Path:
        """A file on this machine with the object's bytes, to be read within the hour and never written."""

    def read(self, key: str, *, first: int, length: int) -> Iterator[bytes]:
        """Blocks of a part. A missing object shows at the call, not at the first block."""

    def address(self, key: str) -> InternalPath | PresignedUrl | None:
        """Who sends the object in the hub's place; None: the hub itself."""

    def delete(self, key: str) -> None:
        """Without complaint if there is no such object."""

    def drop_unfinished(self, *, before: datetime) -> None:
        """Remove what killed processes left of objects on their way and was not written to since."""

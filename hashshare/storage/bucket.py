"""Objects in a bucket of S3-compatible storage. The engine reads copies on this machine, members the bucket itself."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashshare.storage.checkouts import MODE, Checkouts
from hashshare.storage.files import BLOCK, write_hashed
from hashshare.storage.keys import digest_of, is_draft, media_type_of
from hashshare.storage.place import BucketPlace
from hashshare.storage.store import PresignedUrl

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

CACHE_CONTROL = "private, max-age=31536000, immutable"
PART = 8 * 1024 * 1024
PARTS_AT_ONCE = 4
"""Of an upload, each of PART bytes: what one object on its way to the bucket takes of memory."""
RETRIES = 5
PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class BucketStore:
    """`s3://<bucket>/<prefix>/<list-id>/<sha256>.<name>`. Thread-safe; no requests are made before it is used.

    Trouble of the storage is OSError, and nothing of the request is repeated in it.
    """

    place: BucketPlace
    remote: S3Store = field(init=False, repr=False)
    signer: S3Store = field(init=False, repr=False)
    checkouts: Checkouts = field(init=False)

    def __post_init__(self) -> None:
        place = self.place
        object.__setattr__(self, "remote", client(place, place.endpoint))
        object.__setattr__(self, "signer", client(place, place.public_endpoint or place.endpoint))
        object.__setattr__(self, "checkouts", Checkouts(place.checkouts, place.checkouts_bytes))

    def receive(self, key: str, chunks: Iterable[bytes], *, limit: int) -> int:
        """First whole and checked into a private file here, then to the bucket, where it appears at once or never."""
        import obstore

        part = self.checkouts.part(key)
        try:
            length = write_hashed(part, chunks, digest=digest_of(key), limit=limit, mode=MODE)
            attributes = {"Content-Type": media_type_of(key), "Cache-Control": CACHE_CONTROL}
            with storage_errors(key):
                obstore.put(
                    self.remote, key, part, attributes=attributes, chunk_size=PART, max_concurrency=PARTS_AT_ONCE
                )
            self.checkouts.adopt(key, part)
        finally:
            part.unlink(missing_ok=True)
        return length

    def length(self, key: str) -> int | None:
        import obstore

        try:
            with storage_errors(key):
                return int(obstore.head(self.remote, key)["size"])
        except FileNotFoundError:
            return None

    def local(self, key: str) -> Path:
        return self.checkouts.get(key, lambda: self.blocks(key, {}))

    def read(self, key: str, *, first: int, length: int) -> Iterator[bytes]:
        if length == 0:
            return iter(())
        return self.blocks(key, {"range": (first, first + length)})

    def blocks(self, key: str, options: Any) -> Iterator[bytes]:
        """Asks for the object at once and hands on its bytes as they come."""
        import obstore

        with storage_errors(key):
            stream = obstore.get(self.remote, key, options=options).stream(BLOCK)

        def passed_on() -> Iterator[bytes]:
            with storage_errors(key):
                for block in stream:
                    yield bytes(block)

        return passed_on()

    def address(self, key: str) -> PresignedUrl | None:
        """Signed here, without a request, unless the keys themselves have to be fetched."""
        import obstore

        seconds = self.place.url_seconds
        if not seconds or is_draft(key):
            return None
        with storage_errors(key):
            return PresignedUrl(obstore.sign(self.signer, "GET", key, timedelta(seconds=seconds)), seconds)

    def delete(self, key: str) -> None:
        import obstore

        with contextlib.suppress(FileNotFoundError), storage_errors(key):
            obstore.delete(self.remote, key)
        self.checkouts.drop(key)

    def drop_unfinished(self, *, before: datetime) -> None:
        """Here only; unfinished uploads at the bucket are its lifecycle rule's (docs/operations.md)."""
        self.checkouts.drop_unfinished(before=before)


def client(place: BucketPlace, endpoint: str) -> S3Store:
    from obstore.store import S3Store

    config: S3Config = {"region": place.region, "virtual_hosted_style_request": not place.path_style}
    # One DELETE an object is what every storage knows.
    config["disable_bulk_delete"] = True
    if endpoint:
        config["endpoint"] = endpoint
    if place.access_key_id:
        config["access_key_id"] = place.access_key_id
        config["secret_access_key"] = place.secret_access_key
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        config=config,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": "10 seconds",
            "read_timeout": "60 seconds",
            # Of a whole request: an object may take its time, a connection that is silent ends by the one above.
            "timeout": "3600 seconds",
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": PATIENCE},
    )


_users: set[int] = set()
"""The process that uses the library, by its id."""


@contextlib.contextmanager
def storage_errors(key: str) -> Iterator[None]:
    """The library's exceptions as FileNotFoundError and OSError."""
    from obstore.exceptions import BaseError

    _users.add(os.getpid())
    if len(_users) > 1:
        # Its threads don't come along in a fork, and a call would wait for them for ever.
        raise OSError("Object storage was used before this process was forked; start the program anew.")
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise OSError(f"The object storage does not do what was asked of {key} ({type(error).__name__}).") from error

"""Backups made by hand, without a hub: a dump of some bytes and objects of random ones."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hashshare.backup.description import Description
from hashshare.backup.names import DESCRIPTION, DUMP, KEYS, object_member
from hashshare.backup.sealed_keys import seal_keys
from hashshare.backup.writers import Tally, writing

WORDS = "a passphrase of words"
KEYS_HELD = {"online.pem": b"a private key"}


def objects(count: int = 3) -> dict[str, bytes]:
    """Storage key -> content."""
    bodies = [secrets.token_bytes(700) for _ in range(count)]
    return {f"{'ab' * 8}/{hashlib.sha256(body).hexdigest()}.base-1-0000.parquet": body for body in bodies}


def make(
    target: Path,
    *,
    dump: bytes = b"a dump",
    held: dict[str, bytes] | None = None,
    migrations: str = "0001_first",
    federation: str = "0001_first",
    postgresql: int = 15,
) -> Description:
    """A backup at `target`, whole."""
    with writing(target, made_at=0) as writer, tempfile.TemporaryFile() as lines:
        tally = Tally(writer, lines)
        tally.add(DUMP, len(dump), [dump])
        for key, body in sorted((objects() if held is None else held).items()):
            tally.add(object_member(key), len(body), [body])
        made = Description(
            id="0" * 32,
            made_at=datetime(2026, 11, 28, tzinfo=UTC),
            name="North",
            url="https://north.example",
            software="0.1.0",
            postgresql=postgresql,
            migrations={"hashshare": migrations, "federation": federation, "gone": "0007_since"},
            objects="copied",
            files=tally.files,
            size=tally.size,
            sums=tally.close(),
        )
        sealed = seal_keys(KEYS_HELD, passphrase=WORDS, bound_to=made.bound())
        writer.add(KEYS, len(sealed), [sealed])
        made = replace(made, keys=hashlib.sha256(sealed).hexdigest())
        writer.add(DESCRIPTION, len(made.to_bytes()), [made.to_bytes()])
    return made

"""Making a backup while the hub runs: one moment of the database, then the objects that it names, then the keys.

Objects never change, so those that came later do no harm, and the only ones that may have gone meanwhile are those that
were to be pruned anyway.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from config.postgres import dumps
from hashshare.backup import sealed_keys
from hashshare.backup.description import COPIED, NAMED, Description
from hashshare.backup.names import DESCRIPTION, DUMP, KEY_FILE, KEYS, object_member
from hashshare.backup.names import NAMED as NAMED_FILE
from hashshare.backup.sums import named_line
from hashshare.backup.writers import Tally, Writer, writing
from hashshare.models import StoredObject
from hashshare.selectors.hub import installed_version
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire.errors import HashshareError, MissingObject

WITHOUT_ROWS: Final = ("django_session", "hashshare_usednonce")
"""Nobody is signed in after a restore, and nonces are out of date by then."""

AT_ONCE: Final = 2000
"""Rows of objects that are fetched together."""

SECRET_KEY: Final = "secret-key"  # noqa: S105 (a file's name)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """`gone`: objects that were to be pruned, and were, between the database's moment and their copying."""

    target: Path
    description: Description
    gone: int


def make_backup(target: Path, *, passphrase: str, copy_objects: bool, say: Say = lambda _: None) -> Made:
    """A new backup at `target`, a folder or a .tar file, whole or not at all.

    `copy_objects`: into the backup; else they are named with their digests, for what lies in a bucket of its own care.
    Raises UsageError, MissingObject for an object that a served list lacks, PrivatePostgresFailed, OSError.
    """
    sealed_keys.check_passphrase(passphrase)
    now = datetime.now(UTC).replace(microsecond=0)
    with (
        writing(target, made_at=int(now.timestamp())) as writer,
        tempfile.TemporaryFile(dir=target.parent) as lines,
    ):
        tally = Tally(writer, lines)
        with transaction.atomic():
            place = _dump(tally, target.parent, say)
            say("objects: those that the database names")
            gone = _copy_objects(tally) if copy_objects else _name_objects(tally, target.parent)
            migrations = _migrations()
        made = Description(
            id=secrets.token_hex(16),
            made_at=now,
            name=settings.HASHSHARE_NAME[:500],
            url=settings.HASHSHARE_PUBLIC_URL[:500],
            software=installed_version(),
            postgresql=place.programs.major,
            migrations=migrations,
            objects=COPIED if copy_objects else NAMED,
            files=tally.files,
            size=tally.size,
            sums=tally.close(),
        )
        return Made(target, _seal(writer, made, passphrase), gone)


def _dump(tally: Tally, folder: Path, say: Say) -> dumps.Place:
    """The moment of this transaction, which goes on with the same view for the objects."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        ((snapshot,),) = cursor.fetchall()
    place = dumps.place_of(connection.settings_dict, server_major=server_major())
    say(f"database: pg_dump {place.programs.version}")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".backup-") as work:
        path = Path(work) / DUMP
        dumps.dump(place, path, snapshot=snapshot, without_rows=WITHOUT_ROWS)
        tally.add_file(DUMP, path)
    return place


def server_major() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.server_version) // 10_000


def _rows() -> Iterator[StoredObject]:
    rows = StoredObject.objects.select_related("list").order_by("list__tuf_id", "digest", "name")
    return rows.iterator(chunk_size=AT_ONCE)


def _copy_objects(tally: Tally) -> int:
    """How many were gone."""
    store, gone = object_store(), 0
    for row in _rows():
        key = object_key(row.list.tuf_id, row.digest, row.name)
        try:
            digest = tally.add(object_member(key), row.length, store.read(key, first=0, length=row.length))
        except FileNotFoundError:
            gone += _may_be_gone(row, key)
            continue
        if digest != row.digest:
            raise MissingObject(
                f"The object {key} is damaged in the store. No backup was made.",
                next_step="Its publisher's program sends it again with its next publication, or take it from an older "
                "backup; a backup that lacks it would not be one.",
            )
    return gone


def _name_objects(tally: Tally, folder: Path) -> int:
    """The same where the objects stay in their store: their digests and lengths, and that they are there."""
    store, gone = object_store(), 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".backup-") as file:
        for row in _rows():
            key = object_key(row.list.tuf_id, row.digest, row.name)
            if store.length(key) is None:
                gone += _may_be_gone(row, key)
            else:
                file.write(named_line(row.digest, row.length, object_member(key)))
        file.flush()
        tally.add_file(NAMED_FILE, Path(file.name))
    return gone


def _may_be_gone(row: StoredObject, key: str) -> int:
    """1 for what was to be pruned. Raises MissingObject for what is served."""
    if row.published_at is None or row.superseded_at is not None:
        return 1
    raise MissingObject(
        f"The object {key} is named by a list that is served, and is not in the store. No backup was made.",
        next_step="Ask its publisher to publish again, or put it back from an older backup.",
    )


def _migrations() -> dict[str, str]:
    """The newest of each application."""
    applied = MigrationRecorder(connection).applied_migrations()
    return {app: name for app, name in sorted(applied)}  # noqa: C416 - the last of each wins


def _seal(writer: Writer, made: Description, passphrase: str) -> Description:
    body = sealed_keys.seal_keys(hub_files(), passphrase=passphrase, bound_to=made.bound())
    writer.add(KEYS, len(body), [body])
    whole = replace(made, keys=hashlib.sha256(body).hexdigest())
    description = whole.to_bytes()
    writer.add(DESCRIPTION, len(description), [description])
    return whole


def hub_files() -> dict[str, bytes]:
    """Every file among the hub's keys, and the secret key that signs tokens, by name.

    Raises HashshareError when there is one that cannot be put into a backup.
    """
    folder, secret = Path(settings.HASHSHARE_KEYS), Path(settings.HASHSHARE_DATA) / SECRET_KEY
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    found = {}
    for path in [*paths, *([secret] if secret.is_file() else [])]:
        if not KEY_FILE.fullmatch(path.name) or path.stat().st_size > sealed_keys.MAX_FILE or path.name in found:
            raise HashshareError(f"{path} lies among the hub's keys and cannot be one. Move it elsewhere.")
        found[path.name] = path.read_bytes()
    return found

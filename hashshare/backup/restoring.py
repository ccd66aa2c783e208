"""Bringing a hub back from a backup that was found whole. Until the last step is done, no part of the hub starts.

1. Read and check every byte of the backup. Nothing was touched until here.
2. See that nothing is in the way, or that it is meant: it is put aside then, not removed.
3. Put objects, keys and the database in place, this one in a single transaction. Each byte is held against what was
   checked as it goes in: for a backup that was changed meanwhile, all that was put aside is put back.
4. Bring the tables to this version, and note that the hub is a restored one: it changes and signs nothing until
   `manage.py recover`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from config.postgres import PrivatePostgresFailed, dumps
from config.unfinished import mark_finished, mark_unfinished, unfinished
from hashshare.backup import target
from hashshare.backup.checking import Checked, as_checked, check_backup
from hashshare.backup.description import NAMED as NAMED_ONLY
from hashshare.backup.making import SECRET_KEY, server_major
from hashshare.backup.names import DUMP, NAMED, object_key_of
from hashshare.backup.readers import LAST, members, spooled
from hashshare.backup.sums import read_named
from hashshare.backup.tape import Member
from hashshare.durable import replace_file
from hashshare.services.recovery import note_restored
from hashshare.storage import object_store
from hashshare.wire.errors import BadBackup, TooLarge, UsageError, WrongDigest

Say = Callable[[str], None]

SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Restored:
    """`database` and `keys`: where what was here before was put aside, None if nothing was. `lacking`: storage keys of
    the first objects that neither the backup nor the store has, of `lacking_count`.
    """

    checked: Checked
    objects: int
    database: str | None
    keys: Path | None
    lacking: tuple[str, ...] = ()
    lacking_count: int = 0


def restore_backup(
    source: Path, *, passphrase: str, over: bool, accept_missing: bool = False, say: Say = lambda _: None
) -> Restored:
    """The hub as it was. `over`: though one is here. `accept_missing`: though objects are in no place any more.

    Raises BadBackup, UsageError: what was here is untouched, or was put back. Raises PrivatePostgresFailed, OSError;
    what was here is untouched unless the message says otherwise.
    """
    folder, now = Path(settings.HASHSHARE_DATA), datetime.now(UTC)
    with target.hub_stopped(folder):
        say(f"checking every byte of {source}")
        checked = check_backup(source, passphrase=passphrase)
        check_fits(checked)
        begun = unfinished(folder)
        if begun is None:
            check_free(over)
        lacking = lacking_objects(checked) if checked.description.objects == NAMED_ONLY else []
        if lacking and not accept_missing:
            raise BadBackup(
                f"{len(lacking)} objects are named by the backup and not in the store, the first {lacking[0]}.",
                next_step="Point the hub at the store that has them, or say --accept-missing. Nothing was changed.",
            )
        facts = {**(begun or target.aside_names(now)), "source": str(source.absolute())}
        mark_unfinished(folder, facts)
        keys = Path(facts["keys"]) if facts.get("keys") else None
        try:
            count = put_in_place(checked, folder, database=facts.get("database"), keys=keys, say=say)
        except (BadBackup, WrongDigest, TooLarge) as error:
            put_back(checked, folder, database=facts.get("database"), keys=keys)
            raise BadBackup(
                f"The backup was changed while it was restored: {error.message} Everything is as it was before.",
                next_step="See that nobody writes to it, then restore again; or take another backup.",
            ) from error
        note_restored(backup_id=checked.description.id, made_at=checked.description.made_at, now=now)
        mark_finished(folder)
    return Restored(checked, count, facts.get("database"), keys, tuple(lacking[:SHOWN]), len(lacking))


def check_fits(checked: Checked) -> None:
    """Raises BadBackup for one that this version, or this database, cannot take."""
    about = checked.description
    if about.postgresql > server_major():
        raise BadBackup(
            f"The backup's database was dumped by PostgreSQL {about.postgresql}; this server is PostgreSQL "
            f"{server_major()}, which may not read it.",
            next_step=f"Install PostgreSQL {about.postgresql} (HASHSHARE_PG_BIN) or name such a server.",
        )
    known = set(MigrationLoader(None).disk_migrations)
    here = {app for app, _ in known}
    newer = [app for app, name in about.migrations.items() if app in here and (app, name) not in known]
    if newer or "hashshare" not in about.migrations:
        raise BadBackup(
            f"The backup was made by hashshare {about.software}, whose database this version does not know.",
            next_step="Install that version or a newer one, and restore again.",
        )


def check_free(over: bool) -> None:
    """Raises UsageError when a hub with data is here and was not said to be replaced."""
    found = target.what_is_here()
    if found and not over:
        raise UsageError(
            f"There is a hub here: {'; '.join(found)}. Nothing was changed.",
            next_step="Restore into an empty data folder and database; or say --over, which puts this hub aside.",
        )


def lacking_objects(checked: Checked) -> list[str]:
    """Storage keys of what the backup names and the store has not, or has in another length."""
    store = object_store()
    for member in members(checked.source):
        if member.name == NAMED:
            with spooled(replace(member, blocks=as_checked(member, checked.digests[NAMED]))) as file:
                return [key for key, length in read_named(file) if store.length(key) != length]
    return []


def put_in_place(checked: Checked, folder: Path, *, database: str | None, keys: Path | None, say: Say) -> int:
    """How many objects. `database` and `keys` are where what was here goes; all of it may be done twice."""
    target.put_keys_aside(keys, folder / SECRET_KEY)
    target.clear_database(database)
    place_keys(checked.keys, folder)
    objects = files = 0
    for member in members(checked.source):
        key = object_key_of(member.name)
        files += member.name not in LAST
        if key is not None:
            objects += 1
            object_store().receive(key, member.blocks, limit=member.length)
        elif member.name == DUMP:
            say(f"database: {member.length:,} bytes of pg_dump {checked.description.postgresql}")
            fill_database(member, checked.digests[DUMP])
    if files != checked.description.files:
        raise BadBackup(f"It had {checked.description.files} files when it was checked, and {files} now.")
    say(f"objects: {objects:,}")
    call_command("migrate", interactive=False, verbosity=0)
    return objects


def fill_database(member: Member, digest: str) -> None:
    """From the dump, all of it or nothing. Raises BadBackup when it is not what was checked, PrivatePostgresFailed."""
    place = dumps.place_of(connection.settings_dict, server_major=server_major())
    blocks = as_checked(member, digest)
    try:
        dumps.restore(place, blocks)
    except PrivatePostgresFailed:
        # A change that pg_restore stumbles over is said to be one.
        for _ in blocks:
            pass
        raise


def put_back(checked: Checked, folder: Path, *, database: str | None, keys: Path | None) -> None:
    """What `put_in_place` had put aside; may be done twice. Objects stay: each is what its name says, and no harm."""
    target.put_database_back(database)
    target.put_keys_back(keys, folder / SECRET_KEY, placed=[key_path(name, folder) for name in checked.keys])
    mark_finished(folder)


def place_keys(files: dict[str, bytes], folder: Path) -> None:
    for name, body in files.items():
        replace_file(key_path(name, folder), body)


def key_path(name: str, folder: Path) -> Path:
    return (folder if name == SECRET_KEY else Path(settings.HASHSHARE_KEYS)) / name

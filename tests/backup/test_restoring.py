"""A backup of a real database brings the hub back; killed anywhere, it is either what it was or does not start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from config.postgres import dumps
from config.unfinished import mark_unfinished, refuse_unfinished, unfinished
from hashshare.backup import restoring, target
from hashshare.backup.making import make_backup
from hashshare.backup.restoring import restore_backup
from hashshare.hub_keys import hub_keys
from hashshare.models import HashList, Organisation, Restoration, StoredObject
from hashshare.storage import object_store
from hashshare.storage.keys import object_key
from hashshare.wire.errors import BadBackup, MissingObject, UsageError
from tests import builders as b
from tests.backup.archives import WORDS, make

pytestmark = pytest.mark.django_db(transaction=True)


class KilledError(BaseException):
    """As SIGKILL ends a process: nothing catches it."""


def objects() -> list[str]:
    return [object_key(it.list.tuf_id, it.digest, it.name) for it in StoredObject.objects.select_related("list")]


def changed_since(settings: Settings) -> str:
    """Another organisation came, the objects are gone, and the keys are others; the key id of before."""
    before = hub_keys().online.public_key.keyid
    b.member("Newcomer")
    shutil.rmtree(settings.HASHSHARE_OBJECTS)
    settings.HASHSHARE_OBJECTS.mkdir()
    for path in settings.HASHSHARE_KEYS.iterdir():
        path.unlink()
    assert hub_keys().online.public_key.keyid != before
    return before


def check_restored(keyid: str) -> None:
    assert set(Organisation.objects.values_list("name", flat=True)) == {"Aurora"}
    assert HashList.objects.get().version == 1
    assert all(object_store().length(key) for key in objects())
    assert hub_keys().online.public_key.keyid == keyid
    assert Restoration.objects.get().recovered_at is None


def aside(schema: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{schema}".hashshare_organisation')
        return int(cursor.fetchone()[0])


def test_it_brings_back_everything_and_puts_aside_what_was_here(kept: Path, settings: Settings) -> None:
    keyid = changed_since(settings)
    with pytest.raises(UsageError, match=r"There is a hub here.*Nothing was changed"):
        restore_backup(kept, passphrase=WORDS, over=False)
    assert Organisation.objects.count() == 2
    done = restore_backup(kept, passphrase=WORDS, over=True)
    check_restored(keyid)
    assert done.database is not None and done.keys is not None
    assert aside(done.database) == 2
    assert {"online.pem", "standby.pub"} <= {path.name for path in done.keys.iterdir()}
    refuse_unfinished(settings.HASHSHARE_DATA)


STEPS = [
    (target, "put_keys_aside", "after"),
    (target, "clear_database", "before"),
    (target, "clear_database", "after"),
    (dumps, "restore", "after"),
    (restoring, "note_restored", "before"),
    (restoring, "mark_finished", "before"),
]
"""Where what is there differs: a kill within a step is one before it, each being one transaction or one rename."""


@pytest.mark.parametrize(("module", "name", "when"), STEPS, ids=[f"{when} {name}" for _, name, when in STEPS])
def test_killed_at_any_step_it_does_not_start_until_it_is_run_again(
    kept: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, when: str
) -> None:
    keyid = changed_since(settings)
    real = getattr(module, name)

    def killed(*args: Any, **options: Any) -> None:
        if when == "after":
            real(*args, **options)
        raise KilledError

    with monkeypatch.context() as broken:
        broken.setattr(module, name, killed)
        with pytest.raises(KilledError):
            restore_backup(kept, passphrase=WORDS, over=True)
    with pytest.raises(ImproperlyConfigured, match=f"Run again: manage.py restore {kept}"):
        refuse_unfinished(settings.HASHSHARE_DATA)
    done = restore_backup(kept, passphrase=WORDS, over=False)
    assert done.database is not None
    assert aside(done.database) == 2
    check_restored(keyid)
    assert unfinished(settings.HASHSHARE_DATA) is None


def test_nothing_is_touched_for_a_backup_that_is_refused(kept: Path, settings: Settings, tmp_path: Path) -> None:
    body = bytearray(kept.read_bytes())
    body[len(body) // 2] ^= 1
    kept.write_bytes(body)
    before = hub_keys().online.public_key.keyid
    with pytest.raises(CommandError):
        call_command("restore", str(kept), "--over")
    with pytest.raises(BadBackup):
        restore_backup(kept, passphrase=WORDS, over=True)
    assert (Organisation.objects.count(), hub_keys().online.public_key.keyid) == (1, before)
    assert unfinished(settings.HASHSHARE_DATA) is None


def valid(settings: Settings, backup: Path, tmp_path: Path) -> None:
    """Another dump of the same database, in which nothing is wrong but that nobody has checked it."""
    shutil.copy(tmp_path / "other" / "database.dump", backup / "database.dump")


def damaged(settings: Settings, backup: Path, tmp_path: Path) -> None:
    body = bytearray((backup / "database.dump").read_bytes())
    body[len(body) // 2] ^= 1
    (backup / "database.dump").write_bytes(body)


def cut_off(settings: Settings, backup: Path, tmp_path: Path) -> None:
    os.truncate(backup / "database.dump", 1_000)


def wrong_object(settings: Settings, backup: Path, tmp_path: Path) -> None:
    path = next((backup / "objects").rglob("*.parquet"))
    path.write_bytes(bytes(path.stat().st_size))


def longer_object(settings: Settings, backup: Path, tmp_path: Path) -> None:
    path = next((backup / "objects").rglob("*.parquet"))
    path.write_bytes(path.read_bytes() + b"more")


@pytest.mark.parametrize("change", [valid, damaged, cut_off, wrong_object, longer_object])
def test_a_backup_that_is_changed_after_it_was_checked_changes_nothing(
    hub: b.Feed, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    kept = make_backup(tmp_path / "kept", passphrase=WORDS, copy_objects=True).target
    b.member("Impostor")
    make_backup(tmp_path / "other", passphrase=WORDS, copy_objects=True)
    changed_since(settings)
    (settings.HASHSHARE_DATA / "secret-key").write_text("this hub's own")
    begun = mark_unfinished

    def meanwhile(*args: Any) -> None:
        begun(*args)
        change(settings, kept, tmp_path)

    monkeypatch.setattr(restoring, "mark_unfinished", meanwhile)
    before = set(Organisation.objects.values_list("name", flat=True))
    keyid = hub_keys().online.public_key.keyid
    with pytest.raises(BadBackup, match=r"changed while it was restored.*Everything is as it was before") as caught:
        restore_backup(kept, passphrase=WORDS, over=True)
    if change in (valid, damaged, cut_off):
        assert "database.dump was changed after it was checked" in caught.value.message
    assert set(Organisation.objects.values_list("name", flat=True)) == before
    assert not Restoration.objects.exists()
    assert hub_keys().online.public_key.keyid == keyid
    assert (settings.HASHSHARE_DATA / "secret-key").read_text() == "this hub's own"
    assert not list(settings.HASHSHARE_KEYS.glob("before-*"))
    refuse_unfinished(settings.HASHSHARE_DATA)


def test_it_refuses_another_version_s_database_by_name(hub: b.Feed, tmp_path: Path) -> None:
    make(tmp_path / "newer.tar", migrations="9999_later")
    make(tmp_path / "newer-federation.tar", federation="9999_later")
    for newer in ("newer.tar", "newer-federation.tar"):
        with pytest.raises(BadBackup, match=r"made by hashshare 0\.1\.0, whose database"):
            restore_backup(tmp_path / newer, passphrase=WORDS, over=True)
    make(tmp_path / "pg.tar", postgresql=99)
    with pytest.raises(BadBackup, match="dumped by PostgreSQL 99"):
        restore_backup(tmp_path / "pg.tar", passphrase=WORDS, over=True)


def test_objects_that_are_only_named_must_be_in_the_store(hub: b.Feed, tmp_path: Path, settings: Settings) -> None:
    made = make_backup(tmp_path / "named", passphrase=WORDS, copy_objects=False)
    assert not (made.target / "objects").exists()
    assert len((made.target / "objects.named").read_text().splitlines()) == len(objects())
    restore_backup(made.target, passphrase=WORDS, over=True)
    (settings.HASHSHARE_OBJECTS / objects()[0]).unlink()
    with pytest.raises(BadBackup, match="1 objects are named by the backup and not in the store"):
        restore_backup(made.target, passphrase=WORDS, over=True)
    done = restore_backup(made.target, passphrase=WORDS, over=True, accept_missing=True)
    assert done.lacking_count == 1


def test_a_served_object_that_is_lost_or_damaged_ends_the_backup(
    hub: b.Feed, tmp_path: Path, settings: Settings
) -> None:
    path = settings.HASHSHARE_OBJECTS / objects()[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(MissingObject, match="damaged"):
        make_backup(tmp_path / "kept", passphrase=WORDS, copy_objects=True)
    path.unlink()
    with pytest.raises(MissingObject, match="not in the store"):
        make_backup(tmp_path / "kept", passphrase=WORDS, copy_objects=True)
    StoredObject.objects.update(superseded_at=b.now())
    assert make_backup(tmp_path / "kept", passphrase=WORDS, copy_objects=True).gone == 1


def test_the_passphrase_comes_from_a_file_or_the_environment(
    hub: b.Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HASHSHARE_BACKUP_PASSPHRASE", raising=False)
    with pytest.raises(CommandError, match="HASHSHARE_BACKUP_PASSPHRASE"):
        call_command("backup", str(tmp_path / "kept"))
    (tmp_path / "words").write_text(f"{WORDS}\n")
    monkeypatch.setenv("HASHSHARE_BACKUP_PASSPHRASE_FILE", str(tmp_path / "words"))
    call_command("backup", str(tmp_path / "kept"))
    assert (tmp_path / "kept" / "backup.json").is_file()

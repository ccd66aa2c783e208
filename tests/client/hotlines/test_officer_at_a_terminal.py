"""An officer at a terminal: asked twice for a new passphrase, shown what is signed, asked before it is."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from hashshare.client.signers import is_encrypted
from hashshare.wire.fingerprints import spoken_lines
from tests.client.hotlines.desk import Desk
from tests.client.hotlines.officers import begin, officers

PATIENCE = 60.0


class Terminal:
    """The real program on a terminal of its own. What it shows is in `shown`."""

    def __init__(self, home: Path, *words: str | Path) -> None:
        self.leader, follower = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HASHSHARE_")}
        self.running = subprocess.Popen(
            [sys.executable, "-m", "hashshare", *map(str, words)],
            env=environment | {"HASHSHARE_HOME": str(home), "TERM": "dumb"},
            stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        )  # fmt: skip
        os.close(follower)
        self.shown, self.answered = "", 0
        self.deadline = time.monotonic() + PATIENCE

    def answer(self, question: str, text: str, *, hidden: bool) -> None:
        """Type `text` once the question was asked; a secret only when it would not be seen, for what is typed before
        that is thrown away.
        """
        while question not in self.shown[self.answered :]:
            assert self.read(), self.shown
        while hidden and termios.tcgetattr(self.leader)[3] & termios.ECHO:
            assert time.monotonic() < self.deadline, self.shown
            time.sleep(0.01)
        self.answered = len(self.shown)
        os.write(self.leader, text.encode() + b"\n")

    def end(self) -> int:
        while self.read():
            pass
        os.close(self.leader)
        return self.running.wait(timeout=PATIENCE)

    def read(self) -> bool:
        ready, _, _ = select.select([self.leader], [], [], max(0.0, self.deadline - time.monotonic()))
        if not ready:
            self.running.kill()
            return False
        try:
            block = os.read(self.leader, 65_536)
        except OSError:
            return False
        self.shown += block.decode(errors="replace").replace("\r\n", "\n")
        return bool(block)


def test_a_new_passphrase_is_asked_for_twice(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home", "publisher", "officer", "Anna")
    for first, second in (("quiet", "qiuet"), ("quiet water", "quiet water")):
        terminal.answer("Passphrase for the new keys", first, hidden=True)
        terminal.answer("Repeat", second, hidden=True)
    assert terminal.end() == 0, terminal.shown
    assert "quiet" not in terminal.shown
    assert "Card fingerprint" in terminal.shown
    assert is_encrypted(tmp_path / "home" / "officer" / "root.pem")


@pytest.mark.parametrize(("answer", "exit_code"), [("n", 1), ("y", 0)])
def test_an_officer_reads_and_decides(aurora: Desk, tmp_path: Path, answer: str, exit_code: int) -> None:
    people = officers(tmp_path)
    request = Path(begin(aurora, people)["request"])
    before = request.read_bytes()
    terminal = Terminal(people[0].desk.home.path, "publisher", "sign", request)
    terminal.answer("Sign root with the root key", answer, hidden=False)
    assert terminal.end() == exit_code, terminal.shown
    assert "Root takes any 2 of 3 keys." in terminal.shown
    assert terminal.shown.count("Card fingerprint") == 3
    assert (request.read_bytes() == before) == (answer == "n")
    assert ("Nothing was signed." in terminal.shown) == (answer == "n")
    content = people[1].sign(request)["content"]
    assert all(line in terminal.shown for line in spoken_lines(content))

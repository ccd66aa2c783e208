"""Commands of real processes that need not load Python and its libraries each time: `run(command, environment)`.

A program takes most of a second of a core to load what it imports, and tests of real processes give commands by the
hundred. One process per run of pytest has loaded the libraries (none of our settings, no database) and forks for each
command: what runs is a process of its own all the same, with its own environment, folder, streams and exit status.
Where a test is about starting, killing or installing a program, it is started the usual way (`Machine.start`, `Hubs`).
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, NoReturn

ROOT: Final = Path(__file__).resolve().parents[1]
LIBRARIES: Final = (
    "celery",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.db.models",
    "environs",
    "hashshare.client.cli.app",
    "hashshare.wire.log",
    "psycopg",
)
"""What the commands import sooner or later, of which nothing reads settings as it is imported."""
LONGEST: Final = 1 << 20
"""Bytes of a command with its environment."""

Done = subprocess.CompletedProcess[str]


def run(command: Sequence[str], environment: Mapping[str, str], *, seconds: float, folder: Path = ROOT) -> Done:
    """Run `hashshare WORDS` or `manage.py WORDS` in `folder`, without input, its output as text.

    Raises subprocess.TimeoutExpired after so many seconds, having killed it.
    """
    with (
        socket.socket(socket.AF_UNIX) as line,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        line.connect(_forker())
        asked = json.dumps({"command": list(command), "environment": dict(environment), "folder": str(folder)}).encode()
        socket.send_fds(line, [len(asked).to_bytes(4, "big") + asked], [out.fileno(), err.fileno()])
        answers = line.makefile("r")
        pid = int(answers.readline())
        line.settimeout(seconds)
        try:
            status = int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(command), seconds, _text(out), _text(err)) from None
        return Done(list(command), status, _text(out), _text(err))


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


_started: list[tuple[int, str]] = []


def _forker() -> str:
    """The address of this process's own forker, started when it is first needed."""
    if not _started or _started[-1][0] != os.getpid():
        folder = tempfile.mkdtemp(prefix="fork-", dir=os.environ.get("HASHSHARE_TEST_RUN"))
        address = str(Path(folder) / "socket")
        lean = str(ROOT / "tests" / "lean")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", address],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": lean}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", "it says on standard error why it did not start"
        atexit.register(process.terminate)
        _started.append((os.getpid(), address))
    return _started[-1][1]


# --- In the process that forks ------------------------------------------------------------------------------------


def serve(address: str) -> None:
    """Fork for each who calls, until the process that started this one has ended."""
    for name in LIBRARIES:
        import_module(name)
    threads = Path("/proc/self/task")
    assert not threads.exists() or len(list(threads.iterdir())) == 1, "a fork would lose a library's threads"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(16)
        listening.settimeout(1)
        print("ready", flush=True)
        parent = os.getppid()
        while os.getppid() == parent:
            try:
                line, _ = listening.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                listening.close()
                line.settimeout(None)
                _attend(line)
            line.close()


def _attend(line: socket.socket) -> NoReturn:
    """Read one command, run it in a child, tell its process id and then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    body, files, _, _ = socket.recv_fds(line, LONGEST, 2)
    length = 4 + int.from_bytes(body[:4], "big")
    while len(body) < length:
        body += line.recv(LONGEST)
    asked = json.loads(body[4:])
    child = os.fork()
    if child == 0:
        line.close()
        _become(asked, *files)
    line.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(asked: Mapping[str, Any], out: int, err: int) -> NoReturn:
    """Be the program: with its streams, its environment and the usual answer to signals, to its exit status."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, wanted in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(given, wanted)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    os.chdir(asked["folder"])
    program, *words = asked["command"]
    sys.argv = [program, *words]
    status = 0
    try:
        if program == "manage.py":
            runpy.run_path(str(ROOT / program), run_name="__main__")
        else:
            runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = _exit_status(ended)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _exit_status(ended: SystemExit) -> int:
    """As Python itself makes it of `sys.exit(anything)`."""
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    print(ended.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    serve(sys.argv[1])

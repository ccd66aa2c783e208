"""A million rows through the browser's door: taken in, checked and published in bounded memory."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.system.analysts import UploadDesk, browser_of, hotline
from tests.system.hub import StartHub

ROWS = 1_000_000
WEB_MIB, WORKER_MIB, PROGRAM_MIB = 250, 1024, 1024
MIB = 1024


def million(path: Path) -> Path:
    with path.open("w") as file:
        file.write("SHA-256,Case,Class\n")
        for start in range(0, ROWS, 50_000):
            body = secrets.token_hex(32 * 50_000)
            file.write("".join(f"{body[i * 64 : i * 64 + 64]},{start + i},A\n" for i in range(50_000)))
    return path


def peaks(root: int) -> Iterator[tuple[int, str, int]]:
    """(process, command line, highest resident KiB) of a process and all below it."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_text()
            tasks = Path(f"/proc/{pid}/task").iterdir()
            waiting += [int(it) for task in tasks for it in (task / "children").read_text().split()]
        except OSError:
            continue
        if found := re.search(r"VmHWM:\s+(\d+) kB", status):
            yield pid, command, int(found[1])


@contextmanager
def watched(hub_pids: dict[str, int]) -> Iterator[dict[str, int]]:
    """The highest resident MiB of the web server, the workers and the program that publishes, looked at all the time:
    the last of these is gone when it is done.
    """
    highest, over = {"web": 0, "worker": 0, "program": 0}, threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for name, root in hub_pids.items():
                for _, command, peak in peaks(root):
                    kind = "program" if "hashshare.client.hosted" in command else name.split("-")[0]
                    if kind in highest:
                        highest[kind] = max(highest[kind], peak // MIB)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield highest
    finally:
        over.set()
        thread.join(timeout=30)


def upload(browser: requests.Session, desk: UploadDesk, path: Path) -> str:
    """As the page's form sends it; the draft's id."""
    address = f"{desk.hub.url}/admin/upload/"
    page = browser.get(address).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    listed = re.search(r'<option value="([0-9a-f-]{36})"', page)
    assert token
    assert listed
    fields = {"csrfmiddlewaretoken": token[1], "list": listed[1], "kind": "whole"}
    with path.open("rb") as file:
        parts: list[tuple[str, object]] = [(name, (None, value)) for name, value in fields.items()]
        parts += [("file", (path.name, file, "text/csv")), ("end", (None, "1"))]
        answer = browser.post(address, files=parts, headers={"Referer": address}, timeout=300)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text[:2000]
    return answer.url.rstrip("/").rpartition("/")[2]


@pytest.mark.slow
def test_a_million_rows_are_published_in_bounded_memory(start_hub: StartHub, tmp_path: Path) -> None:
    hub = start_hub(HASHSHARE_TIMETABLE="sweep_jobs=2")
    _, desk = hotline(hub, tmp_path, "--hosted")
    desk.do("people", "")
    path = million(tmp_path / "million.csv")
    with watched(hub.pids()) as highest:
        draft = upload(browser_of(desk, "ada"), desk, path)
        desk.do("check", draft)
        found = desk.reaches(draft, "checked", "uploaded", seconds=300)["findings"]
        assert (found["added"], found["problem_count"]) == (ROWS, 0)
        desk.do("submit", draft)
        desk.do("approve", draft)
        assert desk.reaches(draft, "published", "failed", seconds=400)["version"] == 1
    print(f"peak resident MiB: {highest}")
    assert 0 < highest["web"] <= WEB_MIB, highest
    assert 0 < highest["worker"] <= WORKER_MIB, highest
    assert 0 < highest["program"] <= PROGRAM_MIB, highest

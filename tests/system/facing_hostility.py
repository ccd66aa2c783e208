"""South, a hub with its real processes, which copies Aurora's list from North; and North, a process that lies.

South has a member, Cobalt, who reads what it serves, and a hotline of its own, Borealis, whose list it gives to North.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import requests

from tests.system.hub import ROOT, Hubs, RunningHub, StartHub, clean_environment, wait_for
from tests.system.machines import Machine, enrolled, random_csv
from tests.system.two_hubs import GRANT

DOMAIN: Final = "aurora.example"
OWN: Final = "borealis.example"
LIST: Final = f"{OWN}/images"
SETTINGS: Final = {
    "HASHSHARE_COUNTRY": "PT",
    "HASHSHARE_MIRROR_SECONDS": "1",
    "HASHSHARE_PATIENCE": "2",
    "HASHSHARE_TIMETABLE": "mirror_peers=2,relay_requests=3600,send_reports=3600,have_cosigned=3600",
}

CONSOLE: Final = """
import io, json, sys
from django.core.management import CommandError, call_command
for line in sys.stdin:
    out = io.StringIO()
    try:
        call_command(*json.loads(line), stdout=out)
        told = [0, out.getvalue()]
    except CommandError as error:
        told = [1, str(error)]
    print(json.dumps(told), flush=True)
"""
"""`manage.py` for one command after another: to begin costs more than all of them."""


class Console:
    """The operator's terminal at a hub."""

    def __init__(self, hub: RunningHub) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", CONSOLE],
            cwd=ROOT, env=hub.environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, str]:
        """`manage.py WORDS`: its exit status and what it says."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(words), file=self.process.stdin, flush=True)
        status, said = json.loads(self.process.stdout.readline())
        return int(status), str(said)

    def peer(self, *words: str) -> dict[str, Any]:
        """The document of `manage.py peer WORDS --json`, which must not fail."""
        status, said = self.run("peer", *words, "--json")
        assert status == 0, (words, said)
        found: dict[str, Any] = json.loads(said)
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@dataclass(slots=True)
class HostileHub:
    """The process of tests/system/hostile_hub.py. `north` is its name, with the `fingerprint` that is read out."""

    process: subprocess.Popen[str]
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def north(self) -> str:
        return str(self.told["north"][0])

    @property
    def fingerprint(self) -> str:
        return str(self.told["north"][1])

    @property
    def canary(self) -> str:
        return f"127.0.0.1:{self.told['canary']}"

    def does(self, deed: str, /, **arguments: Any) -> Any:
        answer = requests.post(f"http://127.0.0.1:{self.told['control']}", json={"do": deed, **arguments}, timeout=60)
        return answer.json()

    def calls(self, what: str, /, who: str = "north", **arguments: Any) -> list[Any]:
        """Status and problem that South answers to a request of `hostile_calls`."""
        return list(self.does("call", who=who, what=what, **arguments))


@dataclass(slots=True)
class Facing:
    """`held` are the digests of what South served of Aurora when all was well last, by path."""

    south: RunningHub
    console: Console
    hostile: HostileHub
    borealis: Machine
    reader: str
    list_id: str
    held: dict[str, str] = field(default_factory=dict)

    # --- what a person at South does and sees ---

    def peer(self, *words: str) -> dict[str, Any]:
        return self.console.peer(*words)

    def refused(self, *words: str) -> str:
        """What `manage.py peer WORDS` says, which must fail."""
        status, said = self.console.run("peer", *words)
        assert status == 1, said
        return said

    def refused_at(self, url: str, *words: str) -> str:
        """The same at a hub whose own address is that."""
        hub = replace(self.south, environment=self.south.environment | {"HASHSHARE_PUBLIC_URL": url})
        done = hub.manage("peer", *words, check=False)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    def shown(self) -> dict[str, Any]:
        return self.peer("show", self.hostile.north)

    def names(self, where: str) -> str:
        """The trouble that `peer show` names: of the poll, the offers, or the copy."""
        shown = self.shown()
        found = (
            shown["copied"][0]["trouble"]
            if where == "copy"
            else shown[{"poll": "trouble"}.get(where, "offers_trouble")]
        )
        return str((found or {}).get("type", "")).rpartition("/")[2]

    # --- what happens ---

    def asked_for(self, path: str, *, times: int = 1, at: str = "north") -> None:
        """Wait until South has asked for it, as often from now on."""
        seen = self.hostile.does("seen", path=path, at=at)
        wait_for(f"South to ask for {path}", lambda: self.hostile.does("seen", path=path, at=at) >= seen + times)

    def serves(self, files: dict[str, str]) -> bool:
        """To Cobalt, byte for byte."""
        for path, digest in files.items():
            answer = requests.get(
                f"{self.south.url}/api/v1/tuf/{DOMAIN}/{path}",
                headers={"Authorization": f"Bearer {self.reader}"},
                timeout=30,
            )
            if answer.status_code != 200 or hashlib.sha256(answer.content).hexdigest() != digest:
                return False
        return True

    def refuses(self, where: str, *names: str) -> None:
        """By name; and what was held is served as before."""
        wait_for(f"{names} to be named at the {where}\n{self.south.worker_log()[-2000:]}",
                 lambda: self.names(where) in names, seconds=40)  # fmt: skip
        assert self.serves(self.held)

    def converges(self) -> None:
        """The lie is over, and the operator has tried again: South serves all that Aurora has published."""
        self.hostile.does("truth")
        self.peer("check", self.hostile.north)
        self.settles()
        wait_for("South to have no trouble", lambda: not any(map(self.names, ("poll", "offers", "copy"))))

    def settles(self) -> None:
        files = self.hostile.does("files")
        wait_for(f"South to serve what North does\n{self.south.worker_log()[-3000:]}",
                 lambda: self.serves(files), seconds=90)  # fmt: skip
        self.held = files


@contextmanager
def facing(folder: Path) -> Iterator[Facing]:
    hubs = Hubs()
    try:
        start: StartHub = hubs.start
        south = start(**SETTINGS)
        with hostile_to(south, folder) as hostile, closing(Console(south)) as console:
            yield met(south, console, hostile, folder)
    finally:
        hubs.stop_all()


@contextmanager
def hostile_to(south: RunningHub, folder: Path) -> Iterator[HostileHub]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.system.hostile_hub", str(folder), south.url],
        cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield HostileHub(process, json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


def met(south: RunningHub, console: Console, hostile: HostileHub, folder: Path) -> Facing:
    """Both hubs of the process are accepted; Aurora's list comes from North, and Borealis's goes there."""
    for name, fingerprint in (hostile.told["north"], hostile.told["west"]):
        console.peer("introduce", f"http://{name}")
        console.peer("accept", name, fingerprint)
    borealis, list_id = published(south, folder)
    console.peer("agree", hostile.north, "out", OWN)
    console.peer("agree", hostile.north, "in", DOMAIN)
    cobalt = enrolled(south, folder / "cobalt", kind="member", name="Cobalt")
    key = cobalt.run("request", "POST", "access-keys", "--data", '{"name": "reads", "days": 1}')["body"]["key"]
    made = Facing(south, console, hostile, borealis, key, list_id)
    wait_for("South to copy Aurora's list", lambda: hostile.does("seen", path="timestamp.json"))
    for domain, slug in ((OWN, hostile.north.replace(".", "-").replace(":", "-")), (DOMAIN, "cobalt")):
        console.run("shell", "--no-imports", "-c", GRANT.format(domain=domain, slug=slug))
    made.settles()
    return made


def published(south: RunningHub, folder: Path) -> tuple[Machine, str]:
    """Borealis, and the id of her list, version 2 of which took an entry back."""
    borealis = enrolled(south, folder / "borealis", kind="hotline", name="Borealis", domain=OWN)
    borealis.run("publisher", "init", OWN, "--no-passphrase")
    words = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--redistribution", "federation")
    list_id = str(borealis.run("publisher", "list", "create", LIST, *words)["id"])
    file = random_csv(folder / "own.csv", 9)
    borealis.run("publish", LIST, file)
    borealis.run("withdraw", LIST, file.read_text().splitlines()[1].partition(",")[0], "--reason", "incorrect")
    return borealis, list_id

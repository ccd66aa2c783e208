"""A withdrawal followed to each member with real processes: acknowledged, proved, audited; lies are found."""

from __future__ import annotations

import csv
import json
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.hub import Hubs, RunningHub, wait_for
from tests.system.machines import Machine, enrolled, make_list, random_csv

SEAL = """
from django.utils import timezone
from hashshare.services.sealing import seal_logs
seal_logs(now=timezone.now())
"""
"""What beat starts every minute."""

ACKNOWLEDGED = """
from hashshare.models import Leaf
leaves = Leaf.objects.filter(log__publisher__domain="{domain}", organisation__slug="{slug}", kind="acknowledgement")
print(*leaves.filter(index__isnull=False).order_by("index").values_list("index", flat=True))
"""
CHANGED = """
from hashshare.models import Leaf
leaf = Leaf.objects.get(log__publisher__domain="{domain}", index={index})
{change}
"""


class Coalition:
    """Hotline Aurora with a list of its own, and members Cobalt and Ember who receive it."""

    def __init__(self, hub: RunningHub, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        self.domain = f"aurora-{secrets.token_hex(4)}.example"
        self.name = f"{self.domain}/images"
        self.aurora = enrolled(hub, folder / "aurora", kind="hotline", name=self.domain, domain=self.domain)
        make_list(self.aurora, self.name)
        self.file = random_csv(folder / "images.csv", 300)
        self.hashes = [line.partition(",")[0] for line in self.file.read_text().splitlines()[1:]]
        self.aurora.run("publish", self.name, self.file)
        self.cobalt, self.ember = self._member("cobalt"), self._member("ember")

    def _member(self, name: str) -> Machine:
        member = enrolled(self.hub, self.folder / name, kind="member", name=f"{name} {self.domain}")
        member.run("subscribe", self.name, "--accept-terms")
        waiting = [
            row for row in self.aurora.run("requests", self.name)["subscriptions"] if row["state"] == "requested"
        ]
        self.aurora.run("grant", self.name, waiting[0]["organisation"]["slug"], "--until", "2999-12-31")
        member.run("sync")
        return member

    def slug(self, machine: Machine) -> str:
        return str(json.loads((machine.home / "config.json").read_text())["organisation"]["slug"])

    def seal(self) -> None:
        self.hub.manage("shell", "-c", SEAL)

    def withdraw(self) -> int:
        """One hash more; the version."""
        done = self.aurora.run("withdraw", self.name, self.hashes.pop(), "--reason", "other")
        return int(done["version"])

    def acknowledged(self, machine: Machine) -> list[int]:
        """Indexes of a member's sealed acknowledgements."""
        find = ACKNOWLEDGED.format(domain=self.domain, slug=self.slug(machine))
        return [int(word) for word in self.hub.manage("shell", "-c", find).stdout.splitlines()[-1].split()]

    def lie(self, index: int, change: str) -> None:
        """Let the hub's operator change a leaf in the database."""
        self.hub.manage("shell", "-c", CHANGED.format(domain=self.domain, index=index, change=change))


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coalition]:
    """At a hub of this module's own. The tests share it, in any order: each goes on from where the list is."""
    hubs = Hubs()
    try:
        yield Coalition(hubs.start(), tmp_path_factory.mktemp("coalition"))
    finally:
        hubs.stop_all()


def newest(coalition: Coalition) -> dict[str, Any]:
    """The newest withdrawal."""
    withdrawals = coalition.aurora.run("propagation", coalition.name)["withdrawals"]
    return dict(withdrawals[0]) if withdrawals else {"version": 0}


def test_withdraw_waits_until_the_last_member_has_applied_it(coalition: Coalition) -> None:
    before = newest(coalition)["version"]
    words = ("withdraw", coalition.name, coalition.hashes.pop(), "--reason", "incorrect", "--wait", "--json")
    wait = coalition.aurora.start(*words)
    wait_for("the withdrawal to be published", lambda: newest(coalition)["version"] > before)
    [row] = coalition.cobalt.run("sync")["lists"]
    assert row["acknowledgement"] == {"state": "acknowledged", "sent": True}
    one = newest(coalition)
    assert (one["entitled"], one["applied"]) == (2, 1)
    assert wait.poll() is None
    coalition.ember.run("sync")
    done = Machine.finish(wait, seconds=60)
    [one] = done["propagation"]["withdrawals"]
    assert (one["version"], one["applied"], one["overdue"]) == (done["version"], 2, 0)
    assert one["median_seconds"] > 0


def test_waiting_may_be_interrupted_and_goes_on_when_run_again(coalition: Coalition) -> None:
    before = newest(coalition)["version"]
    words = ("withdraw", coalition.name, coalition.hashes.pop(), "--reason", "incorrect")
    wait = coalition.aurora.start(*words, "--wait", "--json")
    wait_for("the withdrawal to be published", lambda: newest(coalition)["version"] > before)
    time.sleep(2)
    wait.send_signal(signal.SIGINT)
    assert Machine.finish(wait, exit_code=130)["error"]["type"] == "interrupted"
    assert coalition.aurora.run(*words, "--wait-seconds", "1", exit_code=1)["published"] is False
    for member in (coalition.cobalt, coalition.ember):
        member.run("sync")
    again = coalition.aurora.run(*words, "--wait")
    assert (again["published"], again["propagation"]["withdrawals"][0]["applied"]) == (False, 2)


def test_the_log_is_remembered_and_proved_to_have_grown(coalition: Coalition) -> None:
    """Sealed in between, so that each sync is given a proof from the size before."""
    sizes = []
    for _ in range(3):
        coalition.seal()
        coalition.withdraw()
        coalition.cobalt.run("sync")
        [seen] = coalition.cobalt.run("status", "--offline")["logs"]
        sizes.append(seen["size"])
        assert seen["refused"] is None
    assert sizes == sorted(set(sizes)) and sizes[0] > 0


def test_killed_at_random_a_sync_is_acknowledged_by_the_next(coalition: Coalition) -> None:
    for number in range(4):
        version = coalition.withdraw()
        process = coalition.ember.start("sync")
        time.sleep(0.6 + 0.3 * number)
        process.kill()
        process.communicate()
    coalition.ember.run("sync")
    [row] = coalition.ember.run("status", "--offline")["lists"]
    assert (row["acknowledged"]["version"], row["acknowledgement_pending"]) == (version, None)
    coalition.seal()
    [receipts] = coalition.ember.run("receipts")["lists"]
    assert receipts["acknowledged_version"] == version


def test_all_of_it_is_proved_and_whatever_the_operator_changes_is_found(coalition: Coalition, tmp_path: Path) -> None:
    for _ in range(4):
        coalition.withdraw()
        coalition.cobalt.run("sync")
    [fresh] = coalition.cobalt.run("receipts")["lists"]
    coalition.seal()
    [row] = coalition.cobalt.run("receipts")["lists"]
    assert (row["receipts"], row["waiting"]) == (fresh["receipts"] + fresh["waiting"], 0)
    assert coalition.cobalt.run("receipts", "--offline")["lists"][0]["receipts"] == row["receipts"]

    report = coalition.aurora.run("audit", coalition.name, "-o", tmp_path / "audit.csv")
    assert (report["problem_count"], report["log"]["size"]) == (0, sum(report["leaves"].values()))
    mine, theirs = coalition.slug(coalition.cobalt), coalition.slug(coalition.ember)
    [cobalt] = [member for member in report["members"] if member["organisation"] == mine]
    assert cobalt["keys"] == [coalition.cobalt.run("status", "--offline")["key"]]
    with (tmp_path / "audit.csv").open(newline="") as file:
        stated = [int(row["index"]) for row in csv.DictReader(file) if row["organisation"] == mine and row["purged"]]
    assert stated == coalition.acknowledged(coalition.cobalt)

    renamed = f'leaf.row = leaf.row.replace("{mine}", "{theirs}"); leaf.save()'
    lies = {
        renamed: "wrong-opening",
        "leaf.row = leaf.row.replace('\"version\":', '\"version\":9'); leaf.save()": "wrong-opening",
        "s = leaf.acknowledgement; s.statement = s.statement.replace('sig', 'gis'); s.save()": "signature-threshold",
        "leaf.delete()": "missing-opening",
    }
    for index, change in zip(stated, lies, strict=False):
        coalition.lie(index, change)
    report = coalition.aurora.run("audit", coalition.name, exit_code=4)
    found = [(problem["index"], problem["type"]) for problem in report["problems"]]
    assert found == list(zip(stated, lies.values(), strict=False))

    (coalition.cobalt.home / "receipts" / f"{row['list_id']}.ndjson").unlink()
    [refused] = coalition.cobalt.run("receipts", exit_code=4)["lists"]
    assert (refused["error"]["type"], refused["error"]["index"]) == ("wrong-opening", stated[0])
    assert coalition.cobalt.run("verify")["ok"] is True

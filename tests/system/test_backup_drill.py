"""The drill: back up a running hub, publish more, lose everything, restore, recover; and everybody is current again,
nobody was lied to, and what is lost is said openly.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from config import postgres
from tests.system.hub import RunningHub, StartHub
from tests.system.machines import Machine, enrolled, make_list, random_csv

LIST = "aurora.example/images"
SEAL = "from hashshare.tasks import seal_logs; seal_logs()"
FORGET = "from hashshare.models import Restoration; Restoration.objects.update(recovered_at='2026-01-01T00:00:00Z')"
REMEMBER = "from hashshare.models import Restoration; Restoration.objects.update(recovered_at=None)"


@pytest.fixture
def hub(start_hub: StartHub) -> RunningHub:
    return start_hub(HASHSHARE_BACKUP_PASSPHRASE="a passphrase of words")


def public(hub: RunningHub, path: str) -> str:
    with urlopen(f"{hub.url}{path}") as answer:
        return str(answer.read().decode())


def lose_everything(hub: RunningHub) -> None:
    hub.stop()
    postgres.destroy(hub.data)
    for path in hub.data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def member(hub: RunningHub, aurora: Machine, home: Path) -> Machine:
    cobalt = enrolled(hub, home, kind="member", name="Cobalt")
    cobalt.run("subscribe", LIST, "--accept-terms")
    aurora.run("grant", LIST, "cobalt", "--until", "2999-12-31")
    return cobalt


def test_it_comes_back_from_the_loss_of_everything(hub: RunningHub, tmp_path: Path) -> None:
    aurora = enrolled(hub, tmp_path / "aurora", kind="hotline", name="Aurora", domain="aurora.example")
    make_list(aurora, LIST)
    aurora.run("publisher", "major", "aurora.example", "--no-passphrase")
    aurora.run("publish", LIST, random_csv(tmp_path / "1.csv", 200))
    cobalt = member(hub, aurora, tmp_path / "cobalt")
    cobalt.run("sync")
    hub.manage("shell", "-c", SEAL)

    hub.manage("backup", str(tmp_path / "kept.tar"))

    aurora.run("publisher", "renew", "aurora.example", "--root")
    aurora.run("publish", LIST, grown(tmp_path / "1.csv", 20))
    assert cobalt.run("sync")["lists"][0]["version"] == 2
    hub.manage("shell", "-c", SEAL)
    assert cobalt.run("receipts")["lists"][0]["acknowledgements"] == 2
    receipts = remembered(cobalt)

    lose_everything(hub)
    hub.manage("restore", str(tmp_path / "kept.tar"))
    a_half_restored_hub_does_not_start(hub)
    hub.start()

    # Without the mark of the restore, what it says is a rollback, and every member says so.
    hub.manage("shell", "-c", FORGET)
    [refused] = cobalt.run("sync", "--force", exit_code=4)["lists"]
    assert "older metadata than was seen before" in refused["error"]["detail"]
    hub.manage("shell", "-c", REMEMBER)

    # With it, nothing is claimed and nothing taken.
    [told] = cobalt.run("sync", "--force", exit_code=5)["lists"]
    assert told["error"]["type"] == "restored"
    assert aurora.run("publish", LIST, tmp_path / "1.csv", exit_code=5)["error"]["type"] == "restored"
    assert "aurora.example" in hub.manage("recover").stdout

    # The publisher's next publication sends what was lost, and goes on.
    done = aurora.run("publish", LIST, grown(tmp_path / "1.csv", 30))
    assert (done["before"], done["version"]) == (2, 3)
    synced = cobalt.run("sync")
    assert (synced["lists"][0]["before"], synced["lists"][0]["version"]) == (2, 3)
    assert cobalt.run("verify")["ok"] is True

    check_logs(hub, cobalt, aurora, synced, receipts)


def grown(path: Path, rows: int) -> Path:
    """The same file with so many rows more."""
    more = random_csv(path.with_suffix(".more"), rows).read_text().splitlines(keepends=True)[1:]
    path.write_text(path.read_text() + "".join(more))
    return path


def a_half_restored_hub_does_not_start(hub: RunningHub) -> None:
    """As after a kill in the middle; tests/backup has every step of it."""
    mark = hub.data / "restoring.json"
    mark.write_text(json.dumps({"source": "kept.tar"}))
    said = hub.manage("hub", "--port", str(hub.port), check=False)
    assert said.returncode == 1
    assert "Run again: manage.py restore kept.tar" in said.stderr
    mark.unlink()


def remembered(cobalt: Machine) -> Any:
    return json.loads((cobalt.home / "logs" / "aurora.example.json").read_text())


def check_logs(hub: RunningHub, cobalt: Machine, aurora: Machine, synced: Any, before: Any) -> None:
    """The loss is told once, with the evidence kept; receipts of the lost leaves stay good; the new log is whole."""
    [told] = synced["superseded_logs"]
    assert (told["origin"], told["successor"]) == (before["origin"], before["origin"] + "/2")
    assert told["size"] == before["size"]
    assert told["lost"] > 0
    assert "superseded_logs" not in cobalt.run("sync", "--force")
    hub.manage("shell", "-c", SEAL)
    [found] = cobalt.run("receipts")["lists"]
    assert found["acknowledgements"] == 3
    assert aurora.run("audit", "aurora.example")["problems"] == []
    [kept] = json.loads((cobalt.home / "logs" / "superseded" / "aurora.example.json").read_text())["logs"]
    assert kept["checkpoint"] == before["checkpoint"]
    statements = json.loads(public(hub, "/log/aurora.example/successions"))["successions"]
    assert statements[0].splitlines()[1] == before["origin"]
    assert public(hub, "/log/aurora.example/2/checkpoint").startswith(before["origin"] + "/2\n")
    assert public(hub, "/log/aurora.example/checkpoint").startswith(before["origin"] + "\n")

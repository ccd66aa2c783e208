"""Every key of a hotline and the hub's own replaced in a row, by the real program against a real hub: a member follows
with no step of its own, and whoever has the old keys is refused.
"""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hashshare.client import trust
from hashshare.client.commits import commit
from hashshare.client.home import Home
from hashshare.client.publisher import OwnPublisher, own_key
from hashshare.client.session import Session
from hashshare.client.signers import open_signer
from hashshare.client.standing import kept_standing
from hashshare.wire import repository
from hashshare.wire.errors import BadSignature
from tests.system.hub import RunningHub
from tests.system.machines import Machine, enrolled, make_list, random_csv

ALONE = "--no-passphrase"


@pytest.fixture
def domain() -> str:
    return f"aurora-{secrets.token_hex(4)}.example"


@pytest.fixture
def aurora(running_hub: RunningHub, domain: str, tmp_path: Path) -> Machine:
    machine = enrolled(running_hub, tmp_path / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain)
    make_list(machine, f"{domain}/images")
    machine.run("publish", f"{domain}/images", random_csv(tmp_path / "first.csv", 500))
    return machine


@pytest.fixture
def cobalt(running_hub: RunningHub, aurora: Machine, domain: str, tmp_path: Path) -> Machine:
    member = enrolled(running_hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    known = trust.publisher(Home.open(aurora.home), domain)
    assert known is not None
    member.run("subscribe", f"{domain}/images", "--accept-terms", "--root", known.fingerprint)
    [row] = aurora.run("requests", f"{domain}/images")["subscriptions"]
    aurora.run("grant", f"{domain}/images", row["organisation"]["slug"], "--until", "2999-12-31")
    member.run("sync")
    return member


def published(aurora: Machine, cobalt: Machine, domain: str, file: Path) -> None:
    """A release more, and the member has it."""
    done = aurora.run("publish", f"{domain}/images", random_csv(file, 3), "--changes")
    [row] = cobalt.run("sync")["lists"]
    assert (row["version"], row["trust"]) == (done["version"], "confirmed")


def test_a_member_follows_every_rotation_and_the_old_keys_are_refused(
    running_hub: RunningHub, aurora: Machine, cobalt: Machine, domain: str, tmp_path: Path
) -> None:
    shutil.copytree(aurora.home, tmp_path / "stolen")  # every key as it was, the organisation's too
    aurora.run("publisher", "rotate", "feed", domain, ALONE)
    [row] = cobalt.run("sync")["lists"]
    assert (row["changed"], row["trust"]) == (False, "confirmed")
    published(aurora, cobalt, domain, tmp_path / "a.csv")
    aurora.run("publisher", "rotate", "targets", domain, ALONE)
    aurora.run("publisher", "rotate", "root", domain, ALONE)
    running_hub.manage("replace_hub_key", str(running_hub.data / "keys" / "standby.pem"))
    assert aurora.run("publisher", "rotate", "hub", domain)["roles"]["root"]["version"] == 4
    done = aurora.run("publish", f"{domain}/images", random_csv(tmp_path / "b.csv", 3), "--changes")

    synced = cobalt.run("sync")
    assert [row["version"] for row in synced["lists"]] == [done["version"]]
    [told] = synced["roots"]
    assert (told["publisher"], told["before"], told["after"]) == (domain, 1, 4)
    assert {change["role"] for change in told["changes"]} == {"root", "targets", "snapshot", "timestamp"}
    assert cobalt.run("verify")["ok"] is True
    assert all(row["signed_here"] for row in aurora.run("publisher", "signed", domain)["signatures"])

    _try_old_keys(Home.open(tmp_path / "stolen"), Home.open(aurora.home), domain)
    published(aurora, cobalt, domain, tmp_path / "c.csv")


def _try_old_keys(stolen: Home, aurora: Home, domain: str) -> None:
    """The next root, targets and feed as the old keys would sign them, handed to the hub as Aurora."""
    session, thief, now = Session.open(stolen), OwnPublisher(stolen, domain), datetime.now(UTC)
    signer = {role: open_signer(own_key(thief, role), lambda _: None) for role in ("root", "targets", "feed")}
    stands = kept_standing(aurora, domain)
    assert stands.targets is not None
    root, targets = stands.chain[-1], stands.targets
    [list_id] = repository.list_ids(targets)
    feed = (trust.metadata_dir(aurora, domain) / f"{list_id}.json").read_bytes()
    forged = {
        "root": repository.next_root(root, signers=[signer["root"]], now=now),
        "targets": repository.renew_targets(targets, signers=[signer["targets"]], now=now),
        list_id: repository.renew_feed(feed, list_id=list_id, signers=[signer["feed"]], now=now),
    }
    for role, body in forged.items():
        with pytest.raises(BadSignature):
            commit(session, domain, {role: body}, follows=repository.read_role(role, body).version - 1)

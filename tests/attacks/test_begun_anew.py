"""Somebody with a stolen operator's account lets a publisher begin anew, and does so herself in the hotline's name."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hashshare.wire import keys
from hashshare.wire.repository import create_root, create_targets, delegate_list, renew_feed, root_fingerprint
from tests.attacks.scene import Scene, Victim
from tests.system.machines import Machine, enrolled, make_list, random_csv

PLANTED = """
from django.utils import timezone
from hashshare.models import Publisher
from hashshare.services.invitations import invite_key
organisation = Publisher.objects.get(domain="{domain}").organisation
print(invite_key(organisation=organisation, now=timezone.now(), key_name="sync-07", holder=None)[1])
"""
"""What an operator's account can do from the organisation's page."""


@dataclass(frozen=True, slots=True)
class Robbed:
    """A hotline of its own, its member, and Mallory with a planted key of the hotline."""

    domain: str
    hotline: Machine
    member: Victim
    mallory: Machine
    fingerprint: str

    @property
    def name(self) -> str:
        return f"{self.domain}/images"


@pytest.fixture
def robbed(scene: Scene, tmp_path: Path) -> Robbed:
    domain = f"borealis-{secrets.token_hex(4)}.example"
    hotline = enrolled(scene.hub, tmp_path / "hotline", kind="hotline", name=domain, domain=domain, url=scene.url)
    make_list(hotline, f"{domain}/images")
    hotline.run("publish", f"{domain}/images", random_csv(tmp_path / "list.csv", 300))
    fingerprint = hotline.run("publisher", "init", domain, "--no-passphrase")["fingerprint"]
    member = enrolled(scene.hub, tmp_path / "member", kind="member", name=f"Member of {domain}", url=scene.url)
    member.run("subscribe", f"{domain}/images", "--accept-terms", "--root", fingerprint)
    [row] = hotline.run("requests", f"{domain}/images")["subscriptions"]
    hotline.run("grant", f"{domain}/images", row["organisation"]["slug"], "--until", "2999-12-31")
    [synced] = member.run("sync")["lists"]
    code = scene.hub.manage("shell", "-c", PLANTED.format(domain=domain)).stdout.strip().splitlines()[-1]
    mallory = Machine(tmp_path / "mallory")
    mallory.run("enroll", scene.url, code)
    return Robbed(domain, hotline, Victim(member, synced["list_id"]), mallory, fingerprint)


def false_beginning(scene: Scene, robbed: Robbed) -> tuple[dict[str, bytes], int]:
    """Another first root of hers, with the list under a feed key of hers; and the feed's version that it follows."""
    now, officer, feed_key = datetime.now(UTC), keys.generate(), keys.generate()
    own, signers = [keys.tuf_key(keys.public_bytes(officer))], [keys.tuf_signer(officer)]
    root = create_root(root_keys=own, targets_keys=own, hub_keys=scene.hub_keys, signers=signers, now=now)
    targets = delegate_list(
        create_targets(signers=[], now=now),
        list_id=robbed.member.list_id,
        keys=[keys.tuf_key(keys.public_bytes(feed_key))],
        signers=signers,
        now=now,
        amend=True,
    )
    held = robbed.member.machine.home / "publishers" / robbed.domain / "metadata" / f"{robbed.member.list_id}.json"
    feed = renew_feed(held.read_bytes(), list_id=robbed.member.list_id, signers=[keys.tuf_signer(feed_key)], now=now)
    return {"root": root, "targets": targets, robbed.member.list_id: feed}, 1


def test_a_planted_key_of_the_hotline_replaces_no_root_without_an_operator(scene: Scene, robbed: Robbed) -> None:
    roles, follows = false_beginning(scene, robbed)
    status, kind = scene.commit(roles, follows=follows, domain=robbed.domain, machine=robbed.mallory)
    assert (status, kind) == (409, "version-conflict")
    assert robbed.member.attempt("sync", robbed.name).code == 0


def test_with_a_stolen_operators_account_members_keep_the_list_and_alarm(scene: Scene, robbed: Robbed) -> None:
    scene.hub.manage("begin_anew", robbed.domain, "--root-now", robbed.fingerprint, "--reason", "nobody asked")
    roles, follows = false_beginning(scene, robbed)
    assert scene.commit(roles, follows=follows, domain=robbed.domain, machine=robbed.mallory) == (202, "")
    false = root_fingerprint(roles["root"])

    member, before = robbed.member, robbed.member.held()
    for words in ((), ("--force",), ("--accept-shrink",)):
        done = member.attempt("sync", robbed.name, *words)
        assert (done.code, done.error["type"]) == (4, "root-replaced")
        assert (done.error["held"], done.error["offered"]) == (robbed.fingerprint, false)
        assert member.held() == before
    assert member.attempt("verify", robbed.name).document["ok"] is True
    assert member.attempt("status").code == 7

    # The hotline is told as well, by its own commands; and with the operator's help it takes its name back.
    assert robbed.hotline.run("publisher", "refresh", exit_code=4)
    scene.hub.manage("begin_anew", robbed.domain, "--root-now", false, "--reason", "it was not them")
    right = robbed.hotline.run("publisher", "init", robbed.domain, "--anew", "--no-passphrase")["fingerprint"]
    assert member.attempt("sync", robbed.name).error["offered"] == right
    member.machine.run("pin", robbed.domain, right, "--replace")
    assert member.attempt("sync", robbed.name).code == 0
    assert member.held()["version"] == before["version"]

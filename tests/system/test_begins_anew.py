"""From a lost threshold to a current member, by real processes: an operator's leave, new officers, a telephone call."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from hashshare.client import trust
from hashshare.client.home import Home
from hashshare.client.publisher import OwnPublisher
from tests.system.hub import RunningHub
from tests.system.machines import Machine, enrolled, random_csv

DECLARED = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category")


def officers(folder: Path, *names: str) -> dict[str, Machine]:
    machines = {name: Machine(folder / name, {"HASHSHARE_PASSPHRASE": f"the words of {name}"}) for name in names}
    for name, machine in machines.items():
        machine.run("publisher", "officer", name)
    return machines


def cards(people: dict[str, Machine]) -> list[str]:
    found = [str(next((machine.home / "officer").glob("*.card.json"))) for machine in people.values()]
    return [word for card in found for word in ("--officer", card)]


def held(member: Machine, name: str) -> tuple[int, str]:
    """Version and state of trust as `verify` finds them."""
    verified = member.run("verify", name)
    [row] = verified["lists"]
    return row["version"], row["trust"]


@pytest.mark.slow
def test_a_hotline_that_lost_two_of_three_begins_anew_and_its_member_is_current(
    running_hub: RunningHub, tmp_path: Path
) -> None:
    domain = f"aurora-{secrets.token_hex(4)}.example"
    name = f"{domain}/images"
    aurora = enrolled(
        running_hub, tmp_path / "aurora", kind="hotline", name=f"Aurora {domain}", domain=domain,
        HASHSHARE_PASSPHRASE="quiet water",
    )  # fmt: skip
    first = officers(tmp_path / "first", "anna", "ben", "carol")
    aurora.run("publisher", "init", domain, *cards(first))
    request = aurora.run("publisher", "list", "create", name, *DECLARED)["request"]
    for person in ("anna", "ben"):
        first[person].run("publisher", "sign", request, "--yes")
    before = aurora.run("publisher", "submit", request)["fingerprint"]
    aurora.run("publish", name, random_csv(tmp_path / "a.csv", 200))
    cobalt = enrolled(running_hub, tmp_path / "cobalt", kind="member", name=f"Cobalt {secrets.token_hex(4)}")
    cobalt.run("subscribe", name, "--accept-terms", "--root", before)
    slug = aurora.run("requests", name)["subscriptions"][0]["organisation"]["slug"]
    aurora.run("grant", name, slug, "--until", "2999-12-31")
    cobalt.run("sync")

    # Ben and Carol have lost their keys. Nothing helps at the hub before its operator has been telephoned.
    second = officers(tmp_path / "second", "ben", "carol", "dora")
    begin = ("publisher", "init", domain, "--anew", *cards(second))
    aurora.run(*begin, exit_code=6)
    said = running_hub.manage("begin_anew", domain, "--root-now", before, "--reason", "they telephoned").stdout
    assert f"publisher init {domain} --anew" in said
    request = aurora.run(*begin)["request"]
    assert aurora.run("publish", name, random_csv(tmp_path / "b.csv", 10), "--changes")["version"] == 2
    assert cobalt.run("sync")["lists"][0]["version"] == 2
    for person in ("ben", "dora"):
        second[person].run("publisher", "sign", request, "--yes")
    after = aurora.run("publisher", "submit", request)["fingerprint"]
    assert after != before
    assert aurora.run("publish", name, random_csv(tmp_path / "c.csv", 10), "--changes")["version"] == 3

    # The member follows nobody by itself.
    for _ in range(2):
        [row] = cobalt.run("sync", exit_code=4)["lists"]
        assert (row["error"]["type"], row["error"]["held"], row["error"]["offered"]) == ("root-replaced", before, after)
    assert cobalt.run("status", exit_code=7)["lists"][0]["version"] == 2
    cobalt.run("pin", domain, after, "--replace")
    assert cobalt.run("sync")["lists"][0]["version"] == 3
    assert held(cobalt, name) == (3, "confirmed")
    [row] = cobalt.run("sync")["lists"]
    assert (row["changed"], row["entries"]) == (False, 220)

    # And everything goes on: a renewal by the new officers, a release, the audit that tells what happened.
    request = aurora.run("publisher", "renew", domain, "--root")["request"]
    for person in ("carol", "dora"):
        second[person].run("publisher", "sign", request, "--yes")
    assert aurora.run("publisher", "submit", request)["job"]
    assert aurora.run("publish", name, random_csv(tmp_path / "d.csv", 5), "--changes")["version"] == 4
    synced = cobalt.run("sync")
    assert (synced["lists"][0]["version"], synced["roots"][0]["after"]) == (4, 2)
    mine = OwnPublisher(Home.open(aurora.home), domain)
    assert (mine.folder / "replaced" / before / "1.root.json").exists()
    known = trust.publisher(Home.open(cobalt.home), domain)
    assert known is not None
    assert (known.fingerprint, known.state) == (after, "confirmed")

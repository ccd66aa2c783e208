"""Two real hubs: what Aurora publishes at North is what a member of South verifies, and North sees how far South is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.system.hub import StartHub, wait_for
from tests.system.test_hotline_publishes import digests, enrolled, write
from tests.system.two_mirrors import asked, caught_up, files, grant, let_cross, name_of, start_two, versions

pytestmark = pytest.mark.slow

DOMAIN = "aurora.example"
NAME = f"{DOMAIN}/images"


def test_a_list_reaches_the_members_of_another_hub_byte_for_byte(start_hub: StartHub, tmp_path: Path) -> None:
    north, south = start_two(start_hub)
    aurora = enrolled(north, tmp_path / "aurora", kind="hotline", name="Aurora", domain=DOMAIN)
    made = aurora.run("publisher", "init", DOMAIN, "--no-passphrase")
    declared = ("--algorithms", "sha256", "--scheme", "uk-abc", "--columns", "category", "--title", "Images")
    aurora.run("publisher", "list", "create", NAME, *declared, "--redistribution", "federation")
    keys = digests(3_000)
    aurora.run("publish", NAME, write(tmp_path / "a.csv", keys))
    let_cross(north, south, DOMAIN)
    caught_up(north, south, NAME)

    # Changes, a withdrawal, more changes: each reaches South.
    aurora.run("publish", NAME, write(tmp_path / "b.csv", keys + digests(20)))
    aurora.run("withdraw", NAME, keys[0], "--reason", "incorrect")
    caught_up(north, south, NAME)
    at_home, here = files(north, DOMAIN), files(south, DOMAIN)
    newest = {name: digest for name, digest in at_home.items() if name in here}
    assert here == newest, "another file under a name of North's"
    served = {name for name in at_home if "/" in name}
    assert served == {name for name in here if "/" in name}

    # A member of South holds Aurora's root, and verifies as at North.
    cobalt = enrolled(south, tmp_path / "cobalt", kind="member", name="Cobalt")
    grant(south, DOMAIN, "organisation__slug='cobalt'")
    fingerprint = asked(north, "Publisher.objects.get().root_fingerprint")
    assert fingerprint in json.dumps(made)
    cobalt.run("pin", DOMAIN, fingerprint)
    cobalt.run("sync")
    verified = cobalt.run("verify", NAME)
    assert fingerprint in json.dumps(verified)
    assert versions(south)[NAME][0] == 3

    # North reads of South what it reads of any member.
    mine = f"Acknowledgement.objects.filter(organisation__peer__name={name_of(south)!r})"
    acknowledged = f"[row.version for row in {mine}]"
    wait_for("South's acknowledgement", lambda: 3 in asked(north, acknowledged))

"""A hotline learns which of the hub's keys changed, whether its root must follow, and by which command."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client.doctor.examination import examine
from hashshare.client.doctor.finding import Finding
from hashshare.wire import keys
from tests.client.hotlines.desk import Desk
from tests.client.hotlines.north import North
from tests.client.hotlines.test_rotate import DOMAIN, other_hub_keys

ROTATE = f"hashshare publisher rotate hub {DOMAIN}"


def finding(desk: Desk) -> Finding:
    """The doctor's word on the hub's keys."""
    found = examine(desk.home, offline=False, now=datetime.now(UTC))
    [row] = [one for one in found if one.check == "publisher" and "hub" in one.says]
    return row


def private(north: North, case: str) -> list[Ed25519PrivateKey]:
    in_use, standby = north.private
    return {
        "the standby took over": [standby, keys.generate()],
        "another standby": [in_use, keys.generate()],
        "both are others": [keys.generate(), keys.generate()],
    }[case]


def test_nothing_is_said_while_the_root_names_both(images: Desk) -> None:
    assert str(finding(images).state) == "good"
    assert images.json("publisher", "status", DOMAIN)["hub_keys"] is None


@pytest.mark.parametrize(
    ("case", "state", "words"),
    [
        ("the standby took over", "warn", "has another standby key"),
        ("another standby", "warn", "has another standby key"),
        ("both are others", "bad", "Members refuse whatever this hub signs"),
    ],
)
def test_it_says_what_changed_and_the_command_mends_it(
    images: Desk, north: North, case: str, state: str, words: str
) -> None:
    other_hub_keys(north, private(north, case))
    row = finding(images)
    assert (str(row.state), words in f"{row.says} {row.means}", row.next_step) == (state, True, ROTATE)
    told = images.json("publisher", "status", DOMAIN, exit_code=7)["hub_keys"]
    assert (told["next_step"], told["urgent"]) == (ROTATE, state == "bad")
    said = images.run("publisher", "status", DOMAIN)
    assert ROTATE in said.stderr.replace("\n", " ")
    images.json("publisher", "rotate", "hub", DOMAIN)
    assert str(finding(images).state) == "good"
    assert images.json("publisher", "status", DOMAIN)["hub_keys"] is None


def test_a_key_that_the_hub_has_no_longer_is_named(images: Desk, north: North) -> None:
    lost = north.keys[0]
    other_hub_keys(north, [north.private[1], keys.generate()])
    assert lost.keyid[:4] in finding(images).says


def test_a_door_that_is_open_at_the_hub_is_told(images: Desk, north: North) -> None:
    north.anew = True
    said = images.run("publisher", "status", DOMAIN)
    assert (said.exit_code, "call the operator at once" in said.stderr.replace("\n", " ")) == (0, True)


def test_another_root_at_the_hub_is_told(images: Desk, north: North) -> None:
    north.shelf.metadata["1.root.json"] += b" "
    assert images.json("publisher", "status", DOMAIN, exit_code=4)["error"]["type"] == "root-replaced"

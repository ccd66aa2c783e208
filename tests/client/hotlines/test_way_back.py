"""A list that somebody else published in the hotline's name goes back to what her own database says, in one release."""

from __future__ import annotations

import pytest

from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North

TRUE = entries(range(300))


@pytest.fixture
def falsified(images: Desk) -> Desk:
    """Version 1 was right; at 2 three were withdrawn and two added, at 3 one was changed, by a thief."""
    images.json("publish", LIST, images.csv(TRUE, header=HEADER))
    keys = [row[0] for row in TRUE[:3]]
    images.json("withdraw", LIST, *keys, "--reason", "superseded")
    false = images.csv([*entries(range(900, 902)), entry(7, "C")], header=HEADER, name="false.csv")
    images.json("publish", LIST, false, "--changes")
    return images


def test_one_publication_takes_back_what_was_added_and_reinstates_what_was_withdrawn(
    falsified: Desk, north: North
) -> None:
    true = falsified.csv(TRUE, header=HEADER)
    done = falsified.json("publish", LIST, true, "--reason", "incorrect", "--reinstate-since", "1")
    assert (done["withdrawn"], done["reinstated"], done["updated"]) == (2, 3, 1)
    assert (done["version"], done["entries"]) == (4, 300)
    again = falsified.json("publish", LIST, true)
    assert (again["published"], again["unchanged"]) == (False, 300)


def test_what_was_withdrawn_by_the_version_that_was_right_stays_out(images: Desk) -> None:
    """Her own withdrawals are not undone with the thief's, unless one segment holds both."""
    images.json("publish", LIST, images.csv(TRUE, header=HEADER))
    images.json("withdraw", LIST, TRUE[0][0], "--reason", "incorrect")
    images.json("publish", LIST, images.csv(entries(range(1000, 1100)), header=HEADER, name="more.csv"), "--changes")
    images.json("withdraw", LIST, TRUE[1][0], "--reason", "other")
    true = images.csv([*TRUE, *entries(range(1000, 1100))], header=HEADER)
    refused = images.json("publish", LIST, true, "--reinstate-since", "3", exit_code=6)["error"]
    assert (refused["type"], refused["examples"]) == ("withdrawn-key", [TRUE[0][0]])
    right = images.csv([*TRUE[1:], *entries(range(1000, 1100))], header=HEADER)
    assert images.json("publish", LIST, right, "--reinstate-since", "3")["reinstated"] == 1


@pytest.mark.parametrize("version", ["5", "400"])
def test_it_wants_a_version_that_the_list_has_had(falsified: Desk, version: str) -> None:
    true = falsified.csv(TRUE, header=HEADER)
    wrong = falsified.json("publish", LIST, true, "--reinstate-since", version, exit_code=2)["error"]
    assert "last version that was right" in wrong["detail"]

"""What stops a publication: withdrawals that nobody asked for, and entries that were withdrawn before."""

from __future__ import annotations

import pytest

from tests.client.hotlines.desk import HEADER, LIST, Desk, entries, entry
from tests.client.hotlines.north import North


@pytest.fixture
def thousand(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(1000)), header=HEADER))
    return images


def test_it_asks_why_a_full_list_lacks_entries(thousand: Desk) -> None:
    file = thousand.csv(entries(range(5, 1000)), header=HEADER)
    failed = thousand.json("publish", LIST, file, exit_code=2)["error"]
    assert failed["withdrawals"] == 5
    assert "--reason" in failed["next_step"]
    done = thousand.json("publish", LIST, file, "--reason", "superseded")
    assert (done["withdrawn"], done["entries"]) == (5, 995)


def test_it_stops_a_half_exported_file(thousand: Desk, north: North) -> None:
    file = thousand.csv(entries(range(500)), header=HEADER)
    before = dict(north.shelf.objects)
    failed = thousand.json("publish", LIST, file, "--reason", "other", exit_code=6)["error"]
    assert (failed["type"], failed["withdrawals"]) == ("too-many-withdrawals", 500)
    assert "Nothing was published" in failed["detail"]
    assert north.shelf.objects == before
    thousand.json("publish", LIST, file, "--reason", "other", "--allow-withdrawals", "499", exit_code=6)
    done = thousand.json("publish", LIST, file, "--reason", "other", "--allow-withdrawals", "500")
    assert (done["withdrawn"], done["entries"]) == (500, 500)


def test_it_stops_in_a_dry_run_too(thousand: Desk) -> None:
    file = thousand.csv(entries(range(500)), header=HEADER)
    result = thousand.run("publish", LIST, file, "--dry-run")
    assert result.exit_code == 6
    assert "500 withdrawn" in result.stdout


def test_it_refuses_last_nights_wrong_hash(thousand: Desk) -> None:
    thousand.json("withdraw", LIST, entry(3)[0], "--reason", "incorrect")
    file = thousand.csv(entries(range(1000)), header=HEADER)
    failed = thousand.json("publish", LIST, file, exit_code=6)["error"]
    assert (failed["type"], failed["examples"]) == ("withdrawn-key", [entry(3)[0]])
    done = thousand.json("publish", LIST, file, "--reinstate", entry(3)[0])
    assert (done["reinstated"], done["entries"]) == (1, 1000)


def test_it_refuses_to_withdraw_what_the_list_never_held(thousand: Desk) -> None:
    failed = thousand.json("withdraw", LIST, entry(5000)[0], "--reason", "incorrect", exit_code=6)["error"]
    assert (failed["type"], failed["count"]) == ("not-live", 1)


@pytest.mark.parametrize("reason", ["because", "victim request", ""])
def test_it_rejects_reasons_that_are_not_on_the_wire(thousand: Desk, reason: str) -> None:
    thousand.json("withdraw", LIST, entry(1)[0], "--reason", reason, exit_code=2)


def test_it_withdraws_keys_as_typed(thousand: Desk) -> None:
    done = thousand.json("withdraw", "images", entry(1)[0].upper(), entry(2)[0], entry(1)[0], "--reason", "incorrect")
    assert (done["withdrawn"], done["entries"]) == (2, 998)


def test_it_rejects_a_hash_of_another_width(thousand: Desk) -> None:
    assert thousand.json("withdraw", LIST, entry(1)[1], "--reason", "other", exit_code=2)["error"]["type"] == "bad-hash"


def test_it_says_when_a_withdrawal_was_published_before(thousand: Desk) -> None:
    thousand.json("withdraw", LIST, entry(1)[0], "--reason", "incorrect")
    done = thousand.json("withdraw", LIST, entry(1)[0], "--reason", "incorrect")
    assert (done["published"], done["version"]) == (False, 2)

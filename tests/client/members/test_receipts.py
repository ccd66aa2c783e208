"""Receipts: fetched once, each proved before it is kept, checked again without the hub; a lie is refused by name."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hashshare.client.acknowledged import told
from hashshare.client.logs import log_path
from hashshare.client.receipts import receipts_path
from hashshare.wire import keys
from hashshare.wire.log import Receipt, Verifier, entry_of, new_opening
from tests.client.ledger import Ledger
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import ROOT, Cobalt
from tests.client.members.north import North


@pytest.fixture
def log(cobalt: Cobalt, aurora: Aurora, north: North) -> Ledger:
    """Two versions were delivered and acknowledged; other members' leaves stand between; all is sealed."""
    cobalt.call("pin", aurora.domain, aurora.fingerprint)
    log = north.logs[aurora.domain]
    for _ in range(2):
        aurora.release(items(3))
        cobalt.call("sync")
        log.deliver("ember", aurora.name, aurora.list_id, aurora.version, "0" * 64)
        log.pad(7)
    log.seal()
    return log


def lines(cobalt: Cobalt, aurora: Aurora) -> list[dict[str, Any]]:
    path = receipts_path(cobalt.home, aurora.list_id)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_it_fetches_and_proves_what_was_logged_of_us(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    [row] = cobalt.call("receipts", "--json").json["lists"]
    assert (row["deliveries"], row["acknowledgements"], row["waiting"]) == (2, 2, 0)
    assert (row["acknowledged_version"], row["log"]["size"]) == (3, log.size)
    assert row["log"]["root"] == log.tree(log.size).root().hex()
    kept = lines(cobalt, aurora)
    assert [json.loads(line["row"])["kind"] for line in kept] == ["delivery", "acknowledgement"] * 2
    for line in kept:
        leaf = log.leaves[line["index"]]
        assert (leaf.organisation, leaf.opening.row) == ("cobalt", line["row"])
        verifier = Verifier(log.origin, keys.public_bytes(log.key))
        Receipt.parse(line["receipt"]).verify(leaf.entry, verifier, origin=log.origin)


def test_it_says_so_in_a_line_and_is_asked_for_by_name(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    done = cobalt.call("receipts", "images")
    assert done.out == f"{aurora.name}   4 receipts verified: 2 deliveries, 2 acknowledgements up to v3\n"
    assert cobalt.call("receipts", "videos").status == 2


def test_it_fetches_only_what_is_new(cobalt: Cobalt, aurora: Aurora, log: Ledger, north: North) -> None:
    cobalt.call("receipts")
    aurora.release(items(1))
    cobalt.call("sync")
    waiting = cobalt.call("receipts", "--json").json["lists"][0]
    assert (waiting["receipts"], waiting["waiting"]) == (4, 2)
    log.seal()
    last = lines(cobalt, aurora)[-1]["index"]
    north.requests.clear()
    [row] = cobalt.call("receipts", "--json").json["lists"]
    assert (row["receipts"], row["waiting"], row["acknowledged_version"]) == (6, 0, 4)
    asked = [path for path in north.paths() if "receipts" in path]
    assert f"after={last}" in asked[0] and len(asked) == 2


def test_what_is_kept_is_proved_again_without_the_hub(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, north: North
) -> None:
    cobalt.call("receipts")
    north.requests.clear()
    done = cobalt.call("receipts", "--offline", "--json")
    assert (done.status, done.json["lists"][0]["receipts"], north.requests) == (0, 4, [])
    cobalt.call("forget", aurora.name, "--yes")
    assert cobalt.call("receipts", "--offline", "--json").json["lists"][0]["name"] == aurora.name


def test_a_list_without_receipts_says_why(cobalt: Cobalt, aurora: Aurora) -> None:
    assert cobalt.call("receipts").status == 2
    cobalt.call("sync")
    assert "2 not sealed yet" in cobalt.call("receipts").out
    assert "no receipts yet" in cobalt.call("receipts", "--offline").out


def test_half_a_line_left_by_a_killed_command_is_fetched_again(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    cobalt.call("receipts")
    path = receipts_path(cobalt.home, aurora.list_id)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert cobalt.call("receipts", "--offline", "--json").json["lists"][0]["receipts"] == 3
    assert cobalt.call("receipts", "--json").json["lists"][0]["receipts"] == 4
    assert path.read_bytes() == whole
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_acknowledgement_that_is_proved_is_waited_for_no_longer(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    assert len(told(cobalt.store(aurora)).unseen) == 2
    cobalt.call("receipts")
    assert told(cobalt.store(aurora)).unseen == {}


def test_an_acknowledgement_that_was_taken_and_never_logged_is_missed(
    cobalt: Cobalt, aurora: Aurora, log: Ledger
) -> None:
    aurora.release(items(1))
    cobalt.call("sync")
    lost = log.leaves.pop()
    assert lost.kind == "acknowledgement"
    log.seal()
    done = cobalt.call("receipts", "--json")
    error = done.json["lists"][0]["error"]
    assert (done.status, error["type"], len(error["statements"])) == (4, "wrong-proof", 1)
    assert "the hub took 1 acknowledgement that its log does not hold" in error["detail"]


def test_a_delivery_that_was_never_logged_is_missed(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    assert cobalt.call("receipts", "--json").json["lists"][0]["undelivered"] == []
    aurora.release(items(1))
    cobalt.call("sync")
    del log.leaves[-2]
    assert log.leaves[-1].kind == "acknowledgement"
    log.seal()
    done = cobalt.call("receipts", "--json")
    assert (done.status, done.json["lists"][0]["undelivered"]) == (0, [4])
    assert "v4 was acknowledged, and the log has no delivery of it" in done.err


def test_a_kept_receipt_that_was_changed_on_the_disk_is_said_to_be(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    cobalt.call("receipts")
    path = receipts_path(cobalt.home, aurora.list_id)
    whole = path.read_text()
    path.write_text(whole.replace('\\"version\\":3', '\\"version\\":2'))
    for words in (("--offline",), ()):
        done = cobalt.call("receipts", *words)
        assert done.status == 4
        assert "changed on this disk" in done.err and str(path) in done.err
    path.unlink()
    assert cobalt.call("receipts").status == 0
    assert path.read_text() == whole


def test_damaged_files_of_one_list_keep_no_other_from_being_checked(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, north: North
) -> None:
    cobalt.call("receipts")
    other = receipts_path(cobalt.home, "f" * 16)
    other.write_bytes(b"half a li\n")
    (cobalt.store(aurora).folder / "current.json").write_text("{")
    done = cobalt.call("receipts", "--offline", "--json")
    rows = {row["list_id"]: row for row in done.json["lists"]}
    assert done.status == 4
    assert rows[aurora.list_id]["receipts"] == 4
    assert "is damaged, and nothing else tells which list it is of" in rows["f" * 16]["error"]["detail"]


def test_it_writes_them_for_programs_that_know_nothing_of_hashshare(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, tmp_path: Path
) -> None:
    done = cobalt.call("receipts", "images", "--export", str(tmp_path / "out"), "--json")
    assert done.json["lists"][0]["exported"]["receipts"] == 4
    index = next(line["index"] for line in lines(cobalt, aurora) if "statement_sha256" in line["row"])
    folder = tmp_path / "out"
    program = [sys.executable, str(ROOT / "docs" / "examples" / "verify_receipts.py")]
    arguments = [(folder / "log.vkey").read_text(), str(folder / f"{index}.tlog-proof")]
    shown = subprocess.run([*program, *arguments], capture_output=True, text=True, check=True).stdout
    assert shown.startswith(f"leaf {index} of {log.size} ")
    row = folder / f"{index}.row"
    row.write_text(row.read_text().replace("cobalt", "ember"))
    assert subprocess.run([*program, *arguments], capture_output=True, check=False).returncode != 0


# --- lies --------------------------------------------------------------------------------------------------------


def bend(log: Ledger, change: Callable[[dict[str, Any]], None], *, at: int = 2) -> None:
    """Change the receipt of that number in the answers."""

    def bent(asked: str, answer: Any) -> Any:
        if asked == "receipts" and len(answer["receipts"]) > at:
            change(answer["receipts"][at])
        return answer

    log.bend = bent


def tampered_row(receipt: dict[str, Any]) -> None:
    receipt["row"] = receipt["row"].replace('"version":3', '"version":2')


def tampered_nonce(receipt: dict[str, Any]) -> None:
    receipt["nonce"] = base64.b64encode(bytes(32)).decode()


def tampered_proof(receipt: dict[str, Any]) -> None:
    head, *rest = receipt["receipt"].split("\n")
    receipt["receipt"] = "\n".join([head, rest[0], base64.b64encode(bytes(32)).decode(), *rest[2:]])


def shortened_proof(receipt: dict[str, Any]) -> None:
    head, *rest = receipt["receipt"].split("\n")
    receipt["receipt"] = "\n".join([head, rest[0], *rest[2:]])


def another_index(receipt: dict[str, Any]) -> None:
    receipt["index"] += 1


def told_twice(receipt: dict[str, Any]) -> None:
    receipt["index"] = 0


def reworded_row(receipt: dict[str, Any]) -> None:
    receipt["row"] = receipt["row"].replace(",", ", ")


def no_proof(receipt: dict[str, Any]) -> None:
    receipt["receipt"] = None


LIES = {
    tampered_row: "wrong-proof",
    tampered_nonce: "wrong-proof",
    tampered_proof: "wrong-proof",
    shortened_proof: "wrong-proof",
    another_index: "wrong-proof",
    told_twice: "malformed-log",
    reworded_row: "malformed-log",
    no_proof: "malformed-log",
}


@pytest.mark.parametrize(("lie", "slug"), LIES.items(), ids=lambda it: getattr(it, "__name__", ""))
def test_a_receipt_that_does_not_verify_is_refused_and_not_kept(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, lie: Callable[[dict[str, Any]], None], slug: str
) -> None:
    bend(log, lie)
    done = cobalt.call("receipts", "--json")
    error = done.json["lists"][0]["error"]
    assert (done.status, error["type"]) == (4, slug)
    assert error["detail"].startswith(f"{aurora.name}, the receipt of leaf ")
    assert len(lines(cobalt, aurora)) == 2
    assert cobalt.call("lookup", "0" * 64).status == 0
    log.bend = lambda asked, answer: answer
    assert cobalt.call("receipts", "--json").json["lists"][0]["receipts"] == 4


def test_a_receipt_of_another_member_is_refused(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    theirs = next(leaf for leaf in log.leaves if leaf.organisation == "ember")
    theirs.organisation = "cobalt"
    done = cobalt.call("receipts", "--json")
    error = done.json["lists"][0]["error"]
    assert (done.status, error["type"]) == (4, "wrong-opening")
    assert "is about ember, not about cobalt" in error["detail"]


def test_a_receipt_of_another_list_is_refused(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    other = log.deliver("cobalt", "aurora.example/video", "f" * 16, 1, "0" * 64)
    other.list_name = aurora.name
    log.seal()
    done = cobalt.call("receipts", "--json")
    assert (done.status, done.json["lists"][0]["error"]["type"]) == (4, "wrong-opening")
    assert len(lines(cobalt, aurora)) == 4


def test_a_row_that_is_not_in_the_log_has_no_proof(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    """The hub makes up an opening for a leaf that stands for something else."""
    leaf = next(leaf for leaf in log.leaves if leaf.organisation == "cobalt")
    leaf.opening = new_opening(leaf.opening.row)
    assert entry_of(leaf.opening) != leaf.entry
    done = cobalt.call("receipts", "--json")
    assert (done.status, done.json["lists"][0]["error"]["type"], lines(cobalt, aurora)) == (4, "wrong-proof", [])


def test_proofs_under_another_log_than_the_one_seen_are_refused(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    """Each proof is right in itself, in a log that forgot something that was seen before."""
    aurora.release(items(1))
    cobalt.call("sync")
    log.leaves[3].entry = bytes(53)
    log.seal()
    done = cobalt.call("receipts", "--json")
    assert (done.status, done.json["lists"][0]["error"]["type"]) == (4, "log-forked")
    assert lines(cobalt, aurora) == []


def test_kept_receipts_of_another_log_than_the_one_seen_are_refused(
    cobalt: Cobalt, aurora: Aurora, log: Ledger
) -> None:
    """The memory was lost, and the hub shows another log of the same size since."""
    cobalt.call("receipts")
    log_path(cobalt.home, aurora.domain).unlink()
    log.leaves[3].entry = bytes(53)
    aurora.release(items(1))
    assert cobalt.call("sync").status == 0
    done = cobalt.call("receipts", "--offline", "--json")
    assert (done.status, done.json["lists"][0]["error"]["type"]) == (4, "log-forked")


def test_a_proof_under_a_checkpoint_of_its_own_is_refused(cobalt: Cobalt, aurora: Aurora, log: Ledger) -> None:
    """The checkpoint that came with the receipts is right; one receipt is proved in another log, signed by the key."""
    other = copy.deepcopy(log.leaves)
    other[0].entry = bytes(53)
    forked = Ledger(log.domain, log.hub, log.key, other, log.size)

    def swapped(receipt: dict[str, Any]) -> None:
        proof = tuple(forked.tree(log.size).inclusion_proof(receipt["index"]))
        receipt["receipt"] = Receipt(receipt["index"], proof, forked.note()).to_text()

    bend(log, swapped)
    done = cobalt.call("receipts", "--json")
    assert (done.status, done.json["lists"][0]["error"]["type"]) == (4, "wrong-proof")


@pytest.mark.parametrize("part", ["row", "nonce", "receipt", "index"])
def test_a_kept_receipt_that_was_changed_is_found_offline(
    cobalt: Cobalt, aurora: Aurora, log: Ledger, part: str
) -> None:
    cobalt.call("receipts")
    kept = lines(cobalt, aurora)
    kept[1][part] = kept[3][part]
    path = Path(receipts_path(cobalt.home, aurora.list_id))
    path.write_text("".join(json.dumps(line) + "\n" for line in kept))
    done = cobalt.call("receipts", "--offline", "--json")
    assert (done.status, done.json["lists"][0]["error"]["type"]) == (4, "wrong-proof")
    path.write_text("rubbish\n")
    assert cobalt.call("receipts", "--offline").status == 4

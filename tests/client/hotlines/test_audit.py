"""`audit`: the whole delivery log is proved; whatever the hub bends, hides or makes up is named, with exit 4."""

from __future__ import annotations

import base64
import csv
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client import trust
from hashshare.client.publisher import find_list
from hashshare.client.store import ListStore
from hashshare.wire import keys
from hashshare.wire.log import Acknowledgement, RootReplaced, publication_entry, sign_acknowledgement
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North
from tests.client.ledger import Leaf, Ledger

COBALT = keys.generate()


class Book:
    """The log of Aurora's list, written as the hub writes it."""

    def __init__(self, ledger: Ledger, desk: Desk) -> None:
        self.ledger, self.own = ledger, find_list(desk.home, LIST)
        self.held = ListStore(desk.home, self.own.list_id).held()
        assert self.held is not None

    def deliver(self, organisation: str = "cobalt", version: int = 1, digest: str = "", **about: Any) -> Leaf:
        assert self.held is not None
        digest = digest or self.held.manifest_sha256
        return self.ledger.deliver(organisation, LIST, self.own.list_id, version, digest, **about)

    def statement(self, *, version: int = 1, digest: str = "") -> Acknowledgement:
        assert self.held is not None
        digest = digest or self.held.manifest_sha256
        return Acknowledgement("cobalt", "http://north", LIST, self.own.list_id, version, 1, digest, datetime.now(UTC))

    def acknowledge(self, *, key: Ed25519PrivateKey = COBALT, **about: Any) -> Leaf:
        stated = self.statement(**about)
        public = keys.public_bytes(key)
        return self.ledger.record(stated, sign_acknowledgement(stated, key=key), public, keys.fingerprint(public))


@pytest.fixture
def book(images: Desk, north: North) -> Book:
    """Version 1 is published, delivered to Cobalt and Ember, acknowledged by Cobalt; then padding; all sealed."""
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    book = Book(north.ledger, images)
    book.deliver()
    book.deliver("ember")
    book.acknowledge()
    north.ledger.pad(300)
    north.ledger.seal()
    return book


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def found(desk: Desk, *, exit_code: int = 4) -> list[tuple[int | None, str]]:
    """Index and name of each problem."""
    report = desk.json("audit", LIST, exit_code=exit_code)
    assert report["problem_count"] == len(report["problems"])
    return [(problem["index"], problem["type"]) for problem in report["problems"]]


def test_a_log_that_holds_is_proved_and_told_by_member(images: Desk, book: Book, north: North) -> None:
    report = images.json("audit", LIST)
    assert report["leaves"] == {"acknowledgement": 1, "delivery": 2, "padding": 300}
    assert report["log"]["root"] == north.ledger.tree(303).root().hex()
    cobalt, ember = report["members"]
    assert (cobalt["organisation"], cobalt["deliveries"], cobalt["acknowledgements"]) == ("cobalt", 1, 1)
    assert (cobalt["version"], cobalt["purged"], cobalt["keys"]) == (1, 1, [keys.fingerprint_of(COBALT)])
    assert (ember["organisation"], ember["version"]) == ("ember", None)
    shown = images.run("audit", "images").stdout
    assert "log of 303 leaves" in shown and "verified" in shown
    assert images.json("audit", "aurora.example")["list"] is None


def test_many_pages_are_one_log(images: Desk, book: Book, north: North, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashshare.client.audit.PAGE", 7)
    assert images.json("audit", LIST)["leaves"]["padding"] == 300
    assert [path for _, path in north.asked].count("/api/v1/log/aurora.example/audit") == 44


def test_an_empty_log_is_fine(images: Desk, north: North) -> None:
    assert images.json("audit", LIST)["leaves"] == {}
    assert "nothing logged yet" in images.run("audit", LIST).stdout


def test_it_writes_deliveries_and_acknowledgements_of_the_list(images: Desk, book: Book, north: North) -> None:
    other = north.ledger.deliver("cobalt", "aurora.example/video", "f" * 16, 1, "0" * 64)
    other.list_name = "aurora.example/video"
    north.ledger.seal()
    path = images.folder / "audit.csv"
    images.json("audit", LIST, "-o", path)
    assert [(row["index"], row["kind"], row["organisation"]) for row in rows_of(path)] == [
        ("0", "delivery", "cobalt"),
        ("1", "delivery", "ember"),
        ("2", "acknowledgement", "cobalt"),
    ]
    images.json("audit", "aurora.example", "-o", path)
    assert rows_of(path)[-1]["list"] == "aurora.example/video"
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_in_the_file_is_a_formula(images: Desk, book: Book, north: North) -> None:
    """The hub chooses what organisations are called, and might be called `=HYPERLINK(...)` itself."""
    book.deliver('=HYPERLINK("http://elsewhere.example/";"see")')
    book.deliver("@SUM(A1)")
    north.ledger.seal()
    path = images.folder / "audit.csv"
    images.json("audit", LIST, "-o", path)
    names = [row["organisation"] for row in rows_of(path)]
    assert names[3:] == ['\'=HYPERLINK("http://elsewhere.example/";"see")', "'@SUM(A1)"]


def test_a_file_that_cannot_be_written_is_said_before_the_log_is_read(images: Desk, book: Book, north: North) -> None:
    north.asked.clear()
    images.json("audit", LIST, "-o", images.folder / "no" / "audit.csv", exit_code=2)
    assert not [path for _, path in north.asked if path.endswith("/audit")]


# --- lies --------------------------------------------------------------------------------------------------------


def bend(ledger: Ledger, index: int, **changes: Any) -> None:
    """Show that leaf otherwise than it is."""

    def bent(asked: str, answer: Any) -> Any:
        if asked == "audit":
            for leaf in answer["leaves"]:
                if leaf["index"] == index:
                    leaf.update(changes)
        return answer

    ledger.bend = bent


def test_a_missing_opening_is_named(images: Desk, book: Book, north: North) -> None:
    bend(north.ledger, 1, row=None, nonce=None, kind="missing")
    assert found(images) == [(1, "missing-opening")]
    path = images.folder / "audit.csv"
    result = images.run("audit", LIST, "-o", path)
    assert result.exit_code == 4
    assert "leaf 1" in result.stderr and "missing-opening" in result.stderr
    problems = [row for row in rows_of(path) if row["problem"]]
    assert [(row["index"], row["kind"], row["problem"]) for row in problems] == [("1", "missing", "missing-opening")]


@pytest.mark.parametrize("part", ["row", "nonce"])
def test_a_tampered_opening_is_named(images: Desk, book: Book, north: North, part: str) -> None:
    other = north.ledger.leaves[1].opening
    changes = {"row": other.row, "nonce": base64.b64encode(other.nonce).decode()}
    bend(north.ledger, 0, **{part: changes[part]})
    assert found(images) == [(0, "wrong-opening")]


def test_padding_that_stands_elsewhere_is_named(images: Desk, book: Book, north: North) -> None:
    """A real leaf must not be hidden as padding whose number tells that it was moved."""
    leaves = north.ledger.leaves
    leaves[10], leaves[11] = leaves[11], leaves[10]
    assert found(images) == [(10, "wrong-opening"), (11, "wrong-opening")]


def forged_text(leaf: Leaf, book: Book) -> dict[str, Any]:
    return {"statement": leaf.statement.replace("sig", "gis")}


def another_statement(leaf: Leaf, book: Book) -> dict[str, Any]:
    earlier = dataclasses.replace(book.statement(), at=datetime.now(UTC) - timedelta(hours=1))
    return {"statement": sign_acknowledgement(earlier, key=COBALT).decode()}


def no_statement(leaf: Leaf, book: Book) -> dict[str, Any]:
    return {"statement": None}


def no_key(leaf: Leaf, book: Book) -> dict[str, Any]:
    return {"public_key": None}


def another_key(leaf: Leaf, book: Book) -> dict[str, Any]:
    return {"public_key": base64.b64encode(keys.public_bytes(keys.generate())).decode()}


@pytest.mark.parametrize("lie", [forged_text, another_statement, no_statement, no_key, another_key])
def test_a_statement_that_is_not_the_members_is_named(
    images: Desk, book: Book, north: North, lie: Callable[[Leaf, Book], dict[str, Any]]
) -> None:
    leaf = north.ledger.leaves[2]
    bend(north.ledger, 2, **lie(leaf, book))
    assert found(images) == [(2, "signature-threshold")]


def test_a_forged_acknowledgement_that_was_logged_is_named(images: Desk, book: Book, north: North) -> None:
    """The hub logs in Cobalt's name, with Cobalt's key, what Cobalt never signed."""
    stated = book.statement()
    body, public = sign_acknowledgement(stated, key=keys.generate()), keys.public_bytes(COBALT)
    north.ledger.record(stated, body, public, keys.fingerprint(public))
    north.ledger.seal()
    assert found(images) == [(303, "signature-threshold")]


def test_a_row_that_says_other_than_its_statement_is_named(images: Desk, book: Book, north: North) -> None:
    stated = book.statement()
    body, public = sign_acknowledgement(stated, key=COBALT), keys.public_bytes(COBALT)
    north.ledger.record(dataclasses.replace(stated, organisation="ember"), body, public, keys.fingerprint(public))
    north.ledger.seal()
    assert found(images) == [(303, "signature-threshold")]


def test_what_was_never_published_is_named(images: Desk, book: Book, north: North) -> None:
    book.deliver(version=2)
    book.acknowledge(version=1, digest="0" * 64)
    north.ledger.seal()
    assert found(images) == [(303, "unknown-release"), (304, "unknown-release")]


def test_versions_published_since_are_known_by_their_digest(images: Desk, book: Book, north: North) -> None:
    first = book.held
    assert first is not None
    images.json("publish", LIST, images.csv(entries(range(30)), header=HEADER))
    held = ListStore(images.home, book.own.list_id).held()
    assert held is not None and held.version == 2
    book.acknowledge(version=2, digest=held.manifest_sha256)
    book.acknowledge(version=1, digest=held.manifest_sha256)
    north.ledger.seal()
    assert found(images) == [(304, "unknown-release")]


def test_a_row_about_another_publishers_list_is_named(images: Desk, book: Book, north: North) -> None:
    north.ledger.deliver("cobalt", "borealis.example/video", "f" * 16, 1, "0" * 64)
    north.ledger.seal()
    assert found(images) == [(303, "wrong-opening")]


def test_leaves_that_are_not_the_tree_end_the_audit(images: Desk, book: Book, north: North) -> None:
    """A consistent set of leaves with openings, which the hub did not sign."""
    other = north.ledger.leaves[1]
    bend(
        north.ledger,
        0,
        entry=base64.b64encode(other.entry).decode(),
        row=other.opening.row,
        nonce=base64.b64encode(other.opening.nonce).decode(),
    )
    path = images.folder / "audit.csv"
    refused = images.json("audit", LIST, "-o", path, exit_code=4)
    assert refused["error"]["type"] == "wrong-proof"
    assert list(images.folder.glob("*audit.csv*")) == []


@pytest.mark.parametrize("how", ["last", "first", "all", "shape"])
def test_leaves_that_are_left_out_end_the_audit(images: Desk, book: Book, north: North, how: str) -> None:
    def bent(asked: str, answer: Any) -> Any:
        if asked == "audit":
            cut = {"last": slice(0, 0), "first": slice(1, None), "all": slice(0, 0), "shape": slice(None)}[how]
            answer["leaves"] = answer["leaves"][cut] if how != "shape" else [{"index": "0"}]
        return answer

    north.ledger.bend = bent
    assert images.json("audit", LIST, exit_code=4)["error"]["type"] == "malformed-log"


def test_a_log_that_forked_since_the_last_audit_is_refused(images: Desk, book: Book, north: North) -> None:
    images.json("audit", LIST)
    north.ledger.leaves[0].entry = bytes(53)
    book.deliver()
    north.ledger.seal()
    assert images.json("audit", LIST, exit_code=4)["error"]["type"] == "log-forked"


# --- keys that members told ---------------------------------------------------------------------------------------


def told(desk: Desk, *lines: str) -> Path:
    path = desk.folder / "members.txt"
    path.write_text("# by telephone\n\n" + "".join(f"{line}\n" for line in lines))
    return path


def test_an_invented_acknowledgement_shows_against_the_key_that_the_member_told(
    images: Desk, book: Book, north: North
) -> None:
    """The hub makes a key, calls it Cobalt's, and logs what Cobalt never said: without the file nothing is wrong."""
    path = told(images, f"cobalt {keys.fingerprint_of(COBALT)}  # the matcher", "ember  SHA256:" + "A" * 43)
    assert images.json("audit", LIST, "--member-keys", path)["members"][0]["keys_compared"] is True
    invented = keys.generate()
    book.acknowledge(key=invented)
    north.ledger.seal()
    assert images.json("audit", LIST)["problem_count"] == 0
    report = images.json("audit", LIST, "--member-keys", path, exit_code=4)
    [problem] = report["problems"]
    assert (problem["index"], problem["type"]) == (303, "signature-threshold")
    assert keys.fingerprint_of(invented) in problem["detail"]


def test_a_member_may_have_several_keys(images: Desk, book: Book, north: North) -> None:
    second = keys.generate()
    book.acknowledge(key=second)
    north.ledger.seal()
    path = told(images, *(f"cobalt {keys.fingerprint_of(key)}" for key in (COBALT, second)))
    assert "keys compared with" in images.run("audit", LIST, "--member-keys", path).stdout


def test_it_says_whose_keys_only_the_hub_has_told(images: Desk, book: Book, north: North) -> None:
    """A name that is misspelt must not pass for one that was compared."""
    path = told(images, f"cobolt {keys.fingerprint_of(COBALT)}")
    done = images.run("audit", LIST, "--member-keys", path)
    assert "known from the hub alone: cobalt" in done.stdout
    assert "names cobolt, of which the log has nothing" in done.stderr


@pytest.mark.parametrize(
    "line", ["cobalt", "cobalt SHA256:short", "cobalt sha256:" + "A" * 43, "a b SHA256:" + "A" * 43]
)
def test_a_line_that_is_no_key_is_named(images: Desk, north: North, line: str) -> None:
    error = images.json("audit", LIST, "--member-keys", told(images, line), exit_code=2)["error"]
    assert "members.txt line 3 is not an organisation and a key's fingerprint" in error["detail"]


# --- erased openings ---------------------------------------------------------------------------------------------


def test_openings_erased_when_their_time_came_are_no_problem(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    book, now = Book(north.ledger, images), datetime.now(UTC)
    for years in (4, 4, 3.5, 1):
        book.deliver(at=now - timedelta(days=365 * years))
    north.ledger.erase(0, 1, 2, until=now - timedelta(days=365 * 3))
    north.ledger.seal()
    report = images.json("audit", LIST)
    assert report["leaves"] == {"delivery": 1, "erased": 3, "erasure": 1}
    assert report["erased_until"].startswith(str((now - timedelta(days=365 * 3)).year))
    assert "are erased" in images.run("audit", LIST).stdout


def test_an_opening_erased_before_its_time_is_named(images: Desk, book: Book, north: North) -> None:
    """Leaf 1 was delivered today; the log says that only what is older than three years was erased."""
    north.ledger.erase(1, until=datetime.now(UTC) - timedelta(days=365 * 3))
    north.ledger.seal()
    assert found(images) == [(1, "missing-opening")]


def test_an_erasure_that_no_leaf_tells_of_is_named(images: Desk, book: Book, north: North) -> None:
    north.ledger.leaves[0].erased = True
    assert found(images) == [(None, "missing-opening")]


def test_more_openings_gone_than_the_log_tells_of_are_named(images: Desk, north: North) -> None:
    """Old enough all of them, but the hub kept the third from being read without saying that it erased it."""
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    book, now = Book(north.ledger, images), datetime.now(UTC)
    for _ in range(3):
        book.deliver(at=now - timedelta(days=365 * 4))
    north.ledger.erase(0, 1, until=now - timedelta(days=365 * 3))
    north.ledger.leaves[2].erased = True
    north.ledger.seal()
    report = images.json("audit", LIST, exit_code=4)
    assert [problem["detail"] for problem in report["problems"]] == ["3 openings are erased; the log says so of 2."]


def test_openings_that_are_erased_while_it_reads_are_no_problem(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    book, now = Book(north.ledger, images), datetime.now(UTC)
    book.deliver(at=now - timedelta(days=365 * 4))
    north.ledger.seal()

    def erased_meanwhile(asked: str, answer: Any) -> Any:
        if asked == "audit":
            north.ledger.bend = lambda asked, answer: answer
            north.ledger.erase(0, until=now - timedelta(days=365 * 3))
            north.ledger.seal()
            return north.ledger.audit(start=0, limit=1)
        return answer

    north.ledger.bend = erased_meanwhile
    assert images.json("audit", LIST)["leaves"] == {"erased": 1, "erasure": 1}


# --- roots that were replaced ------------------------------------------------------------------------------------


def replaced(desk: Desk, *, after: str = "") -> RootReplaced:
    known = trust.publisher(desk.home, "aurora.example")
    assert known is not None
    return RootReplaced("aurora.example", "0" * 64, after or known.fingerprint, datetime(2026, 11, 28, tzinfo=UTC))


def test_it_tells_that_the_root_was_replaced(images: Desk, book: Book, north: North) -> None:
    told = replaced(images)
    others = [publication_entry(b"%d" % number) for number in range(300)]
    north.published = [*others, told.to_entry(), RootReplaced("other.example", "1" * 64, "2" * 64, told.at).to_entry()]
    found = images.json("audit", LIST)
    assert found["replaced_roots"] == [{"before": told.before, "after": told.after, "at": "2026-11-28T00:00:00Z"}]
    assert "root replaced without its signature" in images.run("audit", LIST).stdout


def test_a_root_that_was_replaced_by_another_than_ours_is_a_problem(images: Desk, book: Book, north: North) -> None:
    north.published = [replaced(images, after="f" * 64).to_entry()]
    ran = images.run("audit", LIST)
    assert (ran.exit_code, "is not yours" in ran.stderr.replace("\n", " ")) == (4, True)


def test_a_publication_log_that_hides_an_entry_is_refused(images: Desk, book: Book, north: North) -> None:
    north.published = [publication_entry(b"1"), publication_entry(b"2")]
    north.signed_entries = [publication_entry(b"1"), replaced(images).to_entry()]
    assert images.json("audit", LIST, exit_code=4)["error"]["type"] == "wrong-proof"


def test_a_hub_that_shows_no_publication_log_is_told(images: Desk, book: Book, north: North) -> None:
    assert images.json("audit", LIST)["replaced_roots"] is None
    assert "is not known" in images.run("audit", LIST).stdout


# --- what other hubs relayed --------------------------------------------------------------------------------------


@pytest.fixture
def relayed(book: Book, north: North) -> Leaf:
    """Another Cobalt, of South, has signed with its own key."""
    key = keys.generate()
    stated = dataclasses.replace(book.statement(), hub="https://south.example")
    public, document = keys.public_bytes(key), sign_acknowledgement(stated, key=key)
    leaf = north.ledger.relay(stated, document, public, hub="south.example")
    north.ledger.seal()
    return leaf


def test_what_other_hubs_relayed_is_proved_and_told_apart(images: Desk, relayed: Leaf) -> None:
    report = images.json("audit", LIST)
    assert report["leaves"]["relayed"] == 1
    assert [it["organisation"] for it in report["members"]] == ["cobalt", "cobalt@south.example", "ember"]
    assert report["members"][1]["acknowledgements"] == 1
    shown = images.run("audit", LIST).stdout
    assert "1 acknowledgements from other hubs" in shown
    path = images.folder / "audit.csv"
    images.json("audit", LIST, "-o", path)
    (row,) = [row for row in rows_of(path) if row["kind"] == "relayed"]
    assert (row["organisation"], row["version"]) == ("cobalt@south.example", "1")


def test_keys_of_another_hubs_members_are_named_with_the_hub(images: Desk, relayed: Leaf) -> None:
    """The other Cobalt's key says nothing about this one's."""
    known = images.folder / "members.keys"
    known.write_text(f"cobalt {keys.fingerprint_of(COBALT)}\n")
    images.json("audit", LIST, "--member-keys", known)
    assert relayed.public_key is not None
    known.write_text(f"cobalt@south.example {keys.fingerprint(relayed.public_key)}\n")
    images.json("audit", LIST, "--member-keys", known)
    known.write_text(f"cobalt@south.example {keys.fingerprint_of(COBALT)}\n")
    report = images.json("audit", LIST, "--member-keys", known, exit_code=4)
    assert report["problems"][0]["type"] == "signature-threshold"


def test_a_statement_that_was_given_at_another_hub_than_is_said_is_named(
    images: Desk, book: Book, north: North
) -> None:
    key, stated = keys.generate(), dataclasses.replace(book.statement(), hub="https://east.example")
    document = sign_acknowledgement(stated, key=key)
    north.ledger.relay(stated, document, keys.public_bytes(key), hub="south.example")
    north.ledger.seal()
    assert found(images) == [(303, "signature-threshold")]


def test_a_relayed_statement_that_nobody_signed_is_named(images: Desk, relayed: Leaf) -> None:
    relayed.public_key = keys.public_bytes(keys.generate())
    assert found(images) == [(303, "signature-threshold")]

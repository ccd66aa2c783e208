"""What people did is noted once, in the table and hidden in the hub's public log, and neither can be changed alone."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest
from django.db import transaction

from hashshare.models import Deed, Leaf, Log, Organisation, Person
from hashshare.selectors.deeds import deeds_about, standing
from hashshare.services.deeds import note_deed
from hashshare.services.erasure import erase_openings
from hashshare.services.logs import log_of_publications
from hashshare.services.people import create_person
from hashshare.services.sealing import seal_logs
from hashshare.wire.log import DEED, ErasureRow, Opening, entry_of, read_row
from hashshare.wire.log.leaves import MAX_ROW
from tests import builders as b
from tests import logs

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=3 * 366 + 2)


@pytest.fixture
def cobalt(db: None) -> Organisation:
    return b.member().organisation


@pytest.fixture
def ada(cobalt: Organisation) -> Person:
    return create_person(
        email="ada@cobalt.example", role="engineer", organisation=cobalt, password="seven quiet herons"
    )


def publications() -> Log:
    return log_of_publications(now=b.now())


def test_it_hides_a_deed_in_the_log_of_publications(ada: Person, cobalt: Organisation) -> None:
    now = b.now()
    deed = note_deed(person=ada, what="Export", about=cobalt, reason="for the board", noted="4 rows", now=now)
    leaf = Leaf.objects.get(deed=deed)
    assert leaf.log == publications()
    assert leaf.row is not None
    assert json.loads(leaf.row) == {
        "kind": "deed",
        "person": "ada@cobalt.example",
        "role": "engineer",
        "organisation": "cobalt",
        "what": "Export",
        "about": "Cobalt",
        "reason": "for the board",
        "noted_sha256": hashlib.sha256(b"4 rows").hexdigest(),
        "at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert standing(deed) == "waiting"
    seal_logs(now=now)
    (entry,) = logs.entries(publications())
    assert leaf.nonce is not None
    assert entry == entry_of(Opening(bytes(leaf.nonce), leaf.row), label=DEED)
    assert (len(entry), b"ada" in entry, entry.startswith(b"hashshare-deed/1\n")) == (49, False, True)
    assert standing(deed) == "sealed"


@pytest.mark.parametrize(
    "change", [{"reason": "another"}, {"what": "Nothing"}, {"person": None, "role": ""}, {"noted": "5 rows"}]
)
def test_it_shows_a_line_that_was_changed_afterwards(ada: Person, change: dict[str, object]) -> None:
    deed = note_deed(person=ada, what="Export", about="statistics", reason="for the board", noted="4 rows", now=b.now())
    seal_logs(now=b.now())
    Deed.objects.filter(pk=deed.pk).update(**{"organisation": None} | change)
    deed.refresh_from_db()
    assert standing(deed) == "changed"


def test_it_shows_a_line_whose_opening_was_changed_with_it(ada: Person) -> None:
    deed = note_deed(person=ada, what="Export", about="statistics", now=b.now())
    seal_logs(now=b.now())
    leaf = Leaf.objects.get(deed=deed)
    assert leaf.row is not None
    Leaf.objects.filter(pk=leaf.pk).update(row=leaf.row.replace("statistics", "the members"))
    Deed.objects.filter(pk=deed.pk).update(about="the members")
    deed.refresh_from_db()
    assert standing(deed) == "changed"


def test_it_notes_nothing_that_was_not_done(ada: Person) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        note_deed(person=ada, what="Export", now=b.now())
        raise RuntimeError
    assert not Deed.objects.exists()
    assert not Leaf.objects.exists()


def test_it_keeps_every_text_on_a_line_and_within_its_bounds(ada: Person) -> None:
    deed = note_deed(
        person=ada,
        what="é" * 200,
        about="\U0001f512" * 400,
        reason="first\r\nsecond\x07\0\tthird " + "\U0001f512" * 600,
        noted="\0" + "n" * 20_000,
        now=b.now(),
    )
    deed.refresh_from_db()
    assert (len(deed.what), len(deed.about), len(deed.reason), len(deed.noted)) == (120, 255, 500, 10_000)
    assert deed.reason.startswith("first second third \U0001f512")
    assert len(str(Leaf.objects.get(deed=deed).row).encode()) <= MAX_ROW


def test_it_notes_what_was_done_at_the_machine(cobalt: Organisation) -> None:
    deed = note_deed(person=None, what="Make an operator", about="eve@north.example", now=b.now())
    assert (deed.person, deed.role, deed.organisation) == (None, "", None)
    assert standing(deed) == "waiting"


def test_it_tells_the_history_of_a_row_and_no_others(ada: Person, cobalt: Organisation) -> None:
    note_deed(person=ada, what="Export", about="Cobalt", now=b.now())  # of the name alone
    first = note_deed(person=ada, what="Grant", about=cobalt, now=b.now())
    last = note_deed(person=None, what="Suspend", about=cobalt, now=b.now())
    assert list(deeds_about(cobalt)) == [first, last]
    assert list(deeds_about(ada)) == []


def test_it_is_forgotten_with_the_openings_and_the_tree_stays(ada: Person) -> None:
    then = b.now() - LONG_AGO
    note_deed(person=ada, what="Export", now=then)
    kept = note_deed(person=ada, what="Grant", now=b.now())
    seal_logs(now=b.now())
    before = logs.entries(publications())
    erased = erase_openings(now=b.now())
    assert (erased["openings"], erased["deeds"]) == (1, 1)
    assert list(Deed.objects.all()) == [kept]
    log = publications()
    assert logs.entries(log)[:-1] == before
    assert log.public_size == log.size == 3  # that it was done is shown at once
    told = Leaf.objects.get(log=log, kind="erasure")
    assert told.row is not None
    assert isinstance(read_row(told.row), ErasureRow)
    assert logs.entries(log)[-1].startswith(DEED)
    assert standing(kept) == "sealed"

"""Four eyes: what one analyst uploads and submits, another of the same hotline approves, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from hashshare.models import Draft, HashList, Person
from hashshare.services.draft_work import clear_drafts
from hashshare.services.drafts import abandon_draft, approve_draft, ask_check, send_back_draft, submit_draft
from hashshare.storage import object_store
from hashshare.storage.keys import draft_key
from hashshare.wire import errors
from tests import builders as b
from tests.services.drafting import (
    NOBODY,
    again,
    analyst,
    approved,
    checked,
    csv_of,
    entries,
    published,
    submitted,
    uploaded,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    return b.feed(b.publisher())


@pytest.fixture
def ada(images: b.Feed) -> Person:
    return analyst("ada", images.publisher.party.organisation)


@pytest.fixture
def grace(images: b.Feed) -> Person:
    return analyst("grace", images.publisher.party.organisation)


def call(deed: Callable[..., Draft], who: Person, draft: Draft, **more: Any) -> Draft:
    return deed(person=who, draft_id=draft.pk, revision=more.pop("revision", draft.revision), now=b.now(), **more)


def test_a_second_analyst_approves(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = call(approve_draft, grace, submitted(ada, images, csv_of(entries(3))))
    assert (draft.state, draft.submitted_by, draft.decided_by) == (Draft.State.APPROVED, ada, grace)


def test_whoever_submitted_does_not_approve(images: b.Feed, ada: Person) -> None:
    draft = submitted(ada, images, csv_of(entries(3)))
    with pytest.raises(errors.FourEyes):
        call(approve_draft, ada, draft)
    assert again(draft).state == Draft.State.SUBMITTED


def test_whoever_uploaded_does_not_approve_what_another_submitted(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = call(submit_draft, grace, checked(ada, images, csv_of(entries(3))))
    for who in (ada, grace):
        with pytest.raises(errors.FourEyes):
            call(approve_draft, who, draft)


def test_not_even_a_row_says_otherwise(images: b.Feed, ada: Person) -> None:
    draft = submitted(ada, images, csv_of(entries(3)))
    with pytest.raises(IntegrityError, match="draft_approved_by_another"), transaction.atomic():
        Draft.objects.filter(pk=draft.pk).update(state="approved", decided_by=F("submitted_by"))


def test_nobody_else_may(images: b.Feed, ada: Person) -> None:
    draft = submitted(ada, images, csv_of(entries(3)))
    borealis = b.publisher("Borealis", "borealis.example").party.organisation
    strangers = [
        analyst("eve", borealis),
        analyst("engineer", images.publisher.party.organisation, role="engineer"),
        analyst("mallory", b.member().organisation),
        Person.objects.create(email="op@north.example", role="operator"),
    ]
    for who in strangers:
        for deed, more in ((approve_draft, {}), (send_back_draft, {"reason": "no"}), (abandon_draft, {})):
            with pytest.raises(errors.NotEntitled):
                call(deed, who, draft, **more)
        with pytest.raises(errors.NotEntitled):
            uploaded(who, images, csv_of(entries(1)))


def test_people_of_a_suspended_hotline_may_not(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = submitted(ada, images, csv_of(entries(3)))
    grace.organisation.state = "suspended"  # type: ignore[union-attr]
    with pytest.raises(errors.NotEntitled):
        call(approve_draft, grace, draft)


def test_a_second_click_does_nothing_twice(images: b.Feed, ada: Person, grace: Person) -> None:
    ready = checked(ada, images, csv_of(entries(3)))
    first, second = call(submit_draft, ada, ready), call(submit_draft, ada, ready)
    assert first.revision == second.revision
    done, more = call(approve_draft, grace, first), call(approve_draft, grace, first)
    assert done.revision == more.revision


def test_a_form_that_is_out_of_date_changes_nothing(images: b.Feed, ada: Person, grace: Person) -> None:
    old = submitted(ada, images, csv_of(entries(3)))
    back = call(send_back_draft, grace, old, reason="Two of these are from another case.")
    assert (back.state, back.decision_reason) == (Draft.State.RETURNED, "Two of these are from another case.")
    new = call(submit_draft, ada, back)
    with pytest.raises(errors.DraftMoved):
        call(approve_draft, grace, old)
    assert call(approve_draft, grace, new).state == Draft.State.APPROVED


def test_it_is_sent_back_with_a_reason_or_not_at_all(images: b.Feed, ada: Person, grace: Person) -> None:
    draft = submitted(ada, images, csv_of(entries(3)))
    with pytest.raises(errors.UsageError):
        call(send_back_draft, grace, draft, reason=" ")


def test_it_is_checked_again_when_the_list_moved_on(images: b.Feed, ada: Person, grace: Person) -> None:
    rows = entries(10)
    published(images, rows)
    draft = submitted(ada, images, csv_of([*rows, b.entry()]))
    images.publish(images.next([b.upsert(b.entry())]))
    with pytest.raises(errors.DraftMoved, match="version 2"):
        call(approve_draft, grace, draft)


def test_what_is_not_checked_is_not_submitted(images: b.Feed, ada: Person) -> None:
    draft = uploaded(ada, images, csv_of(entries(3)))
    with pytest.raises(errors.DraftMoved):
        call(submit_draft, ada, draft)


def test_lines_at_fault_are_left_out_only_when_told(images: b.Feed, ada: Person) -> None:
    draft = checked(ada, images, csv_of(entries(3)) + b"short,,A\n")
    with pytest.raises(errors.BadInput, match="1 lines"):
        call(submit_draft, ada, draft)
    assert call(submit_draft, ada, draft, skip_bad=True).skip_bad


def test_nothing_new_is_not_submitted(images: b.Feed, ada: Person) -> None:
    rows = entries(3)
    published(images, rows)
    with pytest.raises(errors.UsageError, match="nothing to publish"):
        call(submit_draft, ada, checked(ada, images, csv_of(rows)))


def test_leaving_entries_out_takes_a_reason_and_above_one_in_a_hundred_the_number(images: b.Feed, ada: Person) -> None:
    rows = entries(200)
    published(images, rows)
    few = checked(ada, images, csv_of(rows[1:]))
    with pytest.raises(errors.UsageError, match="would be withdrawn"):
        call(submit_draft, ada, few)
    assert call(submit_draft, ada, few, reason="incorrect").reason == "incorrect"
    many = checked(ada, images, csv_of(rows[3:]))
    for number in (None, 2, 4):
        with pytest.raises(errors.TooManyWithdrawals) as caught:
            call(submit_draft, ada, many, reason="incorrect", typed_withdrawals=number)
        assert "--" not in f"{caught.value.message} {caught.value.next_step}"
    done = call(submit_draft, ada, many, reason="incorrect", typed_withdrawals=3)
    assert done.allow_withdrawals == 3


def test_what_was_withdrawn_does_not_come_back_unseen(images: b.Feed, ada: Person) -> None:
    rows = entries(10)
    published(images, rows)
    images.publish(images.next([b.withdraw(rows[0])]))
    draft = checked(ada, images, csv_of([*rows, b.entry()]))
    with pytest.raises(errors.WithdrawnKey):
        call(submit_draft, ada, draft)


def test_one_approved_upload_of_a_list_at_a_time(images: b.Feed, ada: Person, grace: Person) -> None:
    approved(ada, grace, images, csv_of(entries(3)))
    draft = submitted(ada, images, csv_of(entries(4)))
    with pytest.raises(errors.Conflict, match="not published yet"):
        call(approve_draft, grace, draft)
    assert again(draft).state == Draft.State.SUBMITTED


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_approves_and_the_other_is_told(images: b.Feed, ada: Person) -> None:
    organisation = images.publisher.party.organisation
    seconds = [analyst(name, organisation) for name in ("grace", "edith", "joan")]
    draft = submitted(ada, images, csv_of(entries(3)))
    told, start = list[Any](), threading.Barrier(len(seconds))

    def approve(who: Person) -> None:
        start.wait()
        try:
            told.append(call(approve_draft, who, draft).decided_by)
        except errors.HashshareError as error:
            told.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[who]) for who in seconds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    refused = [it for it in told if isinstance(it, errors.DraftMoved)]
    assert (len(told), len(refused)) == (3, 2)
    done = again(draft)
    assert done.decided_by in seconds
    assert all(str(done.decided_by) in it.message for it in refused)
    assert done.revision == draft.revision + 1


@pytest.mark.django_db(transaction=True)
def test_approval_and_sending_back_at_once_end_as_one_of_them(images: b.Feed, ada: Person, grace: Person) -> None:
    edith = analyst("edith", images.publisher.party.organisation)
    draft = submitted(ada, images, csv_of(entries(3)))
    told, start = list[str](), threading.Barrier(2)

    def do(deed: Callable[..., Draft], who: Person, **more: Any) -> None:
        start.wait()
        try:
            told.append(str(call(deed, who, draft, **more).state))
        except errors.DraftMoved:
            told.append("moved")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=do, args=[approve_draft, grace]),
        threading.Thread(target=do, args=[send_back_draft, edith], kwargs={"reason": "wait"}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(told) == sorted(["moved", str(again(draft).state)])


def test_a_file_lies_where_only_the_hub_reads_it_and_goes_with_the_draft(images: b.Feed, ada: Person) -> None:
    draft = uploaded(ada, images, csv_of(entries(3)))
    key = draft_key(draft.digest, draft.pk)
    path = Path(settings.HASHSHARE_OBJECTS) / key
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert object_store().address(key) is None
    call(abandon_draft, ada, draft)
    assert clear_drafts(now=b.now(), days=14) == 1
    assert not path.exists()
    assert again(draft).purged_at is not None


def test_what_came_to_nothing_is_thrown_away_after_its_days(images: b.Feed, ada: Person) -> None:
    draft = uploaded(ada, images, csv_of(entries(3)))
    assert clear_drafts(now=b.now() + timedelta(days=13), days=14) == 0
    assert clear_drafts(now=b.now() + timedelta(days=15), days=14) == 1
    assert again(draft).state == Draft.State.ABANDONED


def test_a_closed_list_takes_no_upload(images: b.Feed, ada: Person) -> None:
    HashList.objects.filter(pk=images.row.pk).update(state="withdrawn")
    with pytest.raises(errors.NotEntitled):
        uploaded(ada, images, csv_of(entries(1)))


def test_a_hotline_has_so_many_uploads_open(images: b.Feed, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashshare.services.drafts.MOST_OPEN", 2)
    first = uploaded(ada, images, csv_of(entries(1)))
    uploaded(ada, images, csv_of(entries(1)))
    with pytest.raises(errors.UsageError, match="Throw away"):
        try:
            uploaded(ada, images, csv_of(entries(1)))
        except errors.UsageError as error:
            raise errors.UsageError(f"{error.message} {error.next_step}") from error
    call(abandon_draft, ada, first)
    uploaded(ada, images, csv_of(entries(1)))


def test_names_of_files_are_only_shown(images: b.Feed, ada: Person) -> None:
    draft = uploaded(ada, images, csv_of(entries(1)), name="C:\\cases\\<script>alert(1)</script>\r\n.csv")
    assert draft.file_name == "script>.csv"
    assert len(uploaded(ada, images, csv_of(entries(1)), name="x" * 999).file_name) == 200


def test_a_draft_that_is_not_there_is_nobodys(ada: Person) -> None:
    with pytest.raises(errors.NotEntitled):
        ask_check(person=ada, draft_id=NOBODY, revision=0, columns={}, now=b.now())

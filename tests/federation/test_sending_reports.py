"""A hub tells the hub that a list comes from how far withdrawals got: once, whole, and whatever is killed between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from federation.models import Agreement, Peer, ReportCursor, TakenTerms, ToldItem
from federation.reports import Report, read_statement, verify_report
from federation.selectors.reporting import stamp
from federation.services import reporting
from federation.services.reporting import send_reports
from hashshare.models import Acknowledgement, Organisation, OrganisationKey, Publisher, Subscription
from hashshare.peering_keys import peer_key
from hashshare.services.keys import revoke_key
from hashshare.services.organisations import suspend_organisation
from hashshare.wire import errors, keys
from tests import builders as b
from tests.federation.builders import Hub, agreed, north, south
from tests.federation.builders_evidence import (
    HOUR,
    RemoteCobalt,
    count,
    counts,
    given,
    report,
    send,
    withdrawing_feed,
)
from tests.services.statements import state

pytestmark = pytest.mark.django_db


class Ear:
    """Hub North as far as reports go: takes each number once, and can fail. `sent` are the documents as they came."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.taken = self.before = 0
        self.digest = ""
        self.fault: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None

    def send(self, method: str, path: str, *, body: bytes, headers: dict[str, str]) -> bytes:
        assert (method, path, headers) == ("POST", "peers/reports", {"Content-Type": "application/json"})
        self.fault()
        self.sent.append(body)
        digest, number = hashlib.sha256(body).hexdigest(), self.reports[-1].sequence
        if digest != self.digest:
            if number <= self.taken:
                raise errors.StaleReport(sequence=self.taken)
            self.before, self.taken, self.digest = self.taken, number, digest
        self.after()
        return json.dumps({"sequence": number, "previous": self.before}).encode()

    @property
    def reports(self) -> list[Report]:
        return [verify_report(body, peer_key=peer_key().public) for body in self.sent]

    @property
    def last(self) -> Report:
        return self.reports[-1]


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    made = Ear()
    monkeypatch.setattr(reporting, "session_with", lambda peer: made)
    monkeypatch.setattr(reporting, "decoded_object", json.loads)
    return made


@pytest.fixture
def at_home(db: None) -> Hub:
    """North, where Aurora is at home; what its members sign goes there."""
    made = north()
    agreed(made, "in")
    return made


@pytest.fixture
def cobalt(db: None) -> b.Party:
    return b.member()


@pytest.fixture
def images(at_home: Hub, cobalt: b.Party) -> b.Feed:
    """Aurora's images, as they came from North: Cobalt was entitled when version 2 took an entry back."""
    feed = withdrawing_feed(cobalt)
    Publisher.objects.update(mirrored_from=at_home.organisation)
    return feed


def told(*, now: datetime | None = None) -> int:
    return send_reports(now=now or b.now())


def test_it_tells_numbers_members_and_statements(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    assert told() == 1
    (first,) = ear.reports
    assert (first.sender, first.receiver, first.sequence, first.mode) == (
        *("127.0.0.1:8000", "north.example"),
        *(1, "documents"),
    )
    assert (first.list_name, first.list_id) == (images.row.name, images.list_id)
    (hub,) = first.hubs
    (row,) = hub.withdrawals
    assert (hub.path, row.version, row.entitled, row.applied, row.purged, row.overdue) == ((), 2, 1, 0, 0, 0)
    (member,) = first.members
    assert (member.organisation, member.name, member.country, member.access) == ("cobalt", "", "DE", True)
    assert not first.statements
    stated, _ = state(cobalt, images, 2, purged=2)
    assert told() == 1
    second = ear.last
    assert (second.sequence, second.members) == (2, ())
    ((row,),) = [hub.withdrawals for hub in second.hubs]
    assert (row.applied, row.purged) == (1, 1)
    (statement,) = second.statements
    assert (statement.document, statement.key) == (stated.statement, keys.public_bytes(cobalt.key))
    assert read_statement(statement, second)[0].purged == 2


def test_it_says_nothing_while_nothing_is_new(images: b.Feed, ear: Ear) -> None:
    assert [told(), told(), told(now=b.now() + 2 * HOUR)] == [1, 0, 0]
    assert len(ear.sent) == 1


def test_a_name_is_told_only_of_who_agreed_to_be_named(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    Organisation.objects.filter(pk=cobalt.organisation.pk).update(named_since=b.now())
    told()
    assert ear.last.members[0].name == "Cobalt"
    Organisation.objects.filter(pk=cobalt.organisation.pk).update(named_since=None)
    told(now=b.now() + HOUR)
    assert ear.last.members[0].name == ""


def test_numbers_alone_are_told_where_that_was_agreed(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    Agreement.objects.update(evidence="counts")
    state(cobalt, images, 2)
    told()
    assert (ear.last.mode, ear.last.members, ear.last.statements) == ("counts", (), ())
    assert ear.last.hubs[0].withdrawals[0].applied == 1
    assert b"cobalt" not in ear.last.to_bytes()


def test_the_agreement_about_the_list_itself_goes_before(images: b.Feed, at_home: Hub, ear: Ear) -> None:
    agreed(at_home, "in", slug="images", evidence="counts")
    told()
    assert ear.last.mode == "counts"


def test_an_agreement_that_is_over_names_nobody_against_the_one_that_stands(
    images: b.Feed, at_home: Hub, ear: Ear
) -> None:
    """The hubs have come down to numbers alone; what they had agreed of the list before is no longer what they want."""
    Agreement.objects.update(evidence="counts")
    old = agreed(at_home, "in", slug="images", evidence="documents", ended_at=b.now())
    told()
    assert ear.last.mode == "counts"
    Agreement.objects.filter(pk=old.pk).update(ended_at=None, until=b.now() - HOUR)
    told(now=b.now() + HOUR)
    assert {it.mode for it in ear.reports} == {"counts"}


def test_numbers_alone_are_told_where_the_publisher_wants_no_more(images: b.Feed, ear: Ear) -> None:
    TakenTerms.objects.create(list=images.row, evidence="counts")
    told()
    assert ear.last.mode == "counts"


def test_a_change_of_what_is_agreed_is_acted_upon_at_once(images: b.Feed, ear: Ear) -> None:
    Agreement.objects.update(evidence="counts")
    told()
    Agreement.objects.update(evidence="documents")
    told()
    assert [it.mode for it in ear.reports] == ["counts", "documents"]
    assert len(ear.last.members) == 1


def test_without_an_agreement_nobody_is_named(images: b.Feed, ear: Ear) -> None:
    Agreement.objects.all().delete()
    told()
    assert ear.last.mode == "counts"


def test_who_becomes_overdue_is_told_without_anybody_doing_anything(images: b.Feed, ear: Ear) -> None:
    told()
    assert told(now=b.now() + 7 * HOUR) == 1
    assert ear.last.hubs[0].withdrawals[0].overdue == 1


def test_a_member_that_left_is_told_as_such(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    told()
    Subscription.objects.filter(organisation=cobalt.organisation).update(state="revoked", closed_at=b.now())
    told()
    (member,) = ear.last.members
    assert (member.access, member.until is not None) == (False, True)
    assert ear.reports[0].hubs[0].withdrawals[0].entitled == 1


def test_a_suspended_member_has_no_access(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    told()
    suspend_organisation(organisation=cobalt.organisation)
    told()
    assert ear.last.members[0].access is False


def test_what_was_signed_with_a_key_that_was_revoked_since_is_told(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    state(cobalt, images, 2)
    fingerprint = OrganisationKey.objects.get(organisation=cobalt.organisation).fingerprint
    revoke_key(organisation=cobalt.organisation, fingerprint=fingerprint, now=b.now())
    told()
    assert len(ear.last.statements) == 1


def test_another_hub_is_no_member(images: b.Feed, ear: Ear) -> None:
    given(south(), images)
    told()
    assert [member.organisation for member in ear.last.members] == ["cobalt"]


def test_lists_of_publishers_at_home_here_are_nobodys_business(images: b.Feed, ear: Ear) -> None:
    Publisher.objects.update(mirrored_from=None)
    assert told() == 0


def test_a_peer_that_is_suspended_is_told_nothing(images: b.Feed, ear: Ear) -> None:
    Peer.objects.update(state="suspended")
    assert (told(), ear.sent) == (0, [])
    Peer.objects.update(state="active")
    assert told() == 1


# --- trouble ------------------------------------------------------------------------------------------------------


def out_of_reach() -> None:
    raise errors.NetworkError


def test_a_peer_out_of_reach_is_told_the_same_later(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    ear.fault = out_of_reach
    assert told() == 0
    cursor = ReportCursor.objects.get()
    assert (cursor.sequence, cursor.taken, (cursor.trouble or {})["status"]) == (1, 0, 502)
    made = cursor.pending
    state(cobalt, images, 2)
    ear.fault = lambda: None
    assert told() == 2
    assert ear.sent[0].decode() == made
    assert [len(it.statements) for it in ear.reports] == [0, 1]
    cursor.refresh_from_db()
    assert (cursor.pending, cursor.taken, cursor.trouble) == ("", 2, None)


def killed() -> None:
    raise KeyboardInterrupt


def test_an_answer_that_is_lost_tells_nothing_twice(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    """The worker dies when the peer has taken the report, before it is noted here."""
    state(cobalt, images, 2)
    ear.after = killed
    with pytest.raises(KeyboardInterrupt):
        told()
    ear.after = lambda: None
    assert told() == 1
    assert ear.sent[0] == ear.sent[1]
    assert told() == 0


def test_a_worker_that_dies_before_it_sends_loses_nothing(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    state(cobalt, images, 2)
    ear.fault = killed
    with pytest.raises(KeyboardInterrupt):
        told()
    ear.fault = lambda: None
    assert told() == 1
    assert (ear.last.sequence, len(ear.last.statements)) == (1, 1)


def test_two_workers_at_once_tell_nothing_twice(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    state(cobalt, images, 2)

    def another() -> None:
        ear.fault = lambda: None
        assert told() == 1

    ear.fault = another
    told()
    assert ear.sent[0] == ear.sent[1]
    assert (len(ear.sent), told()) == (2, 0)


def test_a_hub_that_forgot_its_numbers_goes_on_above_them(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    """As after a restore from a backup here: the peer has taken more than this hub remembers."""
    ear.taken = 41
    assert told() == 0
    assert told() == 1
    assert ear.last.sequence == 42


def test_a_peer_that_forgot_what_it_took_is_told_all_anew(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    """As after a restore there."""
    state(cobalt, images, 1)
    told()
    ear.taken, ear.digest = 0, ""
    state(cobalt, images, 2)
    assert told() == 2
    assert [len(it.statements) for it in ear.reports] == [1, 1, 1]
    assert {it.document for report in ear.reports[1:] for it in report.statements} == set(
        Acknowledgement.objects.values_list("statement", flat=True)
    )
    assert len(ear.last.members) == 1


def test_a_report_that_is_refused_is_made_anew(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    def refuse() -> None:
        raise errors.UnknownRelease

    ear.fault = refuse
    assert told() == 0
    cursor = ReportCursor.objects.get()
    assert (cursor.pending, (cursor.trouble or {})["status"]) == ("", 422)
    state(cobalt, images, 2)
    ear.fault = lambda: None
    assert told() == 1
    assert (ear.last.sequence, len(ear.last.statements), len(ear.last.members)) == (2, 1, 1)


def test_one_list_that_is_refused_keeps_no_other_from_being_told(images: b.Feed, ear: Ear) -> None:
    Publisher.objects.update(mirrored_from=None)
    other = b.feed(images.publisher, "videos")
    other.publish(other.first([b.entry()]))
    Publisher.objects.update(mirrored_from=Peer.objects.get().organisation)

    def refuse_once() -> None:
        ear.fault = lambda: None
        raise errors.UnknownRelease

    ear.fault = refuse_once
    assert told() == 1
    assert told() == 1


# --- how much -----------------------------------------------------------------------------------------------------


def test_much_is_told_in_several_reports(
    images: b.Feed, cobalt: b.Party, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("federation.reports.MAX_MEMBERS", 2)
    for name in ("Granite", "Mica", "Slate", "Talc"):
        given(b.member(name), images)
    state(cobalt, images, 2)
    assert told() == 3
    assert [len(made.members) for made in ear.reports] == [2, 2, 1]
    assert len({it.organisation for made in ear.reports for it in made.members}) == 5
    assert [len(made.statements) for made in ear.reports] == [0, 0, 1]
    assert told() == 0


def test_what_was_told_long_ago_is_not_remembered_one_by_one(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    stated, _ = state(cobalt, images, 2)
    told()
    assert ToldItem.objects.filter(item__startswith="statement:").count() == 1
    later = b.now() + timedelta(days=1)
    state(cobalt, images, 2, purged=1, now=later)
    assert told(now=later) == 1
    assert told(now=later + 3 * HOUR) == 0
    assert ToldItem.objects.filter(item__startswith="statement:").count() <= 1
    assert [it.document for it in ear.last.statements] == [Acknowledgement.objects.get(purged=1).statement]
    assert Acknowledgement.objects.get(purged=0) == stated


def test_few_questions_tell_that_nothing_is_new(
    images: b.Feed, cobalt: b.Party, ear: Ear, django_assert_max_num_queries: Any
) -> None:
    told()
    told()
    with django_assert_max_num_queries(12):
        assert told() == 0
    before, now = stamp(peer=Peer.objects.get(), hash_list=images.row, now=b.now()), b.now()
    state(cobalt, images, 2)
    assert stamp(peer=Peer.objects.get(), hash_list=images.row, now=now) != before


# --- further hubs -------------------------------------------------------------------------------------------------


def test_what_further_hubs_tell_goes_on_unchanged(images: b.Feed, cobalt: b.Party, ear: Ear) -> None:
    further = south()
    given(further, images)
    agreed(further, "out")
    theirs = RemoteCobalt(further)
    spoken = theirs.statement(images)
    send(
        further,
        report(
            *(further, images),
            hubs=(counts(count(entitled=3, applied=1)), counts(count(entitled=2), path=("far.example",))),
            members=(theirs.named(),),
            statements=(spoken,),
        ),
    )
    state(cobalt, images, 2)
    told()
    made = ear.last
    assert {it.path: it.withdrawals[0].entitled for it in made.hubs} == {
        (): 1,
        ("south.example",): 3,
        ("south.example", "far.example"): 2,
    }
    assert {(it.path, it.organisation) for it in made.members} == {((), "cobalt"), (("south.example",), "cobalt")}
    (relayed,) = [it for it in made.statements if it.path]
    assert (relayed.document, relayed.key) == (spoken.document, spoken.key)
    assert read_statement(relayed, made)[0].hub == further.url
    assert told() == 0


def test_where_numbers_alone_are_agreed_further_hubs_members_are_not_told_either(images: b.Feed, ear: Ear) -> None:
    further = south()
    given(further, images)
    agreed(further, "out")
    theirs = RemoteCobalt(further, "granite")
    send(
        further,
        report(
            *(further, images),
            hubs=(counts(count(applied=1)),),
            members=(theirs.named(),),
            statements=(theirs.statement(images),),
        ),
    )
    Agreement.objects.filter(direction="in").update(evidence="counts")
    told()
    assert [it.path for it in ear.last.hubs] == [(), ("south.example",)]
    assert b"granite" not in ear.last.to_bytes()


def test_a_further_hub_that_came_down_to_numbers_is_told_of_by_numbers(images: b.Feed, ear: Ear) -> None:
    """Its members are still here from before; told of with it, the whole report would be refused, again and again."""
    further = south()
    given(further, images)
    agreed(further, "out")
    theirs = RemoteCobalt(further, "granite")
    members, statements = (theirs.named(),), (theirs.statement(images),)
    send(further, report(further, images, hubs=(counts(count(applied=1)),), members=members, statements=statements))
    less = counts(count(applied=1), mode="counts")
    send(further, report(further, images, 2, mode="counts", hubs=(less,)))
    told()
    assert [(it.path, it.mode) for it in ear.last.hubs] == [((), "documents"), (("south.example",), "counts")]
    assert b"granite" not in ear.last.to_bytes()


def test_what_came_from_a_hub_does_not_go_back_to_it(images: b.Feed, at_home: Hub, ear: Ear) -> None:
    """Were two hubs to mirror the list from one another, neither would hear its own."""
    given(at_home, images)
    agreed(at_home, "out")
    send(at_home, report(at_home, images, hubs=(counts(count(entitled=3)),)))
    further = south()
    given(further, images)
    agreed(further, "out")
    send(further, report(further, images, hubs=(counts(count(entitled=2), path=("north.example",)),)))
    told()
    assert [it.path for it in ear.last.hubs] == [()]

"""A hotline sees its withdrawals arrive at other hubs: numbers, and each member where statements come with them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from federation.models import Agreement, MemberRequest
from federation.reports import Report
from hashshare.selectors.elsewhere import HubStanding
from hashshare.selectors.propagation import HubState, Withdrawal, over_hubs, propagation, withdrawal
from hashshare.selectors.reception import release_page
from hashshare.services.reminders import remind_overdue
from tests import builders as b
from tests.federation.builders import Hub, agreed, north, south
from tests.federation.builders_evidence import (
    HOUR,
    RemoteCobalt,
    as_party,
    count,
    counts,
    given,
    report,
    send,
    version_2,
    withdrawing_feed,
)
from tests.services.statements import state

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def from_south(db: None) -> Hub:
    made = south()
    agreed(made, "out")
    return made


@pytest.fixture
def basalt(db: None) -> b.Party:
    """A member of this hub."""
    return b.member("Basalt")


@pytest.fixture
def images(from_south: Hub, basalt: b.Party) -> b.Feed:
    return withdrawing_feed(basalt, as_party(from_south))


@pytest.fixture
def cobalt(from_south: Hub) -> RemoteCobalt:
    return RemoteCobalt(from_south)


def seen(feed: b.Feed, **changes: Any) -> Withdrawal:
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": b.now(), "version": 2}
    (found,) = propagation(caller=feed.publisher.caller, **names | changes).withdrawals
    return found


def only(found: Withdrawal) -> HubState:
    (hub,) = found.hubs
    return hub


def told(sender: Hub, feed: b.Feed, *parts: Any, sequence: int = 1, **changes: Any) -> Report:
    made = report(sender, feed, sequence, hubs=parts, **changes)
    send(sender, made)
    return made


def test_a_hub_that_has_told_nothing_is_there_with_its_own_copy(images: b.Feed, from_south: Hub) -> None:
    hub = only(seen(images))
    assert (hub.standing.hub, hub.standing.mode, hub.standing.entitled) == ("south.example", "", 0)
    assert hub.mirror is not None
    assert (hub.mirror.state, hub.mirror.applied_at) == ("waiting", None)
    at = version_2(images).published_at
    assert at is not None
    state(as_party(from_south), images, 2, purged=2, now=at + 3 * MINUTE)
    mirror = only(seen(images)).mirror
    assert mirror is not None
    assert (mirror.state, mirror.applied_at) == ("purged", at + 3 * MINUTE)


def test_a_hub_is_no_member(images: b.Feed, from_south: Hub) -> None:
    state(as_party(from_south), images, 2)
    found = seen(images)
    assert (found.entitled, found.applied) == (1, 0)
    assert [member.organisation.slug for member in found.members] == ["basalt"]
    assert (found.everywhere.entitled, found.everywhere.applied) == (1, 0)
    assert remind_overdue(now=b.now() + 7 * HOUR) == 0  # nobody of Basalt can be mailed, and South is not asked


def test_numbers_of_members_there_are_told_beside_those_here(images: b.Feed, basalt: b.Party, from_south: Hub) -> None:
    state(basalt, images, 2, purged=2)
    at = version_2(images).published_at
    assert at is not None
    numbers = count(entitled=7, applied=4, purged=2, overdue=1, served_at=at)
    told(from_south, images, counts(numbers, mode="counts"), mode="counts")
    found = seen(images)
    standing = only(found).standing
    assert (standing.entitled, standing.applied, standing.purged, standing.overdue) == (7, 4, 2, 1)
    assert (standing.mode, standing.stated, standing.members) == ("counts", 0, ())
    assert standing.median_seconds == pytest.approx(3600, abs=1)
    assert standing.p95_seconds == pytest.approx(7200, abs=1)
    assert (found.entitled, found.applied) == (1, 1)
    whole = found.everywhere
    assert (whole.entitled, whole.applied, whole.purged, whole.overdue) == (8, 5, 3, 1)


def test_members_there_are_shown_by_what_they_signed(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    served = b.now() - 8 * HOUR  # the deadline is six
    granite, mica = RemoteCobalt(from_south, "granite"), RemoteCobalt(from_south, "mica")
    slate, late = RemoteCobalt(from_south, "slate"), RemoteCobalt(from_south, "talc")
    told(
        from_south,
        images,
        counts(count(entitled=4, applied=2, purged=1, overdue=1, served_at=served)),
        members=(
            cobalt.named(name="Cobalt"),
            granite.named(),
            mica.named(),
            slate.named(access=False, until=b.now()),
            late.named(since=b.now()),
        ),
        statements=(
            cobalt.statement(images, purged=2, received_at=served + HOUR),
            granite.statement(images, purged=1, received_at=served + 2 * HOUR),
            mica.statement(images, 1),
        ),
    )
    standing = only(seen(images)).standing
    assert {member.organisation: member.state for member in standing.members} == {
        "cobalt": "purged",
        "granite": "applied",
        "mica": "overdue",
        "slate": "left",
    }
    assert standing.stated == 2
    first = standing.members[0]
    assert (first.name, first.country) == ("Cobalt", "DE")
    assert first.applied_at == first.purged_at == (served + HOUR).replace(microsecond=0)
    assert seen(images, now=served + HOUR).hubs[0].standing.members[2].state == "waiting"


def test_members_there_are_looked_for_only_where_they_may_be_seen(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    told(
        from_south,
        images,
        counts(count(applied=1)),
        members=(cobalt.named(),),
        statements=(cobalt.statement(images),),
    )
    release = version_2(images)
    (found,) = over_hubs(found=[withdrawal(release=release, now=b.now())], now=b.now(), members=False)
    assert (only(found).standing.stated, only(found).standing.members) == (1, ())
    page = release_page(release_id=release.pk, of=images.publisher.party.organisation.pk, now=b.now())
    assert page is not None
    assert [(it.standing.hub, it.standing.applied, it.standing.members) for it in page.hubs] == [
        ("south.example", 1, ())
    ]
    assert [it.member.organisation.slug for it in page.members] == ["basalt"]


def test_hubs_behind_a_peer_are_shown_with_the_way_to_them(images: b.Feed, from_south: Hub) -> None:
    told(
        from_south,
        images,
        counts(count(entitled=2, applied=1)),
        counts(count(entitled=3, applied=3), path=("east.example",)),
        counts(count(entitled=4), path=("east.example", "far.example")),
    )
    found = seen(images)
    assert [(it.standing.path, it.mirror is not None) for it in found.hubs] == [
        (("south.example",), True),
        (("south.example", "east.example"), False),
        (("south.example", "east.example", "far.example"), False),
    ]
    assert (found.everywhere.entitled, found.everywhere.applied) == (1 + 2 + 3 + 4, 4)


def test_another_hotlines_lists_tell_nothing_of_this_one(images: b.Feed, from_south: Hub) -> None:
    other = b.publisher("Borealis", "borealis.example")
    video = b.feed(other, "video")
    rows = [b.entry() for _ in range(9)]
    video.publish(video.first(rows))
    given(north(), video)
    video.publish(video.next([b.withdraw(rows[0])]))
    told(from_south, images, counts(count(entitled=7)))
    names: dict[str, Any] = {"domain": "borealis.example", "slug": "video", "now": b.now(), "version": 2}
    (found,) = propagation(caller=other.caller, **names).withdrawals
    assert [(it.standing.hub, it.standing.entitled) for it in found.hubs] == [("north.example", 0)]


def test_a_hub_whose_access_ended_before_is_not_shown(images: b.Feed, from_south: Hub) -> None:
    given(north(), images)  # after version 2 was published
    assert [it.standing.hub for it in seen(images).hubs] == ["south.example"]


def test_names_that_were_told_stay_when_numbers_are_agreed_later(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    """What was signed stays on record; nothing further is told."""
    made = told(from_south, images, counts(count()), members=(cobalt.named(),))
    Agreement.objects.update(evidence="counts")
    numbers = counts(count(entitled=2), mode="counts")
    send(from_south, replace(made, sequence=2, mode="counts", hubs=(numbers,), members=()))
    standing: HubStanding = only(seen(images)).standing
    assert (standing.mode, standing.members, standing.entitled) == ("counts", (), 2)


def test_it_takes_few_queries_however_much_was_told(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            seen(images)
        return len(queries)

    told(from_south, images, counts(count()), members=(cobalt.named(),))
    before = asked()
    others = [RemoteCobalt(from_south, f"m{number}", cobalt.key) for number in range(9)]
    hubs = [counts(count(), path=(f"h{number}.example",)) for number in range(9)]
    told(
        from_south,
        images,
        *hubs,
        members=tuple(other.named() for other in others),
        statements=tuple(other.statement(images) for other in others),
        sequence=2,
    )
    assert asked() == before <= 8


def test_a_member_that_the_publisher_decided_on_has_the_name_that_it_asked_under(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    MemberRequest.objects.create(
        hub=from_south.organisation,
        list=images.row,
        origin=uuid.uuid4(),
        slug="cobalt",
        name="Cobalt Works",
        country="DE",
        kind="member",
        terms_digest=images.row.terms_digest,
        state="active",
        requested_at=b.now(),
    )
    told(
        from_south,
        images,
        counts(count(entitled=2)),
        members=(cobalt.named(), RemoteCobalt(from_south, "mica").named()),
    )
    assert [it.name for it in only(seen(images)).standing.members] == ["Cobalt Works", ""]

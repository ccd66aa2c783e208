"""At the hub that has the copy: the signed policy says who gets the list, and a copy that may not be passed on is
read by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from federation.models import Agreement, MirroredList, MirroredPublisher, TakenTerms
from federation.policy import Failure, Success
from federation.services.crossing import check_offer, judge_every_copy, judge_mirrored
from hashshare.models import HashList, Publisher, Subscription
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.lists import catalogue, heads
from hashshare.services.subscriptions import decide_subscription
from hashshare.wire import errors
from hashshare.wire.manifest import Redistribution
from tests import builders as b
from tests.federation.copied import asks, scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_portugal(settings: Settings) -> None:
    settings.HASHSHARE_COUNTRY = "PT"


def grants(found: HashList, who: b.Party) -> Subscription:
    """As the operator of this hub."""
    hotline = Caller(found.publisher.organisation, "session", "operator@south.example")
    return decide_subscription(
        caller=hotline,
        domain="aurora.example",
        slug=found.slug,
        organisation=who.organisation.slug,
        decision="grant",
        now=b.now(),
    )


def held(policy: Redistribution | None = None) -> tuple[HashList, b.Party]:
    """By Cobalt, in Germany, the hub having been trusted with its members."""
    _, found = scene(policy, members="hub")
    cobalt = b.member()
    asks(cobalt, found)
    grants(found, cobalt)
    return found, cobalt


def reads(who: b.Party) -> bool:
    return bool(heads(caller=who.caller, now=b.now()))


def now_says(found: HashList, policy: Redistribution) -> None:
    """As the mirror job leaves the row when it has taken a manifest."""
    found.redistribution = policy.to_record()
    found.save(update_fields=["redistribution"])


def test_a_member_reads_what_may_be_passed_on() -> None:
    found, cobalt = held()
    assert judge_mirrored(found, now=b.now()) == Success()
    assert reads(cobalt)


def test_it_comes_into_the_catalogue_with_its_publishers_root() -> None:
    """Before the first copy there is no root here that a member who asks for the list could pin."""
    _, found = scene()
    cobalt = b.member()
    assert [row.list for row in catalogue(caller=cobalt.caller)] == [found]
    Publisher.objects.update(root_fingerprint="")
    assert not catalogue(caller=cobalt.caller)


def test_a_member_in_a_closed_country_cannot_ask() -> None:
    _, found = scene(Redistribution("federation", not_in=("DE",)))
    with pytest.raises(errors.NotRedistributed, match="is in DE, which the publisher's policy closes"):
        asks(b.member(), found)
    assert asks(b.party("member", "Cerise", country="SE"), found).state == "requested"


def test_a_member_in_a_country_that_was_closed_since_is_not_granted() -> None:
    _, found = scene(members="hub")
    cobalt = b.member()
    asks(cobalt, found)
    now_says(found, Redistribution("federation", not_in=("DE",)))
    with pytest.raises(errors.NotRedistributed):
        grants(found, cobalt)


def test_a_policy_that_closes_a_country_ends_what_members_there_have_and_no_other() -> None:
    found, cobalt = held()
    cerise = b.party("member", "Cerise", country="SE")
    asks(cerise, found)
    grants(found, cerise)
    waiting = asks(b.party("member", "Cyan", country="DE"), found)

    now_says(found, Redistribution("federation", not_in=("DE",)))
    assert judge_mirrored(found, now=b.now()) == Success()

    assert (reads(cobalt), reads(cerise)) == (False, True)
    row = Subscription.objects.get(organisation=cobalt.organisation)
    assert (row.state, "DE, which the publisher's policy closes" in row.reason) == ("revoked", True)
    waiting.refresh_from_db()
    assert waiting.state == "denied"


def the_policy_becomes_none(found: HashList) -> None:
    now_says(found, Redistribution())


def the_policy_names_others(found: HashList) -> None:
    now_says(found, Redistribution("named", ("east.example",)))


def this_country_is_closed(found: HashList) -> None:
    now_says(found, Redistribution("federation", not_in=("PT",)))


def the_policy_says_something_new(found: HashList) -> None:
    now_says(found, Redistribution("federation", extra={"hours": "9-17"}))


def the_agreement_ends(found: HashList) -> None:
    Agreement.objects.update(ended_at=b.now())


def the_agreement_lapses(found: HashList) -> None:
    Agreement.objects.update(until=b.now() - timedelta(seconds=1))


def it_comes_by_this_hub(found: HashList) -> None:
    MirroredPublisher.objects.update(path=[hub_name(), "north.example"])


def the_peer_gives_it_no_more(found: HashList) -> None:
    TakenTerms.objects.filter(list=found).update(given=False, why="The hub's subscription is revoked.")


CHANGES = [
    the_policy_becomes_none,
    the_policy_names_others,
    this_country_is_closed,
    the_policy_says_something_new,
    the_agreement_ends,
    the_agreement_lapses,
    it_comes_by_this_hub,
    the_peer_gives_it_no_more,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_that_may_not_be_passed_on_any_more_is_closed_and_says_why(
    change: Callable[[HashList], None],
) -> None:
    found, cobalt = held()
    change(found)
    verdict = judge_mirrored(found, now=b.now())
    assert isinstance(verdict, Failure)
    assert not reads(cobalt)
    assert TakenTerms.objects.get(list=found).closed_for == verdict.reason
    found.refresh_from_db()
    assert found.closed_at is not None
    with pytest.raises(errors.NotRedistributed, match="no longer pass the list on"):
        asks(cobalt, found)
    with pytest.raises(errors.NotEntitled):
        asks(b.party("member", "Cerise", country="SE"), found)


def test_it_is_opened_by_the_next_copy_once_it_may_be_and_members_go_on() -> None:
    found, cobalt = held()
    now_says(found, Redistribution())
    judge_mirrored(found, now=b.now())
    since = HashList.objects.get().closed_at
    judge_mirrored(found, now=b.now() + timedelta(hours=1))
    assert HashList.objects.get().closed_at == since
    now_says(found, Redistribution("named", (hub_name(),)))
    judge_mirrored(found, now=b.now())
    assert not reads(cobalt), "it may be old"
    HashList.objects.update(closed_at=None)  # as serving a copy does
    assert judge_mirrored(found, now=b.now()) == Success()
    assert reads(cobalt)
    assert TakenTerms.objects.get().closed_for == ""


def test_a_list_that_the_peer_offers_no_more_is_closed() -> None:
    found, cobalt = held()
    MirroredList.objects.update(allowed=False)
    verdict = judge_mirrored(found, now=b.now())
    assert verdict == Failure("north.example offers it no more.")
    assert not reads(cobalt)


def test_every_copy_is_judged_anew_by_the_timetable() -> None:
    _, cobalt = held()
    assert judge_every_copy(now=b.now()) == 0
    Agreement.objects.update(until=b.now() + timedelta(hours=1))
    assert judge_every_copy(now=b.now() + timedelta(hours=2)) == 1
    assert not reads(cobalt)


def test_a_list_at_home_is_nobody_elses_business() -> None:
    feed = b.feed(b.publisher())
    cobalt = b.member()
    b.subscribed(cobalt, feed)
    assert judge_every_copy(now=b.now()) == 0
    assert Subscription.objects.get().state == "active"


def test_the_operator_decides_only_where_the_publisher_left_it_to_the_hub() -> None:
    _, found = scene()
    cobalt = b.member()
    asks(cobalt, found)
    with pytest.raises(errors.NotAllowed, match=r"Aurora decides on aurora\.example/images at north\.example"):
        grants(found, cobalt)
    TakenTerms.objects.create(list=found, members="hub")
    assert grants(found, cobalt).state == "active"


def test_a_peer_that_says_more_than_the_publisher_signed_is_refused_by_name() -> None:
    origin, _ = scene()
    signed = Redistribution("named", ("south.example",), ("US",))
    check_offer("aurora.example/images", offered=signed, signed=signed, peer=origin.peer)
    with pytest.raises(errors.NotRedistributed, match=r"What north\.example says of aurora\.example/images opens US"):
        check_offer(
            "aurora.example/images",
            offered=Redistribution("named", ("south.example",)),
            signed=signed,
            peer=origin.peer,
        )

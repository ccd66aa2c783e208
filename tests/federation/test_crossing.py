"""What a peer is served at the hub that gives: the condition of the queries is the rule, and every door asks it."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from federation.models import Agreement, MirroredPublisher, Peer
from federation.policy import MOST_HUBS, Success
from federation.selectors.crossing import crossing_to, judge_giving
from hashshare.models import HashList, Organisation, Publisher
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.lists import heads
from hashshare.selectors.metadata import metadata_file
from hashshare.selectors.objects import target_object
from hashshare.selectors.releases import releases
from hashshare.services.organisations import suspend_organisation
from hashshare.wire import errors
from hashshare.wire.manifest import Redistribution
from tests import builders as b
from tests.federation.builders import Hub, accepted, agreed, hub, north, south

pytestmark = pytest.mark.django_db

NOW = timezone.now()
HUBS = ["north.example", "south.example", "east.example", "west.example"]


# --- The condition is the rule -----------------------------------------------------------------------------------


def some(dice: random.Random, words: list[str], most: int = 3) -> tuple[str, ...]:
    return tuple(dice.sample(words, dice.randint(0, min(most, len(words)))))


def a_policy(dice: random.Random) -> dict[str, Any]:
    policy = Redistribution(
        dice.choice(["none", "named", "named", "named", "federation", "federation"]),
        some(dice, [*HUBS[:3], hub_name(), hub_name()[:-1]], 4) if dice.random() < 0.5 else (*HUBS, hub_name()),
        some(dice, ["PT", "SE", "US", "EU", "pt"], 2) if dice.random() < 0.3 else (),
        dice.choice([{}] * 15 + [{"later": 1}]),
    )
    return policy.to_record() if dice.random() < 0.8 else {"peers": [], "not_in": []} | policy.to_json()


def a_path(dice: random.Random) -> list[str]:
    way = ["home.example", *some(dice, [*HUBS, hub_name()], 3)]
    if dice.random() < 0.1:
        way = list(some(dice, [f"h{n}.example" for n in range(MOST_HUBS)], MOST_HUBS))
    return [*way, way[0]] if way and dice.random() < 0.05 else way


def a_list(dice: random.Random, number: int, hotline: Organisation, origin: Organisation) -> HashList:
    copied = dice.random() < 0.6
    publisher = Publisher.objects.create(
        domain=f"p{number}.example", organisation=hotline, mirrored_from=origin if copied else None
    )
    if copied and dice.random() < 0.95:
        peer = Peer.objects.get(organisation=origin)
        MirroredPublisher.objects.create(publisher=publisher, peer=peer, root="0" * 64, path=a_path(dice))
    return HashList.objects.create(
        publisher=publisher,
        slug=dice.choice(["images", "video"]),
        tuf_id=secrets.token_hex(8),
        title="Known",
        algorithms=["md5"],
        terms_digest="",
        redistribution=a_policy(dice),
        closed_at=NOW if dice.random() < 0.05 else None,
    )


def an_agreement(dice: random.Random, peer: Peer, found: HashList) -> None:
    moments = [*[None] * 4, NOW + timedelta(days=1), NOW, NOW - timedelta(days=1)]
    Agreement.objects.create(
        peer=peer,
        direction=dice.choice(["out"] * 9 + ["in"]),
        publisher=found.publisher.domain,
        slug=dice.choice(["", "", found.slug, found.slug, "other"]),
        until=dice.choice(moments),
        ended_at=NOW if dice.random() < 0.1 else None,
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_condition_lets_through_what_the_rule_does(seed: int) -> None:
    dice = random.Random(seed)
    hubs = [north(), south(), accepted(hub("east.example", title="East"))]
    Peer.objects.filter(name="east.example").update(country="")
    hotline = b.party("hotline", "Aurora").organisation
    lists = [a_list(dice, number, hotline, dice.choice(hubs).organisation) for number in range(150)]
    for found in lists:
        for made in hubs:
            if dice.random() < 0.8:
                an_agreement(dice, made.peer, found)
    through = 0
    for made in hubs:
        ruled = {found.pk for found in lists if judge_giving(found, made.peer, now=NOW) == Success()}
        asked = set(HashList.objects.filter(crossing_to(made.organisation, NOW)).values_list("pk", flat=True))
        assert asked == ruled
        through += len(ruled)
    assert 20 < through < 400  # neither all nor nothing, or the comparison says nothing


# --- Every door asks it ------------------------------------------------------------------------------------------


@pytest.fixture
def images() -> b.Feed:
    """At home here, open to the federation but not in the United States."""
    return published("images", Redistribution("federation", not_in=("US",)))


def published(slug: str, policy: Redistribution) -> b.Feed:
    owner = b.publisher()
    feed = b.feed(owner, slug, redistribution=policy.to_json())
    feed.publish(feed.first([b.entry()], redistribution=policy))
    return feed


@pytest.fixture
def subscribed(images: b.Feed) -> Hub:
    """South, under an agreement, subscribed to the images."""
    made = south()
    agreed(made, "out")
    b.subscribed(b.Party(made.organisation, made.key), images)
    return made


def doors(feed: b.Feed) -> list[Callable[[Caller], Any]]:
    """Everything that gives something of a list's content."""
    domain, list_id, at = feed.publisher.domain, feed.list_id, b.now
    digest = feed.row.manifest_digest
    return [
        lambda c: releases(caller=c, domain=domain, slug=feed.row.slug, now=at()),
        lambda c: metadata_file(caller=c, domain=domain, filename=f"1.{list_id}.json", now=at()),
        lambda c: metadata_file(caller=c, domain=domain, filename="timestamp.json", now=at()),
        lambda c: target_object(
            caller=c, domain=domain, list_id=list_id, digest=digest, name="manifest.json", now=at()
        ),
    ]


def is_served(feed: b.Feed, caller: Caller) -> bool:
    """At every door alike."""
    seen = {bool(heads(caller=caller, now=b.now()))}
    for door in doors(feed):
        try:
            seen.add(bool(door(caller)))
        except errors.NotEntitled:
            seen.add(False)
    assert len(seen) == 1, "some doors are open, others are not"
    return seen.pop()


def test_a_subscribed_peer_under_an_agreement_is_served(images: b.Feed, subscribed: Hub) -> None:
    assert is_served(images, subscribed.caller)


def end_the_agreement(images: b.Feed, made: Hub) -> None:
    Agreement.objects.update(ended_at=b.now())


def let_the_agreement_lapse(images: b.Feed, made: Hub) -> None:
    Agreement.objects.update(until=b.now() - timedelta(seconds=1))


def agree_on_another_list(images: b.Feed, made: Hub) -> None:
    Agreement.objects.update(slug="video")


def agree_the_other_way(images: b.Feed, made: Hub) -> None:
    Agreement.objects.update(direction="in")


def suspend(images: b.Feed, made: Hub) -> None:
    Peer.objects.update(state="suspended")


def end(images: b.Feed, made: Hub) -> None:
    Peer.objects.update(state="ended")


def move_to_a_closed_country(images: b.Feed, made: Hub) -> None:
    Peer.objects.update(country="US")


def hide_the_country(images: b.Feed, made: Hub) -> None:
    Peer.objects.update(country="")


def close_the_policy(images: b.Feed, made: Hub) -> None:
    assert images.manifest is not None
    images.publish(images.next([b.upsert(b.entry())], redistribution=Redistribution()))


def name_another_hub(images: b.Feed, made: Hub) -> None:
    assert images.manifest is not None
    images.publish(images.next([b.upsert(b.entry())], redistribution=Redistribution("named", ("east.example",))))


def close_the_copy(images: b.Feed, made: Hub) -> None:
    HashList.objects.update(closed_at=b.now())


@pytest.mark.parametrize(
    "change",
    [
        end_the_agreement,
        let_the_agreement_lapse,
        agree_on_another_list,
        agree_the_other_way,
        suspend,
        end,
        move_to_a_closed_country,
        hide_the_country,
        close_the_policy,
        name_another_hub,
        close_the_copy,
    ],
)
def test_it_is_served_nothing_from_the_moment_that_something_is_against_it(
    images: b.Feed, subscribed: Hub, change: Callable[[b.Feed, Hub], None]
) -> None:
    change(images, subscribed)
    assert not is_served(images, subscribed.caller)


def test_a_token_of_a_peer_gives_no_more_than_its_signature(images: b.Feed, subscribed: Hub) -> None:
    caller = subscribed.caller
    token = Caller(caller.organisation, "token", caller.key_id)
    assert is_served(images, token)
    end_the_agreement(images, subscribed)
    assert not is_served(images, token)
    Agreement.objects.update(ended_at=None)
    suspend_organisation(organisation=caller.organisation)
    assert heads(caller=token, now=b.now()) == []


def test_an_agreement_alone_gives_nothing(images: b.Feed) -> None:
    made = south()
    agreed(made, "out")
    assert not is_served(images, made.caller)


def test_an_organisation_of_kind_hub_that_is_no_peer_is_served_nothing(images: b.Feed) -> None:
    stranger = b.party("hub", "East")
    Peer.objects.filter(organisation=stranger.organisation).delete()
    assert not is_served(images, stranger.caller)


def test_members_are_served_whatever_the_policy_says_of_hubs() -> None:
    images, cobalt = published("images", Redistribution(not_in=("DE",))), b.member()
    b.subscribed(cobalt, images)
    assert is_served(images, cobalt.caller)


def test_a_member_s_poll_asks_nothing_of_peers(images: b.Feed, django_assert_num_queries: Any) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    with django_assert_num_queries(1) as seen:
        assert len(heads(caller=cobalt.caller, now=b.now())) == 1
    assert "federation" not in seen.captured_queries[0]["sql"]

"""What this hub offers to a peer: what is agreed, subscribed to and published, and nothing of what came through it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from federation.models import MirroredPublisher, Peer
from federation.offers import OfferedPublisher, parse_offers
from federation.selectors.offers import offers_to
from hashshare.models import Subscription
from hashshare.peering_keys import hub_name
from hashshare.services.access_keys import create_access_key
from hashshare.wire import errors
from hashshare.wire.documents import write_object
from hashshare.wire.manifest import Redistribution
from tests.api.parties import CLIENT, Party, with_authorization
from tests.builders import Feed, entry, feed, member, now, publisher, subscribed
from tests.federation.builders import Hub, agreed, north, south
from tests.federation.offering import OFFERED

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> Feed:
    made = feed(publisher("Aurora", "aurora.example"), redistribution={"policy": "federation"})
    made.publish(made.first([entry()], redistribution=Redistribution("federation")))
    return made


def granted(who: Hub, to: Feed) -> Subscription:
    return Subscription.objects.create(
        list=to.row,
        organisation=who.organisation,
        state=Subscription.State.ACTIVE,
        terms_digest=to.row.terms_digest,
        terms_accepted_at=now(),
        requested_at=now(),
        entitled_at=now(),
    )


def offered(who: Hub) -> list[OfferedPublisher]:
    return offers_to(caller=who.caller, now=now())


def test_it_offers_what_is_agreed_and_subscribed_to(images: Feed) -> None:
    hub = north()
    agreed(hub, "out")
    granted(hub, images)
    (found,) = offered(hub)
    assert (found.domain, found.path, found.organisation) == ("aurora.example", (hub_name(),), "Aurora")
    assert found.root == images.publisher.party.organisation.publishers.get().root_fingerprint
    (only,) = found.lists
    assert (only.list_id, only.terms_digest) == (images.list_id, images.row.terms_digest)
    assert (only.members, only.evidence) == ("each", "documents")
    assert parse_offers(write_object({"publishers": [found.to_json()]})) == (found,)


def test_it_offers_nothing_without_an_agreement_in_force(images: Feed) -> None:
    hub = north()
    granted(hub, images)
    assert offered(hub) == []
    row = agreed(hub, "out", until=now() - timedelta(seconds=1))
    assert offered(hub) == []
    row.until = None
    row.ended_at = now()
    row.save()
    assert offered(hub) == []
    agreed(hub, "out", slug="videos")
    agreed(hub, "in")
    assert offered(hub) == []


def test_it_offers_nothing_without_a_subscription_in_force(images: Feed) -> None:
    hub = north()
    agreed(hub, "out")
    assert offered(hub) == []
    row = granted(hub, images)
    row.ends_at = now() - timedelta(seconds=1)
    row.save()
    assert offered(hub) == []


def test_it_offers_nothing_to_a_peer_that_is_suspended(images: Feed) -> None:
    hub = north()
    agreed(hub, "out")
    granted(hub, images)
    Peer.objects.update(state=Peer.State.SUSPENDED)
    with pytest.raises(errors.NotAPeer):
        offered(hub)


def test_what_was_agreed_of_a_list_comes_before_what_was_of_its_publisher(images: Feed) -> None:
    hub = north()
    agreed(hub, "out")
    agreed(hub, "out", slug="images", evidence="counts")
    granted(hub, images)
    assert offered(hub)[0].lists[0].evidence == "counts"


def test_it_offers_on_what_another_peer_brought_but_not_back(images: Feed) -> None:
    hub, other = north(), south()
    mirror = MirroredPublisher(publisher=images.row.publisher, peer=other.peer, path=[other.name], root="0" * 64)
    mirror.save()
    images.row.publisher.mirrored_from = other.organisation
    images.row.publisher.save()
    for peer in (hub, other):
        agreed(peer, "out")
        granted(peer, images)
    (found,) = offered(hub)
    assert found.path == (other.name, hub_name())
    assert offered(other) == []


def test_others_than_peers_are_refused(images: Feed) -> None:
    hub, cobalt = north(), member()
    agreed(hub, "out")
    granted(hub, images)
    subscribed(cobalt, images)
    assert CLIENT.get("/api/v1/peers/offers").status_code == 401
    assert Party(cobalt.organisation, cobalt.key).signed("GET", "peers/offers").status_code == 403
    _, secret = create_access_key(caller=hub.caller, name="curl", days=1, now=now())
    assert with_authorization(CLIENT, "GET", "peers/offers", f"Bearer {secret}").status_code == 403
    speaking = Party(hub.organisation, hub.key)
    for answer in (speaking.signed("GET", "peers/offers"), speaking.get("peers/offers")):
        assert answer.status_code == 200
        (found,) = parse_offers(answer.content)
        assert found.lists[0].list_id == images.list_id


GOOD = {
    "domain": "aurora.example",
    "organisation": {"name": "Aurora", "country": "NO"},
    "root_fingerprint": "0" * 64,
    "path": ["north.example"],
    "lists": [{**OFFERED, "id": "0" * 16, "slug": "images"}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "../aurora"},
        {"organisation": {"name": "Aur\nora", "country": "NO"}},
        {"organisation": {"name": "Aur\u202eora", "country": "NO"}},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "images", "title": "Ima\u200bges"}]},
        {"organisation": {"name": "Aurora", "country": "Norway"}},
        {"root_fingerprint": "root"},
        {"path": []},
        {"path": ["north.example", "north.example"]},
        {"path": [f"h{number}" for number in range(17)]},
        {"lists": [{**OFFERED, "id": "../../etc/passwd", "slug": "images"}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "Images"}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "images", "terms": "Other terms."}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "images", "poll_seconds": 0}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "images", "poll_seconds": 1e300}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "images", "members": "all"}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": "images", "redistribution": {"policy": "any"}}]},
        {"lists": [{**OFFERED, "id": "0" * 16, "slug": it} for it in ("images", "videos")]},
        {"lists": "all"},
    ],
)
def test_it_refuses_malformed_offers(change: dict[str, object]) -> None:
    assert parse_offers(write_object({"publishers": [GOOD], "more": 1}))
    with pytest.raises(errors.MalformedOffers):
        parse_offers(write_object({"publishers": [{**GOOD, **change}]}))


def test_it_refuses_more_than_its_bound(tmp_path: Path) -> None:
    with pytest.raises(errors.MalformedOffers):
        parse_offers(b" " * (16 << 20) + write_object({"publishers": []}))
    with pytest.raises(errors.MalformedOffers):
        parse_offers(write_object({"publishers": [GOOD] * 2}))

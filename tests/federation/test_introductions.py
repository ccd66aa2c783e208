"""Two operators introduce their hubs to one another: what is kept, compared, accepted, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from federation.documents import HubDescriptor
from federation.models import Agreement, Peer
from federation.selectors.descriptors import own_descriptor
from federation.services.peers import accept_peer, end_peer, introduce_peer, resume_peer, suspend_peer
from hashshare.models import Leaf, OrganisationKey
from hashshare.peering_keys import peer_key
from hashshare.wire import errors, keys
from hashshare.wire.documents import write_object
from hashshare.wire.fingerprints import spoken_lines
from hashshare.wire.log import PeerChange
from tests.builders import member, now
from tests.federation.builders import Hub, agreed, hub, introduced, north, south

pytestmark = pytest.mark.django_db


def introduce(made: Hub, **changes: Any) -> Peer:
    said = HubDescriptor.parse(write_object(made.document(**changes)))
    return introduce_peer(url=made.url, now=now(), fetch=lambda _: said)


def accept(made: Hub, fingerprint: str = "", **facts: Any) -> Peer:
    return accept_peer(name=made.name, fingerprint=fingerprint or made.descriptor.fingerprint, now=now(), **facts)


def changes() -> list[tuple[str, str, str]]:
    """What the public log tells of peers."""
    entries = [bytes(leaf.entry or b"") for leaf in Leaf.objects.filter(kind="peer").order_by("pk")]
    found = [PeerChange.read(entry) for entry in entries]
    return [(each.hub, each.change, each.fingerprint) for each in found if each is not None]


def test_it_keeps_what_the_other_hub_says_and_gives_it_no_right() -> None:
    made = hub()

    peer = introduce(made)

    assert (peer.name, peer.url, peer.title, peer.country) == ("north.example", made.url, "North", "SE")
    assert (peer.state, peer.organisation) == ("introduced", None)
    assert peer.fingerprint == made.descriptor.fingerprint
    assert not OrganisationKey.objects.exists()
    assert changes() == []


def test_it_makes_the_hub_a_peer_when_the_fingerprint_that_was_read_out_is_right() -> None:
    made = hub()
    introduce(made)

    peer = accept(made, "SHA256: " + "\n".join(spoken_lines(made.descriptor.fingerprint)).upper())

    organisation = made.organisation
    assert (peer.state, organisation.state, organisation.kind) == ("active", "active", "hub")
    assert (organisation.slug, organisation.name, organisation.country) == ("north-example", "north.example", "SE")
    assert organisation.named_since is not None
    key = organisation.keys.get()
    assert (key.fingerprint, key.not_after) == (keys.fingerprint_of(made.key), None)
    assert changes() == [("north.example", "accepted", peer.fingerprint)]


def test_it_accepts_no_other_fingerprint() -> None:
    made, other = hub(), hub("south.example")
    introduce(made)

    with pytest.raises(errors.PeerDiffers, match="Nothing was accepted"):
        accept(made, other.descriptor.fingerprint)
    with pytest.raises(errors.UsageError, match="Line 2"):
        accept(made, misheard(made))

    assert (made.peer.state, made.peer.organisation) == ("introduced", None)


def misheard(made: Hub) -> str:
    """With another digit in its second line."""
    lines = list(spoken_lines(made.descriptor.fingerprint))
    lines[1] = ("1" if lines[1][0] != "1" else "2") + lines[1][1:]
    return "\n".join(lines)


def test_it_replaces_an_introduction_that_was_repeated_before_it_was_accepted() -> None:
    first, second = hub(), hub()
    introduce(first)

    introduce(second)

    assert Peer.objects.get().fingerprint == second.descriptor.fingerprint
    with pytest.raises(errors.PeerDiffers):
        accept(first)
    assert accept(second).state == "active"


@pytest.mark.parametrize("state", ["active", "suspended"])
def test_it_introduces_no_hub_anew_that_is_accepted(state: str) -> None:
    made = north()
    if state == "suspended":
        suspend_peer(name=made.name, now=now())

    with pytest.raises(errors.Conflict, match=state):
        introduce(hub())

    assert made.peer.fingerprint == made.descriptor.fingerprint


def test_it_refuses_itself() -> None:
    own = own_descriptor(now=now())

    for said in (own.to_document(), hub().document(peer_key=own.to_document()["peer_key"])):
        with pytest.raises(errors.UsageError, match="this hub itself"):
            introduce_peer(url=said["url"], now=now(), fetch=lambda _, said=said: HubDescriptor.of(said))  # type: ignore[misc]

    assert bytes(own.peer_key) == peer_key().public
    assert not Peer.objects.exists()


def test_it_refuses_a_hub_that_shows_the_key_of_another() -> None:
    one, cobalt = north(), member()

    with pytest.raises(errors.Conflict, match=r"the key of north\.example"):
        introduce(hub("south.example"), peer_key=one.document()["peer_key"])
    mine = hub("south.example")
    mine.key = cobalt.key
    with pytest.raises(errors.Conflict, match="a key of Cobalt"):
        introduce(mine)

    assert list(Peer.objects.all()) == [one.peer]


def test_it_refuses_keys_under_which_one_signature_fits_many_messages() -> None:
    weak = "A" * 43 + "="
    for name in ("peer_key", "witness_key", "log_key"):
        with pytest.raises(errors.MalformedDescriptor):
            introduce(hub(), **{name: weak})


def test_it_asks_for_the_country_of_a_hub_that_does_not_say_it() -> None:
    made = hub(country="")
    introduce(made)

    with pytest.raises(errors.UsageError, match="which country"):
        accept(made)

    assert accept(made, country="no").country == made.organisation.country == "NO"


def test_it_accepts_nothing_twice_and_nothing_that_nobody_introduced() -> None:
    made = introduced(hub())
    accept(made)

    with pytest.raises(errors.Conflict, match="nothing to accept"):
        accept(made)
    with pytest.raises(errors.NotFound):
        accept(hub("south.example"))


def test_it_suspends_and_resumes_at_once_and_the_log_says_so() -> None:
    made = north()

    suspend_peer(name=made.name, now=now())
    assert (made.peer.state, made.organisation.state) == ("suspended", "suspended")
    with pytest.raises(errors.Conflict):
        suspend_peer(name=made.name, now=now())

    resume_peer(name=made.name, now=now())
    assert (made.peer.state, made.organisation.state) == ("active", "active")
    with pytest.raises(errors.Conflict):
        resume_peer(name=made.name, now=now())

    assert [change for _, change, _ in changes()] == ["suspended", "resumed"]


def test_it_ends_a_peer_with_its_agreements_and_compares_anew_if_it_comes_again() -> None:
    made, other = north(), south()
    ended, stays = agreed(made, "out"), agreed(other, "out")

    end_peer(name=made.name, now=now())

    assert (made.peer.state, made.organisation.state) == ("ended", "suspended")
    assert list(Agreement.objects.filter(ended_at=None)) == [stays]
    assert Agreement.objects.get(pk=ended.pk).ended_at is not None
    with pytest.raises(errors.Conflict, match="ended: there is nothing"):
        accept(made)
    introduce(made)
    assert (made.peer.state, made.organisation.state) == ("introduced", "suspended")
    accept(made)
    assert (made.peer.state, made.organisation.state) == ("active", "active")
    assert [change for _, change, _ in changes()] == ["ended", "accepted"]


def test_it_lets_a_hub_that_comes_again_with_another_key_use_that_one_alone() -> None:
    made = north()
    old = keys.fingerprint_of(made.key)
    end_peer(name=made.name, now=now())
    made.key = keys.generate()

    introduce(made)
    accept(made)

    states = {key.fingerprint: key.state_at(now()) for key in made.organisation.keys.all()}
    assert states == {old: "revoked", keys.fingerprint_of(made.key): "active"}


def test_it_drops_an_introduction_without_a_word_in_the_log() -> None:
    made = introduced(hub())

    end_peer(name=made.name, now=now())

    assert made.peer.state == "ended"
    assert changes() == []

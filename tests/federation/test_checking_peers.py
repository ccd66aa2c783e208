"""The hub that answers at a peer's address is looked at now and then: another is kept apart until a person says so."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest

from federation import tasks
from federation.documents import HubDescriptor
from federation.models import Peer
from federation.selectors.peers import active_peers, peer_states, peers_in_force
from federation.services.checks import check_peer, check_peers
from federation.services.connections import session_with
from federation.services.peers import accept_peer, suspend_peer
from hashshare.wire import errors, keys
from hashshare.wire.documents import write_object
from tests.builders import now
from tests.federation.builders import Hub, accepted, introduced, north
from tests.federation.conftest import Answering

pytestmark = pytest.mark.django_db

Answers = tuple[Hub, Answering]


def check(made: Hub, *, says: HubDescriptor | None = None) -> Peer:
    return check_peer(peer=made.peer, now=now(), fetch=lambda _: says or made.descriptor)


def another_key(made: Hub) -> HubDescriptor:
    """What its address says once the key is another."""
    return HubDescriptor.parse(write_object(made.document(peer_key=_another())))


def _another() -> str:
    return base64.b64encode(keys.public_bytes(keys.generate())).decode()


def test_it_follows_what_may_change_and_notes_when_the_peer_was_reached() -> None:
    made = north()
    made.title = "Hub North"

    check(made)

    assert (made.peer.title, made.peer.trouble) == ("Hub North", None)
    assert made.peer.reached_at is not None
    assert made.peer.descriptor["name"] == "Hub North"


@pytest.mark.parametrize("key", ["key", "witness", "log"])
def test_it_takes_nothing_from_a_hub_that_shows_another_key(north_answers: Answers, key: str) -> None:
    made, process = north_answers
    accepted(made)
    before, kept = made.descriptor, getattr(made, key)
    setattr(made, key, keys.generate())
    process.say(write_object(made.document()))

    with pytest.raises(errors.PeerDiffers, match="another"):
        check_peer(peer=made.peer, now=now())

    assert made.peer.fingerprint == before.fingerprint
    assert bytes(made.peer.peer_key) == before.peer_key
    assert made.peer.differs["fingerprint"] == made.descriptor.fingerprint
    assert made.peer.trouble["type"].endswith("/problems/peer-differs")
    assert ("restored from a backup" in made.peer.trouble["detail"]) is (key == "witness")
    assert made.peer.is_another is (key != "witness")
    assert active_peers().exists() is (key == "witness"), "what is copied goes on where a restored hub cosigns anew"
    assert not peers_in_force(), "no cosignature is asked for before a person has compared"
    refuse_to_ask(made, key)

    setattr(made, key, kept)
    process.say(write_object(made.document()))
    check_peer(peer=made.peer, now=now())
    assert not peers_in_force(), "that it is the old one again says nothing of what was in between"
    refuse_to_ask(made, key)


def refuse_to_ask(made: Hub, key: str) -> None:
    """For anything that is copied, but where the witness key alone is another."""
    if key == "witness":
        session_with(made.peer)
        return
    with pytest.raises(errors.PeerDiffers):
        session_with(made.peer)


def test_it_takes_nothing_from_a_hub_that_says_another_name(north_answers: Answers) -> None:
    made, process = north_answers
    accepted(made)
    process.say(write_object(made.document(hub="south.example")))

    with pytest.raises(errors.PeerDiffers, match=r"says that it is south\.example"):
        check_peer(peer=made.peer, now=now())

    assert made.peer.trouble["type"].endswith("/problems/peer-differs")


def test_it_goes_on_with_the_new_key_once_a_person_has_compared_it() -> None:
    made = north()
    old = keys.fingerprint_of(made.key)
    says = another_key(made)
    with pytest.raises(errors.PeerDiffers):
        check(made, says=says)
    third = another_key(made)
    with pytest.raises(errors.PeerDiffers, match="Nothing was accepted"):
        accept_peer(name=made.name, fingerprint=third.fingerprint, now=now())

    peer = accept_peer(name=made.name, fingerprint=says.fingerprint, now=now())

    assert (peer.state, peer.fingerprint, peer.differs, peer.trouble) == ("active", says.fingerprint, None, None)
    assert bytes(made.peer.peer_key) == says.peer_key
    states = {key.fingerprint: key.state_at(now()) for key in made.organisation.keys.all()}
    assert states == {old: "revoked", keys.fingerprint(says.peer_key): "active"}
    assert session_with(made.peer).hub_url == made.url
    check(made, says=says)


def test_it_goes_on_with_the_accepted_key_when_a_person_says_that_it_was_right() -> None:
    made = north()
    with pytest.raises(errors.PeerDiffers):
        check(made, says=another_key(made))

    accept_peer(name=made.name, fingerprint=made.descriptor.fingerprint, now=now())

    assert (made.peer.differs, made.peer.fingerprint) == (None, made.descriptor.fingerprint)
    assert made.organisation.keys.get().fingerprint == keys.fingerprint_of(made.key)
    session_with(made.peer)


def test_it_remembers_since_when_another_hub_answers() -> None:
    made = north()
    with pytest.raises(errors.PeerDiffers):
        check(made, says=another_key(made))
    since, second = made.peer.differs_at, another_key(made)

    with pytest.raises(errors.PeerDiffers):
        check(made, says=second)

    assert (made.peer.differs_at, made.peer.differs["fingerprint"]) == (since, second.fingerprint)


def test_it_judges_by_what_was_accepted_while_it_asked() -> None:
    made = north()
    says, stale = another_key(made), made.peer
    with pytest.raises(errors.PeerDiffers):
        check(made, says=says)
    accept_peer(name=made.name, fingerprint=says.fingerprint, now=now())

    check_peer(peer=stale, now=now(), fetch=lambda _: says)

    assert made.peer.differs is None


def test_it_keeps_why_a_peer_was_not_reached_and_goes_on_to_the_next(north_answers: Answers) -> None:
    made, _ = north_answers
    accepted(made)
    gone = accepted(Hub("127.0.0.1:1", "PT", "South", "http://127.0.0.1:1"))
    strange = accepted(Hub("127.0.0.1:2", "PT", "South", "http://127.0.0.1:2"))
    suspend_peer(name=strange.name, now=now())

    tasks.check_peers()

    assert gone.peer.trouble["detail"] == "127.0.0.1:1 cannot be reached."
    assert (gone.peer.reached_at, strange.peer.trouble) == (None, None)
    assert made.peer.reached_at is not None
    later = now() + timedelta(minutes=61)
    assert {each.peer.name: each.state for each in peer_states(now=later)} == {
        gone.name: "silent",
        strange.name: "suspended",
        made.name: "silent",
    }


def test_it_checks_nothing_that_was_not_accepted(north_answers: Answers) -> None:
    made = introduced(north_answers[0])

    with pytest.raises(errors.NotAPeer):
        check_peer(peer=made.peer, now=now())

    check_peers(now=now())
    assert made.peer.reached_at is None


def test_it_clears_its_own_trouble_and_leaves_that_of_others() -> None:
    made = north()
    for slug, clears in (("network", True), ("peer-differs", True), ("not-redistributed", False)):
        Peer.objects.update(trouble={"type": f"http://127.0.0.1:8000/problems/{slug}", "detail": "So."})
        check(made)
        assert (made.peer.trouble is None) == clears, slug


def test_it_leaves_the_times_of_the_poll_alone() -> None:
    """Whose turn it is to be polled goes by them."""
    made = north()

    check(made)

    assert made.peer.polled_at is None

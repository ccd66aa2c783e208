"""A publisher holds its own lists like a member, but acknowledges them to nobody."""

from __future__ import annotations

from hashshare.client.acknowledging import Acknowledger
from hashshare.client.publisher import find_list
from hashshare.client.session import Session
from hashshare.client.store import ListStore
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North


def test_the_hub_is_not_told_what_its_publisher_holds(images: Desk, north: North) -> None:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    store = ListStore(images.home, find_list(images.home, LIST).list_id)
    held = store.held()
    assert held is not None
    north.asked.clear()
    outcome = Acknowledger(images.home, Session.open(images.home)).after_sync(store, held)
    assert (outcome.state, north.asked) == ("own", [])

"""Double clicks and two operators at once, on every deed of the federation: done once, and the second one is told."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from federation.models import Agreement, Finding, MemberRequest, Peer
from federation.services.agreements import agreed_so_far
from federation.services.onward import request_standing
from hashshare.admin.records import RecordAdmin
from hashshare.models import Deed, Leaf, Organisation
from hashshare.services.people import create_person
from tests import builders as b
from tests.admin.addresses import deed
from tests.admin.cast import PASSWORD, browser, person
from tests.admin.doors import said
from tests.federation.builders import agreed, hub, introduced, north, south

pytestmark = pytest.mark.django_db

WHY = {"reason": "as they said by telephone"}


@dataclass
class Scene:
    """A row, the deed on it, what its form sends, what the first click reads, what stands after it, and what somebody
    else reads who opened the form before.
    """

    row: Model
    slug: str
    sent: dict[str, Any]
    reads: str
    stands: Callable[[], Any]
    refused: str


def a_peer(state: str = "active") -> Peer:
    made = introduced(hub()) if state == "introduced" else north()
    if state == "suspended":
        Peer.objects.update(state=state)
        Organisation.objects.update(state=state)
    return made.peer


def of_peer(slug: str, reads: str, refused: str, before: str = "active", **sent: Any) -> Callable[[], Scene]:
    def scene() -> Scene:
        row = a_peer(before)
        form = {"fingerprint": row.fingerprint} if slug == "accept" else WHY
        return Scene(row, slug, form | sent, reads, lambda: Peer.objects.values_list("state", "storage").get(), refused)

    return scene


def agreeing() -> Scene:
    peer = a_peer()
    b.feed(b.publisher())
    form = {"direction": "out", "publisher": "aurora.example", "slug": "", "until": "", "evidence": "counts"}
    sent = form | {"seen": agreed_so_far(peer)}
    return Scene(
        peer,
        "agree",
        sent,
        "Agreed: aurora.example out north.example.",
        lambda: Agreement.objects.count(),
        "was changed meanwhile",
    )


def ending_an_agreement() -> Scene:
    north()
    row = agreed(hub(), "in")
    return Scene(row, "end", WHY, f"Ended: {row}.", lambda: Agreement.objects.get().ended_at, "ended meanwhile")


def settling() -> Scene:
    facts = {"kind": "split_view", "subject": "north.example/log/publication", "detail": "Two."}
    row = Finding.objects.create(peer=a_peer(), found_at=timezone.now(), seen_at=timezone.now(), **facts)
    return Scene(
        row,
        "settle",
        WHY,
        f"Settled: {row}.",
        lambda: Finding.objects.values_list("settled_at").get(),
        "settled already",
    )


def deciding(slug: str, before: str, after: str) -> Callable[[], Scene]:
    def scene() -> Scene:
        made, images = south(), b.feed(b.publisher(), redistribution={"policy": "federation"})
        agreed(made, "out")
        b.subscribed(b.Party(made.organisation, made.key), images)
        row = MemberRequest.objects.create(
            hub=made.organisation, list=images.row, origin=uuid.uuid4(), slug="cobalt", name="Cobalt", country="PT",
            kind="member", terms_digest=images.row.terms_digest, requested_at=timezone.now(), state=before,
        )  # fmt: skip
        sent = WHY | {"seen": request_standing(row), "until": "2099-01-01"}
        rows = MemberRequest.objects.values_list("state", "number")
        return Scene(row, slug, sent, f"{row}: {after}.", lambda: rows.all().get(), "Decided meanwhile")

    return scene


SCENES = {
    "accept a peer": of_peer("accept", "north.example is a peer of this hub.", "nothing to accept", "introduced"),
    "suspend": of_peer("suspend", "north.example is suspended.", "does not apply any more"),
    "resume": of_peer("resume", "north.example is let in again.", "is not suspended", "suspended", reason=""),
    "end": of_peer("end", "north.example is no peer any more.", "has ended already"),
    "agree": agreeing,
    "end an agreement": ending_an_agreement,
    "grant a request": deciding("grant", "requested", "active"),
    "deny a request": deciding("deny", "requested", "denied"),
    "revoke a grant": deciding("revoke", "active", "revoked"),
    "settle a finding": settling,
}


def reads(client: Client, scene: Scene) -> str:
    answer = client.post(deed(scene.row, scene.slug), scene.sent, follow=True)
    return said(answer).replace("North.example", "north.example").replace("Cobalt@", "cobalt@")


@pytest.mark.parametrize("name", SCENES)
def test_it_is_done_once_and_the_second_time_is_told_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = SCENES[name]()
    read_before = copy.deepcopy(type(scene.row)._default_manager.get(pk=scene.row.pk))
    grace = create_person(email="grace@north.example", role="operator", password=PASSWORD)
    mine, other = browser(person("operator")), browser(grace)
    assert scene.reads in reads(mine, scene)
    done = scene.stands(), Deed.objects.count(), Leaf.objects.count()

    def again(client: Client) -> str:
        text = reads(client, scene)
        assert (scene.stands(), Deed.objects.count(), Leaf.objects.count()) == done
        return text

    assert scene.reads in again(mine)
    told = again(other)
    assert scene.reads not in told
    assert any(words in told for words in ("does not apply any more", "changed meanwhile", "Decided meanwhile"))

    # At once: each has read the row before the other's change was there.
    monkeypatch.setattr(RecordAdmin, "get_object", lambda *_args, **_more: copy.deepcopy(read_before))
    assert scene.reads in again(mine)
    told = again(other)
    assert scene.reads not in told
    assert scene.refused in told

"""Roots that are mirrored: each stands in the peer's public log, and none is replaced without its being named."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest

from federation.models import CheckedRoot, Finding, MirroredPublisher
from federation.services import watched_roots
from federation.services.watched_roots import name_replaced_root
from federation.services.watching import watch_peers
from hashshare.models import Metadata, Organisation, Publisher
from hashshare.wire.log import RootReplaced, publication_entry
from tests.builders import now
from tests.federation.builders_witness import HubLog, PublicHub
from tests.federation.conftest import Showing
from tests.vectors.generate import metadata

pytestmark = pytest.mark.django_db
ROOT = metadata()["root"]
MINUTES = timedelta(minutes=1)
AURORA = "aurora.example"


@pytest.fixture
def north(showing: Showing) -> PublicHub:
    """Serves Aurora's root, and has logged it as leaf 3."""
    made = showing("north.example")
    log = HubLog(made.hub).grow(3).add([publication_entry(ROOT)]).grow(300)
    made.show(log)
    made.files[f"/api/v1/tuf/{AURORA}/metadata/1.root.json"] = ROOT
    return made


@pytest.fixture
def mirror(north: PublicHub) -> MirroredPublisher:
    """Aurora, mirrored from North."""
    hotline = Organisation.objects.create(
        slug="aurora", name="Aurora", kind="hotline", country="SE", state=Organisation.State.MIRRORED
    )
    digest = hashlib.sha256(ROOT).hexdigest()
    publisher = Publisher.objects.create(
        organisation=hotline, domain=AURORA, root_fingerprint=digest, mirrored_from=north.hub.organisation
    )
    made = MirroredPublisher.objects.create(publisher=publisher, peer=north.hub.peer, root=digest)
    held(made, 1, ROOT)
    return made


def held(mirror: MirroredPublisher, version: int, body: bytes) -> None:
    Metadata.objects.create(
        publisher=mirror.publisher, role="root", version=version, body=body,
        sha256=hashlib.sha256(body).hexdigest(), expires_at=now() + timedelta(days=300),
    )  # fmt: skip


def named() -> list[str]:
    assert set(Finding.objects.values_list("kind", flat=True)) <= {"root_replaced"}
    return list(Finding.objects.values_list("subject", flat=True))


def watched_for(minutes: int) -> datetime:
    """As if it had been watched every ten minutes for so long; the time then."""
    start = now()
    for passed in range(0, minutes + 1, 10):
        watch_peers(now=start + passed * MINUTES)
    return start + minutes * MINUTES


def test_a_root_that_was_logged_is_found(north: PublicHub, mirror: MirroredPublisher) -> None:
    watched_for(60)
    assert named() == []
    (checked,) = CheckedRoot.objects.all()
    assert (checked.version, checked.index) == (1, 3)


def test_later_roots_are_found_too(north: PublicHub, mirror: MirroredPublisher) -> None:
    watched_for(0)
    second = ROOT + b" "
    north.logs["publication"].add([publication_entry(second)])
    north.show(north.logs["publication"])
    watched_for(0)
    held(mirror, 2, second)
    north.files[f"/api/v1/tuf/{AURORA}/metadata/2.root.json"] = second
    watched_for(60)
    assert named() == []
    assert CheckedRoot.objects.get(version=2).index == 304


def test_a_root_that_was_never_logged_is_named(north: PublicHub, mirror: MirroredPublisher) -> None:
    secret = ROOT + b" "
    held(mirror, 2, secret)
    north.files[f"/api/v1/tuf/{AURORA}/metadata/2.root.json"] = secret
    watched_for(20)
    assert named() == [], "it may be on its way into the log"
    watched_for(40)
    assert named() == [AURORA]
    found = Finding.objects.get()
    assert "version 2" in found.detail
    assert [document["name"] for document in found.documents] == ["2.root.json", "publication-log.txt"]
    assert found.documents[0]["text"].encode() == secret


def test_another_root_in_the_place_of_the_first_is_named(north: PublicHub, mirror: MirroredPublisher) -> None:
    watched_for(0)
    other = ROOT.replace(b"a", b"b", 1)
    north.files[f"/api/v1/tuf/{AURORA}/metadata/1.root.json"] = other
    watched_for(0)
    assert named() == [AURORA]
    texts = [document["text"].encode() for document in Finding.objects.get().documents]
    assert texts == [ROOT, other]


def test_a_root_that_the_hub_says_was_replaced_is_named(north: PublicHub, mirror: MirroredPublisher) -> None:
    watched_for(0)
    said = RootReplaced(AURORA, "a" * 64, "b" * 64, now().replace(microsecond=0))
    other = RootReplaced("borealis.example", "a" * 64, "b" * 64, now().replace(microsecond=0))
    north.show(north.logs["publication"].add([other.to_entry(), said.to_entry(), b"hashshare-root-replaced/1\nbad"]))
    watched_for(0)
    assert named() == [AURORA]
    assert Finding.objects.get().documents[0]["text"] == said.to_entry().decode()


def test_a_peer_that_does_not_serve_the_publisher_is_not_accused(north: PublicHub, mirror: MirroredPublisher) -> None:
    """It may have ended the subscription, or be down."""
    north.files.clear()
    watched_for(60)
    north.faults["/api"] = (500, b"")
    watched_for(0)
    assert named() == []


def test_entries_that_are_not_those_of_the_log_find_nothing(north: PublicHub, mirror: MirroredPublisher) -> None:
    """A hub cannot slip a root into the entries alone."""
    secret = ROOT + b" "
    held(mirror, 2, secret)
    north.files[f"/api/v1/tuf/{AURORA}/metadata/2.root.json"] = secret
    log = north.logs["publication"]
    false = HubLog(north.hub).grow(2).add([publication_entry(secret), publication_entry(ROOT)]).grow(300)
    north.files["/log/publication/tile/entries/000"] = false.shelf.read(-1, 0, 256)
    watched_for(0)
    assert not CheckedRoot.objects.exclude(index=None).exists()
    north.files["/log/publication/tile/0/000"] = false.shelf.read(0, 0, 256)
    watched_for(0)
    assert not CheckedRoot.objects.exclude(index=None).exists()
    assert log.size == 304


def test_a_long_log_is_looked_through_in_parts(
    north: PublicHub, mirror: MirroredPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_roots, "AT_ONCE", 2)
    watched_for(0)
    assert CheckedRoot.objects.get().index is None
    assert CheckedRoot.objects.get().searched == 2
    watched_for(0)
    assert CheckedRoot.objects.get().index == 3


def test_whoever_mirrors_can_name_one(north: PublicHub, mirror: MirroredPublisher) -> None:
    for _ in range(2):
        name_replaced_root(mirror=mirror, version=2, held=ROOT, served=b"another")
    assert named() == [AURORA]


def test_a_root_that_was_put_aside_accuses_no_other_of_its_version(north: PublicHub, mirror: MirroredPublisher) -> None:
    """After an alarm the operator follows another root: what took the place of the old one stands in the log."""
    held(mirror, 2, ROOT + b" ")
    watched_for(0)
    right = ROOT + b"  "
    north.show(north.logs["publication"].add([publication_entry(right)]))
    Metadata.objects.filter(publisher=mirror.publisher, version=2).delete()
    held(mirror, 2, right)
    north.files[f"/api/v1/tuf/{AURORA}/metadata/2.root.json"] = right
    watched_for(60)
    assert named() == []

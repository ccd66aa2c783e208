"""What two hubs' operators agreed to let cross: made, replaced, ended, and refused where it makes no sense."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from federation.models import Agreement
from federation.selectors.agreements import agreements_in_force, split_subject
from federation.services import agreements
from federation.services.agreements import agree, end_agreement
from federation.services.peers import suspend_peer
from hashshare.models import Organisation, Publisher
from hashshare.wire import errors
from tests import builders as b
from tests.builders import now
from tests.federation.builders import Hub, hub, introduced, north, south

pytestmark = pytest.mark.django_db


@pytest.fixture
def one() -> Hub:
    return north()


@pytest.fixture
def aurora(one: Hub) -> Publisher:
    b.feed(b.publisher())
    return Publisher.objects.get()


def made(one: Hub, **facts: Any) -> Agreement:
    return agree(**{"peer": one.name, "direction": "out", "publisher": "aurora.example", "now": now()} | facts)


@pytest.mark.usefixtures("aurora")
def test_it_agrees_about_all_lists_of_a_publisher_or_one(one: Hub) -> None:
    whole, images = made(one), made(one, slug="images", evidence="counts", until=now() + timedelta(days=365))

    assert set(agreements_in_force(now=now())) == {whole, images}
    assert (whole.evidence, whole.until, images.evidence) == ("documents", None, "counts")


@pytest.mark.usefixtures("aurora")
def test_it_changes_nothing_when_the_same_is_agreed_again(one: Hub) -> None:
    assert made(one) == made(one)
    assert Agreement.objects.count() == 1


@pytest.mark.usefixtures("aurora")
def test_it_puts_a_new_end_in_the_place_of_the_old_and_keeps_both_on_record(one: Hub) -> None:
    first = made(one, until=now() + timedelta(days=1))

    second = made(one, until=now() + timedelta(days=400))

    first.refresh_from_db()
    assert first.ended_at is not None
    assert list(agreements_in_force(now=now() + timedelta(days=2))) == [second]


@pytest.mark.usefixtures("aurora")
def test_it_is_over_at_its_end_and_when_somebody_ends_it(one: Hub) -> None:
    until = now() + timedelta(days=1)
    by_date, by_hand = made(one, until=until), made(one, slug="images")
    assert by_date.in_force(now())
    assert not by_date.in_force(until)

    end_agreement(peer=one.name, direction="out", publisher="aurora.example", slug="images", now=now())

    assert list(agreements_in_force(now=now())) == [by_date]
    assert list(agreements_in_force(now=until)) == []
    by_hand.refresh_from_db()
    assert not by_hand.in_force(now())
    with pytest.raises(errors.NotFound, match="Nothing is agreed"):
        end_agreement(peer=one.name, direction="out", publisher="aurora.example", slug="images", now=now())


@pytest.mark.usefixtures("aurora")
@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"publisher": "borealis.example"}, errors.NotFound),
        ({"slug": "video"}, errors.NotFound),
        ({"slug": "Images"}, errors.UsageError),
        ({"publisher": "Aurora"}, errors.UsageError),
        ({"direction": "both"}, errors.UsageError),
        ({"evidence": "names"}, errors.UsageError),
        ({"until": now() - timedelta(seconds=1)}, errors.UsageError),
        ({"until": now() + timedelta(days=5000)}, errors.UsageError),
        ({"direction": "in"}, errors.Conflict),
        ({"peer": "south.example"}, errors.NotFound),
    ],
)
def test_it_refuses_what_makes_no_sense(one: Hub, facts: dict[str, Any], error: type[errors.HashshareError]) -> None:
    with pytest.raises(error):
        made(one, **facts)

    assert not Agreement.objects.exists()


def test_it_agrees_to_take_what_is_not_here_yet(one: Hub) -> None:
    assert made(one, direction="in", publisher="borealis.example", slug="video").in_force(now())


def test_it_passes_on_what_is_mirrored_but_never_back_to_where_it_came_from(one: Hub, aurora: Publisher) -> None:
    other = south()
    Publisher.objects.update(mirrored_from=one.organisation)
    Organisation.objects.filter(pk=aurora.organisation_id).update(state="mirrored")

    made(other)
    made(one, direction="in")

    with pytest.raises(errors.Conflict, match="has it already"):
        made(one)


@pytest.mark.usefixtures("aurora")
def test_it_agrees_with_no_hub_that_is_not_a_peer_in_force(one: Hub) -> None:
    stranger = introduced(hub("west.example"))
    with pytest.raises(errors.NotAPeer):
        made(stranger)

    suspend_peer(name=one.name, now=now())
    with pytest.raises(errors.NotAPeer):
        made(one)


@pytest.mark.usefixtures("aurora")
def test_it_is_bounded(one: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreements, "MOST", 1)
    made(one)

    with pytest.raises(errors.Conflict, match="1 agreements"):
        made(one, slug="images")


def test_it_reads_what_an_agreement_is_about() -> None:
    assert split_subject("Aurora.example") == ("aurora.example", "")
    assert split_subject("aurora.example/images") == ("aurora.example", "images")
    for text in ("", "/", "/images", "aurora.example/"):
        with pytest.raises(errors.UsageError):
            split_subject(text)

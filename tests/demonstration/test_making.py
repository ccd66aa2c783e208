"""A demonstration fills an empty hub with something for every page, and leaves real hubs alone."""

from __future__ import annotations

import pytest

from hashshare.demonstration.cast import PEOPLE
from hashshare.demonstration.making import make_demonstration
from hashshare.demonstration.sizes import SMALL, Size
from hashshare.models import (
    AccessKey,
    Acknowledgement,
    Commitment,
    DailyStatistic,
    Delivery,
    Demonstration,
    HashList,
    Leaf,
    Organisation,
    PeriodFigure,
    Person,
    Release,
    Reminder,
    StatisticPeriod,
    Subscription,
)
from hashshare.selectors.demonstration import is_demonstration
from hashshare.services.commits import served_manifest
from hashshare.services.manifests import checked_file, read_base_index
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db

TINY = Size(hotlines=2, members=10, partners=2, lists=3, releases=21, subscribers=4, weeks=4, entries=300)


def made(size: Size = TINY) -> Demonstration:
    return make_demonstration(size=size, password="a sentence nobody guesses", now=b.now(), told=lambda _: None)


def test_it_fills_every_table_that_pages_show() -> None:
    assert not is_demonstration()
    made()
    assert is_demonstration()
    assert Person.objects.filter(second_factor_due=True).count() == len(PEOPLE)
    assert Organisation.objects.count() == TINY.organisations
    for model in (AccessKey, Commitment, DailyStatistic, Leaf, PeriodFigure, Reminder, StatisticPeriod):
        assert model._default_manager.exists(), model
    assert set(Subscription.objects.values_list("state", flat=True)) == {"active", "requested", "denied"}
    assert Delivery.objects.count() > TINY.releases
    assert Acknowledgement.objects.count() > TINY.releases
    assert set(Release.objects.values_list("state", flat=True)) == {"published", "rejected"}


def test_it_signs_heads_that_hold_what_their_releases_add_up_to() -> None:
    made()
    for row in HashList.objects.all():
        manifest = served_manifest(row)
        assert manifest is not None
        assert manifest.entries == row.entries
        releases = row.releases.filter(state="published")
        assert sum(it.upserts - it.withdrawals for it in releases) == row.entries
        for ref in read_base_index(manifest.base.index).object_refs():
            checked_file(ref)


def test_it_leaves_a_hub_with_organisations_as_it_is() -> None:
    b.member()
    with pytest.raises(errors.Conflict, match="must not stand among them"):
        made()
    assert not is_demonstration()
    assert Organisation.objects.count() == 1


def test_it_is_made_once() -> None:
    made()
    with pytest.raises(errors.Conflict, match="already"):
        made()


def test_the_small_one_has_what_the_pages_of_a_coalition_need() -> None:
    assert SMALL.lists >= SMALL.hotlines
    assert SMALL.weeks > 53, "a period a year ago, to compare with"

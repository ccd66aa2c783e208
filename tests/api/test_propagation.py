"""GET lists/<list>/propagation: the shape of the answer; what is counted is shown in tests/services."""

from __future__ import annotations

from datetime import datetime

import pytest

from hashshare.models import Release
from tests.api.parties import Party, enrolled, refused
from tests.api.publishing import Hotline, subscribed
from tests.api.statements import document, send

pytestmark = pytest.mark.django_db
PATH = "lists/aurora.example/images/propagation"


def test_it_tells_the_hotline_member_by_member(images: Hotline, aurora: Party, cobalt: Party) -> None:
    subscribed(cobalt, images)
    Release.objects.update(withdrawals=4, published_at=datetime.now().astimezone())
    granite = enrolled("member", "Granite")
    subscribed(granite, images)
    assert aurora.get(PATH).json()["withdrawals"][0]["applied"] == 0
    assert send(cobalt, document(cobalt, images)).status_code == 201
    told = aurora.get(PATH).json()
    assert (told["list"], told["deadline_hours"]) == ("aurora.example/images", 24)
    (release,) = told["withdrawals"]
    assert {name: release[name] for name in ("version", "withdrawn", "entitled", "applied", "purged", "overdue")} == {
        "version": 1,
        "withdrawn": 4,
        "entitled": 1,
        "applied": 1,
        "purged": 1,
        "overdue": 0,
    }
    assert release["median_seconds"] == release["p95_seconds"] > 0
    (member,) = release["members"]
    assert member["organisation"]["slug"] == "cobalt"
    assert (member["state"], member["overdue"], member["reminded_at"]) == ("purged", False, None)
    assert member["applied_at"] == member["purged_at"] is not None
    assert aurora.get(f"{PATH}?version=1").json()["withdrawals"] == [release]


def test_it_is_for_the_hotline_alone(images: Hotline, aurora: Party, borealis: Party, cobalt: Party) -> None:
    subscribed(cobalt, images)
    refused(cobalt.get(PATH), 403, "not-allowed")
    refused(borealis.get(PATH), 403, "not-entitled")
    refused(aurora.get(f"{PATH}?version=2"), 404, "not-found")
    refused(aurora.get(f"{PATH}?version=x"), 400, "invalid-request")

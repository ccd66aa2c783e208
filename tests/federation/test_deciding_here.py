"""Who decides on members here of lists that are copied from another hub, and the operator's word, at the machine."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from federation.models import TakenTerms
from hashshare.api.subscriptions import SubscriptionRecord
from hashshare.models import Deed, Subscription
from hashshare.selectors.deeds import decided_by, decided_in_place
from hashshare.selectors.queues import waiting
from tests import builders as b
from tests.federation.copied import asks, copied_from, scene

pytestmark = pytest.mark.django_db

IMAGES = "aurora.example/images"
UNTIL = {"until": "2999-12-31"}


def run(*words: str, **options: Any) -> str:
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def refusal(*words: str, **options: Any) -> str:
    with pytest.raises(CommandError) as refused:
        run(*words, **options)
    return str(refused.value)


def test_the_operator_grants_what_the_publisher_left_to_this_hub() -> None:
    _, found = scene(members="hub")
    row = asks(b.member("Cobalt Ltd"), found)
    told = SubscriptionRecord(row).data
    assert (told["decides"], told["waits_at"]) == ("hub", "")
    assert [each.decides for each in waiting(limit=9)] == ["the operator of this hub"]
    assert "for you to decide" in run("requests")
    assert f"Next: manage.py grant {IMAGES} cobalt-ltd --until YYYY-MM-DD\n" in run("requests", IMAGES)

    assert "These have: cobalt-ltd (Cobalt Ltd, requested)" in refusal("grant", IMAGES, "Colbat", **UNTIL)
    assert "manage.py requests --all" in refusal("grant", "aurora.example/imags", "cobalt-ltd", **UNTIL)
    for day, says in (("soon", "--until is a date"), ("2020-01-01", "not in the future")):
        assert says in refusal("grant", IMAGES, "cobalt-ltd", until=day)
    assert not Deed.objects.exists()
    assert "Cobalt Ltd receives aurora.example/images until 2999-12-31." in run("grant", IMAGES, "COBALT LTD", **UNTIL)

    row.refresh_from_db()
    assert (row.state, SubscriptionRecord(row).data["decides"], decided_in_place(row)) == ("active", "", True)
    assert decided_by(row) == "an operator at the hub's machine"
    [shown] = json.loads(run("requests", "--all", "--json"))["requests"]
    assert (shown["organisation"], shown["state"], shown["at"]) == ("cobalt-ltd", "active", "")
    assert "say why, --reason" in refusal("revoke", IMAGES, "cobalt-ltd")
    assert "no longer receives" in run("revoke", IMAGES, "cobalt-ltd", reason="They left.")
    assert [each.what for each in Deed.objects.order_by("pk")] == ["Grant", "Revoke"]
    assert Subscription.objects.get().reason == "They left."


def test_what_the_publisher_decides_at_its_own_hub_is_refused_with_what_helps() -> None:
    _, found = scene(members="each")
    row = asks(b.member("Cobalt"), found)
    told = SubscriptionRecord(row).data
    assert (told["decides"], told["waits_at"]) == ("publisher", "north.example")
    assert "for Aurora at north.example to decide" in run("requests")
    for words in (("grant", IMAGES, "cobalt", "--until", "2999-12-31"), ("deny", IMAGES, "cobalt")):
        said = refusal(*words)
        assert "Aurora decides on aurora.example/images at north.example; nothing was changed here." in said
        assert f"hashshare peer-terms {IMAGES} " in said
    row.refresh_from_db()
    assert (row.state, Deed.objects.count()) == ("requested", 0)


def test_in_a_hotline_s_place_it_takes_a_reason_and_says_why_a_list_is_withheld() -> None:
    images, ember = b.feed(b.publisher("Borealis", "borealis.example")), b.member("Ember")
    b.subscribed(ember, images)
    Subscription.objects.update(state="requested")
    assert "It is for Borealis to decide: say why" in refusal("grant", images.row.name, "ember", **UNTIL)
    assert "Ember receives" in run("grant", images.row.name, "ember", reason="Borealis called.", **UNTIL)
    assert Deed.objects.get().reason == "Borealis called."

    origin, found = scene(members="hub")
    row = asks(ember, copied_from(origin, slug="video", members="hub"))
    TakenTerms.objects.update(closed_for="The policy does not name it.")
    row.list.closed_at = b.now()
    row.list.save()
    said = refusal("grant", row.list.name, "ember", **UNTIL)
    assert "The policy does not name it. To ask again helps only once that has changed" in said
    assert found.closed_at is None

"""Asking for a list in the browser: its terms as they stand, once however often it is clicked, by nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hashshare.models import Deed, HashList, Subscription
from hashshare.services.deeds import note_deed
from hashshare.services.lists import terms_digest
from hashshare.services.subscriptions import decide_subscription
from tests import builders as b
from tests.admin.cast import browser, person
from tests.admin.desk_cast import IMAGES, LISTS, Desk, desk_of_cobalt

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(db: None) -> Desk:
    return desk_of_cobalt()


def asked(desk: Desk, **changes: str) -> str:
    data = {"terms_digest": desk.images.row.terms_digest, "accept": "on", **changes}
    answer = desk.client.post(IMAGES, {name: value for name, value in data.items() if value}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_the_terms_and_asks(desk: Desk) -> None:
    text = desk.text(IMAGES)
    assert "For detection only." in text
    assert "Ask for this list" in text
    assert not Subscription.objects.exists()
    assert "Aurora decides" in asked(desk)
    row = Subscription.objects.get()
    assert (row.organisation, row.state) == (desk.cobalt.organisation, "requested")
    assert row.terms_digest == desk.images.row.terms_digest
    text = desk.text(IMAGES)
    assert "has your request and decides on it" in text
    assert "Ask for this list" not in text


def test_a_double_click_asks_once(desk: Desk) -> None:
    asked(desk)
    asked(desk)
    assert Subscription.objects.count() == 1
    noted = Deed.objects.get()
    assert (noted.person, noted.what, noted.about) == (
        desk.engineer,
        "Ask for a list",
        "Cobalt to aurora.example/images",
    )


def test_it_needs_the_terms_accepted(desk: Desk) -> None:
    assert "Accept the terms to ask for the list." in asked(desk, accept="")
    assert not Subscription.objects.exists()


def test_where_the_hotline_has_set_no_terms_there_is_nothing_to_accept(desk: Desk) -> None:
    before = asked(desk, terms_digest=terms_digest(""), accept="")
    assert "The terms have changed since this page was opened." in before
    assert not Subscription.objects.exists()
    HashList.objects.update(terms="", terms_digest=terms_digest(""))
    text = desk.text(IMAGES)
    assert "The hotline has set no terms of its own." in text and "Ask for this list" in text
    assert "accepts these terms" not in text
    assert "Aurora decides" in asked(desk, terms_digest=terms_digest(""), accept="")
    assert Subscription.objects.get().state == "requested"


def test_terms_that_changed_meanwhile_have_to_be_read_first(desk: Desk) -> None:
    terms = "For detection only. And tell us."
    HashList.objects.update(terms=terms, terms_digest=terms_digest(terms))
    text = asked(desk)
    assert "The terms have changed since this page was opened." in text
    assert "And tell us." in text
    assert " checked" not in text[text.index('id="id_accept"') :][:60]
    assert not Subscription.objects.exists()


def test_terms_that_changed_later_are_accepted_anew_without_losing_the_list(desk: Desk) -> None:
    b.subscribed(desk.cobalt, desk.images)
    terms = "New terms."
    HashList.objects.update(terms=terms, terms_digest=terms_digest(terms))
    assert "The terms of aurora.example/images have changed" in desk.text("/admin/desk/")
    assert "Accept the terms" in desk.text(IMAGES)
    asked(desk, terms_digest=terms_digest(terms))
    row = Subscription.objects.get()
    assert (row.state, row.terms_digest) == ("active", terms_digest(terms))
    assert "have changed" not in desk.text("/admin/desk/")


def test_it_says_why_a_request_was_denied_and_lets_one_ask_again(desk: Desk) -> None:
    asked(desk)
    decide_subscription(
        caller=desk.images.publisher.caller,
        domain="aurora.example",
        slug="images",
        organisation="cobalt",
        decision="deny",
        reason="send us the contract first",
        now=b.now(),
    )
    text = desk.text(IMAGES)
    assert "send us the contract first" in text
    assert "Ask for this list" in text


@pytest.mark.parametrize("in_place", [False, True])
def test_it_says_since_when_and_by_whom_a_list_is_revoked_and_what_is_still_held(desk: Desk, in_place: bool) -> None:
    row = b.subscribed(desk.cobalt, desk.images)
    desk.synced(1)
    now = b.now()
    Subscription.objects.update(
        state="revoked", decided_at=now, closed_at=now, ends_at=now + timedelta(days=90), reason="contract ended"
    )
    if in_place:
        note_deed(person=person("operator"), what="Revoke", about=row, reason="contract ended", now=now)
    text = desk.text(IMAGES)
    by = "an operator of this hub, in place of Aurora" if in_place else "Aurora"
    assert f"since {now:%Y-%m-%d %H:%M} UTC by {by}: contract ended" in text
    assert "your machine may still hold version 1" in text
    assert "hashshare forget aurora.example/images" in text
    text = desk.text("/admin/desk/")
    assert "You take no list any more" in text
    assert f"aurora.example/images was revoked on {now:%Y-%m-%d}" in text
    assert f"{now + timedelta(days=90):%Y-%m-%d}" not in text


def test_a_member_whose_only_request_waits_is_told_so(desk: Desk) -> None:
    asked(desk)
    text = desk.text("/admin/desk/")
    assert "Nothing needs you until your request for aurora.example/images is decided" in text
    assert "A nightly" not in text


def test_every_page_says_which_lists_are_hosted(desk: Desk) -> None:
    b.subscribed(desk.cobalt, desk.images)
    for path, words in ((LISTS, ">hosted<"), ("/admin/desk/", ">hosted<"), (IMAGES, "the hub signs for the hotline")):
        HashList.objects.update(hosted=False)
        assert words not in desk.text(path)
        HashList.objects.update(hosted=True)
        assert words in desk.text(path)


def test_the_catalogue_says_where_each_request_stands_and_finds_words(desk: Desk) -> None:
    asked(desk)
    assert ">requested<" in desk.text(LISTS)
    assert "No list has these words." in desk.text(f"{LISTS}?q=nowhere")
    assert IMAGES in desk.text(f"{LISTS}?q=images")
    assert desk.client.get(f"{LISTS}?q={'x' * 5000}").status_code == 200


@pytest.mark.parametrize("path", ["aurora.example/secret/", "nobody.example/images/", "aurora.example/nowhere/"])
def test_a_private_list_is_as_one_that_never_was(desk: Desk, path: str) -> None:
    b.feed(desk.images.publisher, "secret", visibility="private")
    data = {"terms_digest": terms_digest("For detection only."), "accept": "on"}
    assert "secret" not in desk.text(LISTS)
    assert desk.client.get(LISTS + path).status_code == 404
    assert desk.client.post(LISTS + path, data).status_code == 404
    assert not Subscription.objects.exists()


def test_a_hotlines_engineer_asks_for_others_lists_and_not_for_its_own(desk: Desk) -> None:
    client = browser(person("engineer", desk.images.publisher.party.organisation))
    assert IMAGES not in client.get(LISTS).content.decode()
    assert "its publisher" in client.get(IMAGES).content.decode()
    answer = client.post(IMAGES, {"terms_digest": desk.images.row.terms_digest, "accept": "on"})
    assert "A publisher reads its own list without a subscription." in answer.content.decode()
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("role", ["operator", "observer"])
def test_nobody_else_can_ask(desk: Desk, role: str) -> None:
    who = person(role, None if role == "operator" else desk.granite.organisation)
    if role == "observer":
        who.organisation = b.partner("Delta").organisation
        who.save()
    data = {"terms_digest": desk.images.row.terms_digest, "accept": "on"}
    assert browser(who).post(IMAGES, data).status_code == 403
    assert not Subscription.objects.exists()


def test_script_in_a_lists_words_stays_words(desk: Desk) -> None:
    HashList.objects.update(title="<script>alert(1)</script>", terms="<b>bold</b>")
    for path in (LISTS, IMAGES):
        text = desk.text(path)
        assert "<script>alert(1)" not in text
        assert "<b>bold" not in text

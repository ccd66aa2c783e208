"""Someone leaves: sessions, named keys and what was made with them end in one step, and the record says what."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from hashshare.models import AccessKey, Deed, Invitation, OrganisationKey, Person
from hashshare.selectors.people import belongings
from hashshare.services.access_keys import create_access_key
from hashshare.services.introductions import introduce_key
from hashshare.services.invitations import enrol, invite_key, invite_person
from hashshare.services.keys import add_key
from hashshare.services.people import create_person, someone_leaves
from hashshare.wire import errors, keys
from hashshare.wire.introductions import prove_key
from tests import builders as b
from tests.admin.addresses import deed, page
from tests.admin.cast import browser, person
from tests.api.parties import CLIENT, Party, refused, with_authorization

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(cobalt: Party) -> Person:
    return person("engineer", cobalt.organisation)


@pytest.fixture
def operator(db: None) -> Person:
    return person("operator")


def named_key(who: Person, name: str) -> Party:
    """A key of their organisation in their name."""
    key = keys.generate()
    assert who.organisation is not None
    now = timezone.now()
    add_key(organisation=who.organisation, public_key=keys.public_bytes(key), name=name, now=now)
    OrganisationKey.objects.filter(fingerprint=keys.fingerprint_of(key)).update(holder=who)
    return Party(who.organisation, key)


def access_key(party: Party, name: str = "curl") -> str:
    return str(party.signed("POST", "access-keys", json={"name": name, "days": 9}).json()["key"])


def read(secret: str, path: str = "status") -> Any:
    return with_authorization(CLIENT, "GET", path, f"Bearer {secret}")


def leave(operator: Person, who: Person, reason: str = "left the company") -> Any:
    return browser(operator).post(deed(who, "leaves"), {"reason": reason}, follow=True)


def test_everything_of_theirs_is_dead_at_the_next_request(cobalt: Party, ada: Person, operator: Person) -> None:
    theirs, laptop = browser(ada), named_key(ada, "laptop of Ada")
    second = browser(ada)
    token, secret = laptop.token(), access_key(laptop)
    for alive in (token, secret):
        assert read(alive).status_code == read(alive, "heads").status_code == 200
    assert theirs.get("/admin/").status_code == second.get("/admin/").status_code == 200

    assert "has left, and what was theirs has ended." in leave(operator, ada).content.decode()

    for session in (theirs, second):
        assert session.get("/admin/").status_code == 302
    for path in ("status", "heads"):
        for dead in (token, secret):
            refused(read(dead, path), 401, "not-authenticated")
    refused(laptop.signed("POST", "tokens"), 401, "bad-request-signature")
    form = {"username": ada.email, "password": "a sentence nobody guesses"}
    assert "do not go together" in Client().post("/admin/login/", form).content.decode()


def test_nothing_of_anybody_else_ends(cobalt: Party, ada: Person, operator: Person) -> None:
    other = person("analyst", cobalt.organisation)
    theirs, phone, secret = browser(other), named_key(other, "phone"), access_key(cobalt, "cron")
    leave(operator, ada)
    assert theirs.get("/admin/").status_code == 200
    for party in (cobalt, phone):
        assert party.signed("POST", "tokens").status_code == 201
    assert read(secret).status_code == 200


def test_what_ends_is_named_before_and_noted_after(cobalt: Party, ada: Person, operator: Person) -> None:
    browser(ada)
    laptop = named_key(ada, "laptop of Ada")
    access_key(laptop, "notebook")
    _, code = invite_person(
        role="engineer", organisation=cobalt.organisation, email=ada.email.upper(), now=timezone.now()
    )
    asked = browser(operator).get(deed(ada, "leaves")).content.decode()
    for part in (
        "signed out everywhere (1 session)",
        f"Keys in their name end: laptop of Ada {laptop.fingerprint}",
        "access keys made with these: notebook (hsk_",
        "1 invitation of theirs",
        "nobody&#x27;s name go on:",
        cobalt.fingerprint,
    ):
        assert part in asked, part
    assert Person.objects.get(pk=ada.pk).is_active  # looking changes nothing
    leave(operator, ada)
    told = Deed.objects.get(row=str(ada.pk), person=operator)
    assert (told.what, told.about, told.reason) == ("End all access", str(ada), "left the company")
    for row in (laptop.row, AccessKey.objects.get(), Invitation.objects.get(email=ada.email)):
        (of_row,) = Deed.objects.filter(row=str(row.pk))
        assert (of_row.what, of_row.noted) == ("End all access", f"With {ada}.")
        assert of_row.reason == "left the company"
    prefix = AccessKey.objects.get().prefix
    for part in (
        "account closed",
        "sessions: 1",
        f"keys: {laptop.fingerprint}",
        f"access keys: hsk_{prefix}",
        "invitations: ",
    ):
        assert part in told.noted, part
    assert Invitation.objects.get(email=ada.email).expires_at <= timezone.now()
    assert code not in told.noted


def test_leaving_twice_ends_nothing_twice(cobalt: Party, ada: Person) -> None:
    named_key(ada, "laptop")
    first = timezone.now()
    assert len(someone_leaves(person=ada, by="op@north.example", now=first).keys) == 1
    again = someone_leaves(person=ada, by="op@north.example", now=first + timedelta(hours=1))
    assert not again
    assert OrganisationKey.objects.get(holder=ada).revoked_at == first


def test_who_has_left_is_offered_it_again_only_when_something_is_theirs(
    cobalt: Party, ada: Person, operator: Person
) -> None:
    leave(operator, ada)
    offered = browser(operator).get(page(ada)).content.decode()
    assert deed(ada, "leaves") not in offered
    named_key(ada, "forgotten laptop")
    assert deed(ada, "leaves") in browser(operator).get(page(ada)).content.decode()
    leave(operator, ada)
    assert not belongings(Person.objects.get(pk=ada.pk), now=timezone.now())


def test_it_needs_a_reason_and_an_operator(cobalt: Party, ada: Person, operator: Person) -> None:
    assert "This field is required." in leave(operator, ada, reason=" ").content.decode()
    colleague = browser(person("analyst", cobalt.organisation))
    assert colleague.post(deed(ada, "leaves"), {"reason": "spite"}).status_code == 403
    assert Person.objects.get(pk=ada.pk).is_active


def test_operators_end_neither_themselves_nor_the_last_of_them(operator: Person) -> None:
    assert "You cannot end your own account." in leave(operator, operator).content.decode()
    with pytest.raises(errors.Conflict, match="last operator"):
        someone_leaves(person=operator, by="manage.py", now=timezone.now())
    assert Person.objects.get(pk=operator.pk).is_active
    second = create_person(email="second@north.example", role="operator", password="long enough to be one")
    assert "their passwords, the hub&#x27;s keys" in browser(operator).get(deed(second, "leaves")).content.decode()
    leave(operator, second)
    assert not Person.objects.get(pk=second.pk).is_active


def test_sessions_of_others_are_left(cobalt: Party, ada: Person, operator: Person) -> None:
    browser(operator)
    browser(ada)
    before = Session.objects.count()
    someone_leaves(person=ada, by="op@north.example", now=timezone.now())
    assert Session.objects.count() == before - 1


def make_access_key(cobalt: b.Party, number: int) -> None:
    create_access_key(caller=cobalt.caller, name=f"curl {number}", days=9, now=b.now())


def introduce(cobalt: b.Party, number: int) -> None:
    key = keys.generate()
    introduce_key(
        caller=cobalt.caller,
        public_key=keys.public_bytes(key),
        proof=prove_key(key, hub=settings.HASHSHARE_PUBLIC_URL, introducer=cobalt.caller.key_id),
        name=f"key {number}",
        days=9,
        now=b.now(),
    )


CODES: list[str] = []


def enrol_another(cobalt: b.Party, number: int) -> None:
    """With a code that was made for a machine that Ada is to answer for."""
    try:
        enrol(code=CODES.pop(), public_key=secrets.token_bytes(32), key_name="", now=b.now())
    except errors.InvitationInvalid as error:
        raise errors.NotAuthenticated from error


@pytest.mark.django_db(transaction=True)
def test_two_operators_cannot_end_each_other_at_the_same_moment() -> None:
    both = [create_person(email=f"{n}@north.example", role="operator", password="long enough to be one") for n in "ab"]
    start, refused_ = threading.Barrier(2), list[str]()

    def end(other: Person) -> None:
        start.wait()
        try:
            someone_leaves(person=other, by="the other", now=b.now())
        except errors.Conflict as error:
            refused_.append(error.message)
        connection.close()

    threads = [threading.Thread(target=end, args=[other]) for other in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused_) == 1
    assert Person.objects.filter(is_active=True).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("make", [make_access_key, introduce, enrol_another])
def test_what_is_made_with_a_key_at_that_moment_does_not_outlive_it(make: Callable[[b.Party, int], None]) -> None:
    cobalt = b.member()
    ada = person("engineer", cobalt.organisation)
    OrganisationKey.objects.update(holder=ada)
    CODES[:] = [invite_key(organisation=cobalt.organisation, now=b.now(), holder=ada)[1] for _ in range(18)]
    start, refusals = threading.Barrier(4), list[str]()

    def work() -> None:
        start.wait()
        for number in range(6):
            try:
                make(cobalt, number)
            except errors.NotAuthenticated:
                refusals.append("refused")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    start.wait()
    someone_leaves(person=ada, by="op@north.example", now=b.now())
    for thread in threads:
        thread.join()
    assert not AccessKey.objects.filter(revoked_at=None).exists()
    assert not OrganisationKey.objects.filter(revoked_at=None).exists()
    made = AccessKey.objects.count() + OrganisationKey.objects.count() - 1
    assert made + len(refusals) == 18

"""What an operator does from a page: asked once more, done by a service, noted with its reason; refused to others."""

from __future__ import annotations

import html
import re
import secrets
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hashshare.admin import records, tables  # noqa: F401  (the tables register themselves)
from hashshare.admin.deeds import by_operators
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import (
    AccessKey,
    Deed,
    GuardedDigest,
    Invitation,
    Organisation,
    OrganisationKey,
    Person,
    Subscription,
)
from hashshare.services.invitations import enrol
from hashshare.services.organisations import suspend_organisation
from hashshare.services.subscriptions import standing_of
from tests.admin.addresses import deed, page, table_deed
from tests.admin.cast import browser, sign_in
from tests.admin.conftest import Hub

SHOWN_ONCE = re.compile(r"<code>(.+?)</code>")


def shown_once(client: Client, address: str, **data: str) -> str:
    answer = client.post(address, data)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    found = SHOWN_ONCE.search(answer.content.decode())
    assert found is not None, answer.content.decode()
    return html.unescape(found[1])


def test_it_suspends_and_reinstates_an_organisation(hub: Hub) -> None:
    client, cobalt = browser(hub.operator), hub.aurora.member
    asked = client.get(deed(cobalt, "suspend")).content.decode()
    assert "Every key and every person of Cobalt is refused" in asked
    cobalt.refresh_from_db()
    assert cobalt.state == "active"  # looking changes nothing
    done = client.post(deed(cobalt, "suspend"), {"reason": "key found in a public repository"}, follow=True)
    assert "Cobalt is suspended." in done.content.decode()
    cobalt.refresh_from_db()
    assert cobalt.state == "suspended"
    noted = Deed.objects.get(row=str(cobalt.pk), person=hub.operator, reason__contains="repository")
    assert (noted.what, noted.about, noted.role) == ("Suspend", "Cobalt", "operator")
    assert noted.reason == "key found in a public repository"
    client.post(deed(cobalt, "reinstate"))
    cobalt.refresh_from_db()
    assert cobalt.state == "active"


def test_it_asks_for_a_reason_before_it_takes_something_away(hub: Hub) -> None:
    client, cobalt = browser(hub.operator), hub.aurora.member
    for reason in ("", "   "):
        answer = client.post(deed(cobalt, "suspend"), {"reason": reason})
        assert "This field is required." in answer.content.decode()
    cobalt.refresh_from_db()
    assert cobalt.state == "active"


def test_it_says_so_when_a_deed_does_not_apply_any_more(hub: Hub) -> None:
    client, cobalt = browser(hub.operator), hub.aurora.member
    suspend_organisation(organisation=cobalt)
    answer = client.post(deed(cobalt, "suspend"), {"reason": "again"}, follow=True)
    assert "does not apply any more" in answer.content.decode()
    offered = client.get(page(cobalt)).content.decode()
    assert deed(cobalt, "reinstate") in offered
    assert deed(cobalt, "suspend") not in offered


def test_it_revokes_a_machine_key(hub: Hub) -> None:
    key = hub.aurora.of[OrganisationKey]
    assert isinstance(key, OrganisationKey)
    browser(hub.operator).post(deed(key, "revoke"), {"reason": "host lost"})
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_it_revokes_an_access_key(hub: Hub) -> None:
    key = hub.aurora.of[AccessKey]
    assert isinstance(key, AccessKey)
    browser(hub.operator).post(deed(key, "revoke"), {"reason": "seen in a log"})
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_it_grants_a_subscription_and_revokes_it(hub: Hub) -> None:
    client, row = browser(hub.operator), hub.aurora.of[Subscription]
    assert isinstance(row, Subscription)
    until = timezone.now().date() + timedelta(days=90)
    fields = {"until": until.isoformat(), "reason": "Aurora asked by telephone", "seen": standing_of(row)}
    client.post(deed(row, "grant"), fields)
    row.refresh_from_db()
    assert row.state == "active"
    assert row.ends_at is not None
    assert row.ends_at.date() == until
    client.post(deed(row, "revoke"), {"reason": "contract ended", "seen": standing_of(row)})
    row.refresh_from_db()
    assert row.state == "revoked"


def test_it_denies_a_subscription(hub: Hub) -> None:
    row = hub.aurora.of[Subscription]
    assert isinstance(row, Subscription)
    browser(hub.operator).post(deed(row, "deny"), {"reason": "not a member of the scheme", "seen": standing_of(row)})
    row.refresh_from_db()
    assert row.state == "denied"


def test_it_shows_why_a_service_refused_and_changes_nothing(hub: Hub) -> None:
    row = hub.aurora.of[Subscription]
    assert isinstance(row, Subscription)
    address = deed(row, "grant")
    fields = {"until": "2020-01-01", "reason": "too late", "seen": standing_of(row)}
    answer = browser(hub.operator).post(address, fields)
    assert "would end before it begins" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == "requested"
    assert not Deed.objects.filter(row=str(row.pk)).exists()


@pytest.mark.parametrize("second", ["grant", "revoke"])
def test_a_form_older_than_the_last_decision_changes_nothing(hub: Hub, second: str) -> None:
    """Two tabs: what the second sends was written for a subscription that stood otherwise."""
    row = hub.aurora.of[Subscription]
    assert isinstance(row, Subscription)
    client = browser(hub.operator)
    Subscription.objects.filter(pk=row.pk).update(state="active", decided_at=timezone.now())
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', client.get(deed(row, second)).content.decode())
    first = {"until": "2099-01-01", "reason": "as agreed", "seen": seen}
    assert client.post(deed(row, "grant"), first).status_code == 302
    later = {"until": "2031-05-05", "reason": "another tab", "seen": seen}
    text = html.unescape(client.post(deed(row, second), later).content.decode())
    assert f"Decided meanwhile by {hub.operator}" in text
    assert "active until 2099-01-01. Nothing was changed by this form." in text
    row.refresh_from_db()
    assert (row.state, row.reason, row.ends_at and row.ends_at.year) == ("active", "as agreed", 2099)
    assert Deed.objects.filter(row=str(row.pk)).count() == 1
    assert client.post(deed(row, second), {"until": "2031-05-05", "reason": "no word of it"}).status_code == 200
    row.refresh_from_db()
    assert row.reason == "as agreed"


@pytest.mark.parametrize(("what", "state"), [("grant", "active"), ("deny", "denied"), ("revoke", "revoked")])
def test_a_second_click_reads_as_what_the_first_has_done(hub: Hub, what: str, state: str) -> None:
    row = hub.aurora.of[Subscription]
    assert isinstance(row, Subscription)
    Subscription.objects.filter(pk=row.pk).update(state="active" if what == "revoke" else "requested")
    row.refresh_from_db()
    sent = {"until": "2099-01-01", "reason": "as agreed", "seen": standing_of(row)}
    client, address = browser(hub.operator), deed(row, what)
    client.post(address, sent)
    again = html.unescape(client.post(address, sent, follow=True).content.decode())
    assert f": {state}." in again
    assert "Decided meanwhile" not in again
    assert "does not apply any more" not in again
    assert Deed.objects.filter(row=str(row.pk)).count() == 1
    other = html.unescape(browser(hub.analyst).post(address, sent, follow=True).content.decode())
    assert "Decided meanwhile" in other or "does not apply any more" in other  # of somebody else it is no second click


@pytest.mark.parametrize("what", ["grant", "deny", "revoke"])
def test_decisions_on_subscriptions_say_who_reads_the_reason_and_whose_they_are(hub: Hub, what: str) -> None:
    row = hub.aurora.of[Subscription]
    Subscription.objects.filter(pk=row.pk).update(state="active" if what == "revoke" else "requested")
    for who, in_place in ((hub.operator, True), (hub.analyst, False)):
        text = browser(who).get(deed(row, what)).content.decode()
        assert "The member reads this" in text
        assert ("an operator takes it in its place" in text) == in_place


def test_it_does_nothing_that_it_cannot_note(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(**kwargs: object) -> None:
        raise OSError

    monkeypatch.setattr(records, "note_deed", full_disk)
    client = browser(hub.operator)
    client.raise_request_exception = False
    assert client.post(deed(hub.aurora.member, "suspend"), {"reason": "unnoted"}).status_code == 500
    hub.aurora.member.refresh_from_db()
    assert hub.aurora.member.state == "active"


def test_it_invites_an_organisation_with_a_code_that_enrols(hub: Hub) -> None:
    client = browser(hub.operator)
    form = {"kind": "hotline", "name": "Ceres", "country": "BE", "sector": "", "domains": "ceres.example"}
    code = shown_once(client, table_deed(Organisation, "invite"), **form)
    made = enrol(code=code, public_key=secrets.token_bytes(32), key_name="host", now=timezone.now())
    assert (made.organisation.name, made.organisation.country) == ("Ceres", "BE")
    assert [str(each) for each in made.organisation.publishers.all()] == ["ceres.example"]
    assert Deed.objects.filter(row=str(made.organisation.pk), what__contains="Invite").exists()
    assert code not in str(list(Deed.objects.values()))


def test_machines_are_invited_for_those_that_have_some(hub: Hub) -> None:
    client = browser(hub.operator)
    for organisation in (hub.aurora.hotline, hub.aurora.member):
        assert deed(organisation, "invite-key") in client.get(page(organisation)).content.decode()
    assert deed(hub.delta, "invite-key") not in client.get(page(hub.delta)).content.decode()
    answer = client.post(deed(hub.delta, "invite-key"), follow=True)
    assert "does not apply any more" in answer.content.decode()
    assert not Invitation.objects.filter(organisation=hub.delta, used_at=None).exists()


def test_it_makes_a_partner_without_a_code_for_a_machine(hub: Hub) -> None:
    form = {"kind": "partner", "name": "Ministry", "country": "BE"}
    answer = browser(hub.operator).post(table_deed(Organisation, "invite"), form, follow=True)
    assert "needs no machine: invite its people" in answer.content.decode()
    made = Organisation.objects.get(name="Ministry")
    assert (made.kind, made.invitations.exists()) == ("partner", False)
    assert Deed.objects.filter(row=str(made.pk), what__contains="Invite").exists()


def test_it_refuses_an_invitation_that_makes_no_sense_and_leaves_nothing(hub: Hub) -> None:
    form = {"kind": "member", "name": "Ceres", "country": "BE", "domains": "ceres.example"}
    answer = browser(hub.operator).post(table_deed(Organisation, "invite"), form)
    assert "Only a hotline publishes." in answer.content.decode()
    assert not Organisation.objects.filter(name="Ceres").exists()


def test_it_invites_a_further_machine_key(hub: Hub) -> None:
    code = shown_once(browser(hub.operator), deed(hub.aurora.member, "invite-key"))
    made = enrol(code=code, public_key=secrets.token_bytes(32), key_name="second host", now=timezone.now())
    assert made.organisation == hub.aurora.member


def test_it_invites_a_person_with_a_link_that_works(hub: Hub) -> None:
    form = {"email": "new@delta.example", "role": "observer"}
    link = shown_once(browser(hub.operator), deed(hub.delta, "invite-person"), **form)
    assert link.startswith("http://127.0.0.1:8000/invitation/")
    page_of_link = Client().get(link.removeprefix("http://127.0.0.1:8000")).content.decode()
    assert "new@delta.example" in page_of_link
    assert "observer of Delta" in page_of_link


def test_it_does_not_make_operators_of_an_organisations_people(hub: Hub) -> None:
    form = {"email": "new@delta.example", "role": "operator"}
    before = Invitation.objects.count()
    answer = browser(hub.operator).post(deed(hub.delta, "invite-person"), form)
    assert "is not one of the available choices" in answer.content.decode()
    assert Invitation.objects.count() == before


def test_it_offers_the_roles_that_fit_the_organisation(hub: Hub) -> None:
    client, cobalt, engineer = browser(hub.operator), hub.aurora.member, hub.aurora.of[Person]
    for address in (deed(cobalt, "invite-person"), deed(engineer, "change-role")):
        offered = client.get(address).content.decode()
        assert 'value="analyst"' in offered and 'value="engineer"' in offered
        assert 'value="observer"' not in offered and 'value="operator"' not in offered
    offered = client.get(deed(hub.delta, "invite-person")).content.decode()
    assert 'value="observer"' in offered and 'value="analyst"' not in offered
    form = {"email": "new@cobalt.example", "role": "observer"}
    before = Invitation.objects.count()
    assert "is not one of the available choices" in client.post(deed(cobalt, "invite-person"), form).content.decode()
    assert Invitation.objects.count() == before


def test_the_tables_say_whom_an_invitation_is_for_and_which_clock_it_is(hub: Hub) -> None:
    client, invitation = browser(hub.operator), hub.aurora.of[Invitation]
    assert isinstance(invitation, Invitation)
    cell = f'class="field-email">{invitation.email}<'
    assert cell in client.get("/admin/hashshare/invitation/").content.decode()
    assert "Last login (UTC)" in client.get("/admin/hashshare/person/").content.decode()


def test_it_offers_no_other_role_where_only_one_fits(hub: Hub) -> None:
    observer = Person.objects.get(organisation=hub.delta)
    assert deed(observer, "change-role") not in browser(hub.operator).get(page(observer)).content.decode()


def test_it_adds_a_publisher_to_a_hotline_only(hub: Hub) -> None:
    client = browser(hub.operator)
    client.post(deed(hub.aurora.hotline, "add-domain"), {"domain": "aurora-lab.example"})
    assert hub.aurora.hotline.publishers.filter(domain="aurora-lab.example").exists()
    client.post(deed(hub.aurora.member, "add-domain"), {"domain": "cobalt.example"})
    assert not hub.aurora.member.publishers.exists()


def test_it_guards_a_digest_and_stops(hub: Hub) -> None:
    client, digest = browser(hub.operator), secrets.token_hex(32)
    form = {"algorithm": "sha256", "digest": digest.upper(), "note": "a blank page"}
    client.post(table_deed(GuardedDigest, "guard"), form)
    made = GuardedDigest.objects.get(digest=digest)
    assert "guarded already" in client.post(table_deed(GuardedDigest, "guard"), form).content.decode()
    done = client.post(deed(made, "stop"), {"reason": "wrong page"}, follow=True)
    assert "is not guarded any more" in done.content.decode()
    assert not GuardedDigest.objects.filter(pk=made.pk).exists()
    assert Deed.objects.filter(row=str(made.pk), reason="wrong page").exists()


@pytest.mark.parametrize(("algorithm", "digest"), [("sha256", "abc"), ("crc32", "00000000"), ("md5", "z" * 32)])
def test_it_refuses_to_guard_what_is_no_digest(hub: Hub, algorithm: str, digest: str) -> None:
    form = {"algorithm": algorithm, "digest": digest, "note": "x"}
    before = GuardedDigest.objects.count()
    answer = browser(hub.operator).post(table_deed(GuardedDigest, "guard"), form)
    assert 'role="alert"' in answer.content.decode()
    assert GuardedDigest.objects.count() == before


@pytest.mark.parametrize("role", ["analyst", "engineer", "observer"])
def test_it_offers_operators_deeds_to_them_alone_and_refuses_them_to_others(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    rows = {**hub.aurora.of, **hub.operators_own}
    tried = 0
    for model, table in site._registry.items():
        assert isinstance(table, RecordAdmin)
        addresses = [deed(rows[model], each.slug) for each in table.deeds if each.may is by_operators]
        addresses += [table_deed(model, each.slug) for each in table.table_deeds if each.may is by_operators]
        text = client.get(page(rows[model])).content.decode()
        for address in addresses:
            assert address not in text
            # A row that is not theirs is not there.
            assert client.get(address).status_code in {403, 404}, address
            assert client.post(address, {"reason": "mine"}).status_code in {403, 404}, address
            tried += 1
    assert tried > 10
    hub.aurora.member.refresh_from_db()
    assert hub.aurora.member.state == "active"


def test_it_refuses_a_deed_without_a_token_against_forgery(hub: Hub) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, hub.operator)
    assert client.post(deed(hub.aurora.member, "suspend"), {"reason": "forged"}).status_code == 403
    hub.aurora.member.refresh_from_db()
    assert hub.aurora.member.state == "active"


def test_no_deed_has_the_name_of_an_address_of_the_admin_itself() -> None:
    """Its button would lead to the stock page of that name, which is closed."""
    own = {"add", "change", "changelist", "delete", "history"}
    for table in site._registry.values():
        assert isinstance(table, RecordAdmin)
        assert own.isdisjoint(each.slug for each in (*table.deeds, *table.table_deeds)), table

"""The page *Commitments*, and the operator's review: who enters what for whom, and what observers see of it."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from hashshare.models import Commitment, Deed, Organisation, Person, StatementAction
from hashshare.services.commitments import add_action
from hashshare.services.organisations import agree_to_be_named
from tests.admin.addresses import changelist, deed
from tests.admin.cast import browser, organisation, person
from tests.admin.figures import edition, record

PAGE = "/admin/commitments/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def action() -> StatementAction:
    return add_action(key="share-hashes", text="Match uploads against the lists.")


@pytest.fixture
def cobalt() -> Organisation:
    return organisation("Cobalt", "member")


def answers(action: StatementAction) -> dict[str, str]:
    today = timezone.now().date().isoformat()
    return {"action": str(action.pk), "state": "in_progress", "source": "https://cobalt.example/report", "dated": today}


def enter(client: Client, action: StatementAction, **changes: str) -> str:
    return send(client, answers(action) | changes)


def send(client: Client, said: dict[str, str]) -> str:
    return unescape(client.post(PAGE, said, follow=True).content.decode())


@pytest.mark.parametrize("role", ["analyst", "engineer", "observer"])
def test_people_of_an_organisation_enter_what_it_does(role: str, cobalt: Organisation, action: StatementAction) -> None:
    of = organisation("Delta", "partner") if role == "observer" else cobalt
    who = person(role, of)
    text = enter(browser(who), action)
    assert "Entered. The hub's operator reviews it" in text
    made = Commitment.objects.get()
    assert (made.signatory, made.state, made.standing, made.entered_by) == (of, "in_progress", "awaiting", who)
    noted = Deed.objects.get()
    assert (noted.person, noted.what, noted.about) == (who, "Enter a commitment", str(made))


def test_nobody_enters_for_another(cobalt: Organisation, action: StatementAction) -> None:
    granite = organisation("Granite", "member")
    enter(browser(person("engineer", cobalt)), action, signatory=str(granite.pk), organisation=str(granite.pk))
    assert Commitment.objects.get().signatory == cobalt


def test_an_organisation_sees_its_own_alone(cobalt: Organisation, action: StatementAction) -> None:
    enter(browser(person("engineer", cobalt)), action)
    granite = browser(person("engineer", organisation("Granite", "member")))
    assert "cobalt.example" not in granite.get(PAGE).content.decode()
    assert "cobalt.example" in browser(person("analyst", cobalt)).get(PAGE).content.decode()


def test_it_is_not_for_operators_and_strangers(action: StatementAction) -> None:
    operator = browser(person("operator"))
    assert operator.get(PAGE).status_code == 403
    assert operator.post(PAGE, answers(action)).status_code == 403
    assert Client().get(PAGE)["Location"].startswith("/admin/login/")
    assert not Commitment.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"source": "http://cobalt.example/"}, {"source": "javascript:alert(1)"}, {"source": ""}, {"state": "verified"},
        {"dated": "2999-01-01"}, {"dated": "1999-01-01"}, {"dated": "x"}, {"action": "999999"},
        {"source": "https://x.example/" + "a" * 600},
    ],
)  # fmt: skip
def test_a_bad_answer_is_named_and_nothing_is_kept(
    changes: dict[str, str], cobalt: Organisation, action: StatementAction
) -> None:
    text = send(browser(person("engineer", cobalt)), answers(action) | changes)
    assert 'class="errornote"' in text or "errorlist" in text
    assert not Commitment.objects.exists()


def test_entering_twice_keeps_one(cobalt: Organisation, action: StatementAction) -> None:
    client = browser(person("engineer", cobalt))
    enter(client, action)
    assert "awaits its review" in enter(client, action)
    assert Commitment.objects.count() == 1


def test_a_form_of_somewhere_else_is_refused(cobalt: Organisation, action: StatementAction) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("engineer", cobalt))
    assert client.post(PAGE, answers(action)).status_code == 403


def entered(cobalt: Organisation, action: StatementAction) -> Commitment:
    enter(browser(person("engineer", cobalt)), action)
    return Commitment.objects.get()


def observer_sees(observer: Person) -> str:
    return unescape(browser(observer).get("/admin/statistics/").content.decode())


def test_an_operator_verifies_it_and_observers_see_it(cobalt: Organisation, action: StatementAction) -> None:
    made, observer = entered(cobalt, action), person("observer", organisation("Delta", "partner", country="FR"))
    agree_to_be_named(organisation=cobalt, now=timezone.now())

    record(edition(ago=1), "members", 1)
    assert "https://cobalt.example/report" not in observer_sees(observer)
    client = browser(person("operator"))
    asked = client.get(deed(made, "verify")).content.decode()
    assert "is shown to every observer from now on" in asked
    client.post(deed(made, "verify"))
    seen = observer_sees(observer)
    assert '<a href="https://cobalt.example/report" rel="noopener noreferrer nofollow">' in seen
    assert "Verified" in seen
    assert Deed.objects.filter(what="Accept as verified", table="hashshare.commitment").exists()


def test_an_operator_returns_it_with_a_reason_that_the_signatory_sees(
    cobalt: Organisation, action: StatementAction
) -> None:
    made = entered(cobalt, action)
    client = browser(person("operator"))
    client.post(deed(made, "return"), {"reason": "The <b>link</b> is dead."})
    made.refresh_from_db()
    assert made.standing == "returned"
    text = browser(Person.objects.get(role="engineer")).get(PAGE).content.decode()
    assert "The &lt;b&gt;link&lt;/b&gt; is dead." in text


@pytest.mark.parametrize("slug", ["verify", "accept", "return"])
def test_only_operators_review(slug: str, cobalt: Organisation, action: StatementAction) -> None:
    made = entered(cobalt, action)
    for who in (Person.objects.get(role="engineer"), person("observer", organisation("Delta", "partner"))):
        assert browser(who).post(deed(made, slug), {"reason": "x"}).status_code == 403
    made.refresh_from_db()
    assert made.standing == "awaiting"


def test_operators_add_and_retire_actions(cobalt: Organisation) -> None:
    client = browser(person("operator"))
    client.post(f"{changelist(StatementAction)}do/new/", {"key": "report", "text": "Report finds.", "position": "1"})
    action = StatementAction.objects.get()
    assert "Report finds." in browser(person("engineer", cobalt)).get(PAGE).content.decode()
    client.post(deed(action, "retire"), {"reason": "Superseded."})
    text = browser(Person.objects.get(role="engineer")).get(PAGE).content.decode()
    assert "Report finds." not in text
    assert "has not entered the actions of the statement yet" in text


def test_consent_is_given_by_the_operator_or_the_organisations_own_people(cobalt: Organisation) -> None:
    granite = organisation("Granite", "member")
    engineer, other = person("engineer", cobalt), person("engineer", granite)
    assert browser(other).post(deed(cobalt, "agree-to-be-named"), {"reason": "x"}).status_code in {302, 404}
    cobalt.refresh_from_db()
    assert cobalt.named_since is None
    asked = browser(engineer).get(deed(cobalt, "agree-to-be-named")).content.decode()
    assert "figures there are its own" in asked
    browser(engineer).post(deed(cobalt, "agree-to-be-named"), {"reason": "Head of trust and safety, today."})
    assert Organisation.objects.filter(named_since__isnull=False).get() == cobalt
    assert Deed.objects.get(what="Agree to be named").reason == "Head of trust and safety, today."
    browser(person("operator")).post(deed(cobalt, "stop-being-named"), {"reason": "Asked by letter."})
    assert not Organisation.objects.filter(named_since__isnull=False).exists()


def test_consent_needs_its_record(cobalt: Organisation) -> None:
    client = browser(person("operator"))
    client.post(deed(cobalt, "agree-to-be-named"), {"reason": ""})
    cobalt.refresh_from_db()
    assert cobalt.named_since is None


def test_an_operator_corrects_a_frozen_period(cobalt: Organisation) -> None:

    frozen, running = edition(ago=1), edition()
    client = browser(person("operator"))
    assert "gets a new revision" in client.get(deed(frozen, "correct")).content.decode()
    client.post(deed(frozen, "correct"), {"reason": "A list was counted twice."})
    made = type(frozen).objects.get(revision=2)
    assert (made.label, made.reason) == (frozen.label, "A list was counted twice.")
    assert made.made_at - timezone.now() < timedelta(minutes=1)
    assert client.get(deed(running, "correct")).status_code == 302
    assert browser(person("engineer", cobalt)).post(deed(frozen, "correct"), {"reason": "x"}).status_code == 403

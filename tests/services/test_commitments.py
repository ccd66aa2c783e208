"""Commitments: entered by the signatory, reviewed by an operator, shown as the newest that was accepted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hashshare.models import Commitment, Organisation, Person, StatementAction
from hashshare.selectors.commitments import action_states
from hashshare.services.commitments import (
    accept_commitment,
    add_action,
    enter_commitment,
    retire_action,
    return_commitment,
)
from hashshare.services.organisations import agree_to_be_named, suspend_organisation
from hashshare.services.people import create_person
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PASSWORD = "a sentence nobody guesses"


@pytest.fixture
def action() -> StatementAction:
    return add_action(key="share-hashes", text="Match uploads against the coalition's lists.")


@pytest.fixture
def operator() -> Person:
    return create_person(email="ada@north.example", role="operator", password=PASSWORD)


def engineer(of: Organisation) -> Person:
    email = f"engineer@{of.slug}.example"
    return Person.objects.filter(email=email).first() or create_person(
        email=email, role="engineer", organisation=of, password=PASSWORD
    )


def entered(of: Organisation, action: StatementAction, state: str = "signed", **changes: Any) -> Commitment:
    said: dict[str, Any] = {
        "source": "https://cobalt.example/report",
        "dated": date(2026, 11, 1),
        "now": NOW,
        **changes,
    }
    return enter_commitment(signatory=of, action=action, state=state, by=engineer(of), **said)


def accepted(of: Organisation, action: StatementAction, state: str, operator: Person, **more: Any) -> Commitment:
    made = entered(of, action, state, **more)
    accept_commitment(commitment=made, verified=False, by=operator, now=NOW)
    return made


def test_it_shows_nothing_before_the_review(action: StatementAction) -> None:
    entered(b.party("hotline", "Aurora").organisation, action)
    (state,) = action_states()
    assert (state.signatories, state.named) == (0, ())


def test_it_shows_the_newest_that_was_accepted(action: StatementAction, operator: Person) -> None:
    aurora = b.party("hotline", "Aurora").organisation
    accepted(aurora, action, "signed", operator)
    done = accepted(aurora, action, "done", operator, now=NOW + timedelta(days=1))
    entered(aurora, action, "in_progress", now=NOW + timedelta(days=2))
    (state,) = action_states()
    assert (state.signed, state.in_progress, state.done, state.verified) == (0, 0, 1, 0)
    assert state.named == (done,)
    assert Commitment.objects.count() == 3


def test_it_tells_verified_from_self_reported(action: StatementAction, operator: Person) -> None:
    made = entered(b.party("partner", "Delta").organisation, action)
    accept_commitment(commitment=made, verified=True, by=operator, now=NOW)
    (state,) = action_states()
    assert (state.verified, state.named[0].standing, state.named[0].reviewed_by) == (1, "verified", operator)


def test_it_names_a_member_only_if_it_agreed_and_rounds_the_others(action: StatementAction, operator: Person) -> None:
    cobalt = b.member().organisation
    for n in range(3):
        accepted(b.member(f"Member {n}").organisation, action, "signed", operator)
    accepted(cobalt, action, "signed", operator)
    (state,) = action_states()
    assert (state.signed, state.named) == (5, ())  # four, rounded
    agree_to_be_named(organisation=cobalt, now=NOW)
    (state,) = action_states()
    assert (state.signed, [it.signatory for it in state.named]) == (1 + 5, [cobalt])


def test_it_counts_only_the_named_of_a_country(action: StatementAction, operator: Person) -> None:
    for n in range(6):
        accepted(b.member(f"Member {n}").organisation, action, "signed", operator)
    accepted(b.party("hotline", "Aurora", country="DE").organisation, action, "done", operator)
    (state,) = action_states(country="DE")
    assert (state.signed, state.done) == (0, 1)
    assert action_states(country="SE")[0].signatories == 0
    assert action_states(sector="")[0].done == 1  # whose sector is not stated
    assert action_states(sector="Hosting")[0].done == 0


def test_a_returned_one_does_not_count_and_says_why(action: StatementAction, operator: Person) -> None:
    aurora = b.party("hotline", "Aurora").organisation
    made = entered(aurora, action)
    return_commitment(commitment=made, reason="The link leads nowhere.", by=operator, now=NOW)
    made.refresh_from_db()
    assert (made.standing, made.reason) == ("returned", "The link leads nowhere.")
    assert action_states()[0].signatories == 0
    entered(aurora, action)  # and it can be entered again


def test_it_takes_one_at_a_time(action: StatementAction) -> None:
    aurora = b.party("hotline", "Aurora").organisation
    entered(aurora, action)
    with pytest.raises(errors.Conflict, match="awaits its review"):
        entered(aurora, action, "done")


def test_of_two_reviews_one_counts(action: StatementAction, operator: Person) -> None:
    made = entered(b.party("hotline", "Aurora").organisation, action)
    accept_commitment(commitment=made, verified=True, by=operator, now=NOW)
    with pytest.raises(errors.Conflict, match="reviewed meanwhile"):
        return_commitment(commitment=made, reason="x", by=operator, now=NOW)
    made.refresh_from_db()
    assert made.standing == "verified"


@pytest.mark.parametrize(
    "source",
    [
        "http://cobalt.example/",
        "javascript:alert(1)",
        "ftp://cobalt.example/",
        "cobalt.example",
        "",
        "https://",
        "https://x.example/" + "a" * 500,
    ],
)
def test_it_takes_no_source_but_an_https_address(action: StatementAction, source: str) -> None:
    with pytest.raises(errors.UsageError, match="source"):
        entered(b.party("hotline", "Aurora").organisation, action, source=source)


@pytest.mark.parametrize("dated", [date(2026, 11, 29), date(1999, 12, 31)])
def test_it_takes_no_date_to_come(action: StatementAction, dated: date) -> None:
    with pytest.raises(errors.UsageError, match="date"):
        entered(b.party("hotline", "Aurora").organisation, action, dated=dated)


def test_it_takes_no_state_of_its_own(action: StatementAction) -> None:
    with pytest.raises(errors.UsageError, match="state"):
        entered(b.party("hotline", "Aurora").organisation, action, "verified")


def test_a_retired_action_leaves_the_statistics(action: StatementAction, operator: Person) -> None:
    aurora = b.party("hotline", "Aurora").organisation
    accepted(aurora, action, "done", operator)
    retire_action(action=action, now=NOW)
    action.refresh_from_db()
    assert action_states() == []
    with pytest.raises(errors.UsageError, match="no longer part"):
        entered(aurora, action)


def test_a_suspended_signatory_is_not_counted(action: StatementAction, operator: Person) -> None:
    aurora = b.party("hotline", "Aurora").organisation
    accepted(aurora, action, "done", operator)
    suspend_organisation(organisation=aurora)
    assert action_states()[0].signatories == 0


def test_an_action_has_a_key_of_its_own(action: StatementAction) -> None:
    with pytest.raises(errors.Conflict):
        add_action(key="share-hashes", text="Again.")
    for key, text in (("two words", "x"), ("", "x"), ("x", ""), ("y", "a" * 301)):
        with pytest.raises(errors.UsageError):
            add_action(key=key, text=text)

"""People with an account, and ending all that is theirs when one leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome, Reason, by_operators
from hashshare.admin.links import invitation_link
from hashshare.admin.marks import DASH, mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Invitation, Person
from hashshare.selectors.people import belongings
from hashshare.selectors.second_factors import has_authenticator, recovery_codes_left
from hashshare.services.lockout import is_shut_out, let_in_again
from hashshare.services.people import change_role, fitting_roles, someone_leaves, told
from hashshare.services.resets import reset_sign_in
from hashshare.wire.errors import Conflict

NAMED: Final = 10
"""Keys that the page names one by one."""


class Reset(Reason):
    renews = forms.ChoiceField(label="What the person sets anew", choices=Invitation.Renews.choices, initial="both")
    field_order = ("renews", "reason")


class NewRole(Reason):
    role = forms.ChoiceField(help_text="Those that fit the kind of organisation.")
    field_order = ("role", "reason")


def _of_others(request: HttpRequest, row: Any) -> bool:
    """One's own sign-in is changed on *Your account*."""
    return by_operators(request, row) and row.pk != request.user.pk


def _reset(row: Person, data: dict[str, Any], actor: Any) -> Outcome:
    invitation, code = reset_sign_in(person=row, renews=data["renews"], now=timezone.now())
    until = f"{invitation.expires_at:%-d %B %Y %H:%M} UTC"
    return Outcome(
        f"The link with which {row.email} sets the {invitation.get_renews_display().lower()} anew, good until {until}:",
        invitation_link(code),
        noted=f"{invitation.get_renews_display()}, by a link that is good until {until}",
    )


def _reset_consequences(row: Person) -> str:
    return (
        f"{row} is signed out everywhere, and what you choose is void from this moment. You get a one-time link, good "
        f"for two days, with which {row} sets it anew.\n\nHand it over where you can tell that it is {row} whom you "
        "speak with: whoever has the link becomes that person here."
    )


def _let_in(row: Person, data: dict[str, Any], actor: Any) -> Outcome:
    let_in_again(person=row)
    return Outcome(f"{row} may try again.")


def _change_role(row: Person, data: dict[str, Any], actor: Any) -> Outcome:
    before = row.role
    change_role(person=row, role=data["role"], now=timezone.now())
    return Outcome(f"{row} is {row.role} now, and signed out everywhere.", noted=f"From {before} to {row.role}")


def _is_active(row: Person) -> bool:
    return row.is_active


def _has_other_roles(row: Person) -> bool:
    """An observer of a partner has none; whoever has a role that does not fit can be given one that does."""
    if not row.is_active or row.organisation is None:
        return False
    return any(value != row.role for value, _ in fitting_roles(row.organisation))


def _offer_fitting_roles(form: forms.Form, row: Person) -> None:
    cast("forms.ChoiceField", form.fields["role"]).choices = fitting_roles(row.organisation) if row.organisation else []


def _leaves(row: Person, data: dict[str, Any], actor: Any) -> Outcome:
    if row.pk == actor.pk:
        raise Conflict("You cannot end your own account.", next_step="Another operator can.")
    ended = someone_leaves(person=row, by=actor.email, now=timezone.now())
    return Outcome(f"{row} has left, and what was theirs has ended.", noted=told(ended), ended=ended.rows)


def _consequences(row: Person) -> str:
    """What ends, by name, and what the operator has to think of beside it."""
    found = belongings(row, now=timezone.now())
    ends = [
        f"{row} is signed out everywhere ({_count(found.sessions, 'session')}) and cannot sign in again.",
        f"Keys in their name end: {_names(found.keys)}." if found.keys else "No key is in their name.",
    ]
    if found.access_keys:
        ends.append(f"So do access keys made with these: {_names(found.access_keys)}. What runs with them stops.")
    if found.invitations:
        ends.append(f"{_count(found.invitations, 'invitation')} of theirs that nobody used is void.")
    if found.shared:
        ends.append(
            f"Keys of {row.organisation} in nobody's name go on: {_names(found.shared)}. "
            "If they could copy one, have it replaced and revoke it."
        )
    if row.role == Person.Role.OPERATOR:
        ends.append("What an operator knows of the machines (their passwords, the hub's keys) is not here: change it.")
    return "\n\n".join([*ends, "The record stays, with everything they did."])


def _names(rows: Sequence[Any]) -> str:
    shown = ", ".join(str(row) for row in rows[:NAMED])
    return shown if len(rows) <= NAMED else f"{shown} and {len(rows) - NAMED} more"


def _count(rows: Sequence[Any], noun: str) -> str:
    return f"{len(rows)} {noun}" if len(rows) == 1 else f"{len(rows)} {noun}s"


def _has_something_left(row: Person) -> bool:
    """Also of a closed account: a key may have been named after the person since."""
    return row.is_active or bool(belongings(row, now=timezone.now()))


@admin.register(Person, site=site)
class PersonAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "People appear here when they set a password with the link they were sent."
    list_display = ("email", "name", "organisation", "role", "state_mark", "last_login_utc")
    list_filter = ("role", "is_active")
    list_select_related = ("organisation",)
    search_fields = ("email", "name")
    fields = ("email", "name", "organisation", "role", "state_mark", "factor_mark", "last_login_utc", "created_at")
    deeds = (
        Deed(
            "leaves",
            "End all access",
            _leaves,
            _consequences,
            Reason,
            _has_something_left,
        ),
        Deed("reset", "Reset the sign-in", _reset, _reset_consequences, Reset, _is_active, _of_others),
        Deed(
            "let-in",
            "Let in again",
            _let_in,
            lambda row: f"Failed sign-ins of {row} are forgotten. If they were not {row}'s own, reset the password.",
            Reason,
            is_shut_out,
        ),
        Deed(
            "change-role",
            "Change the role",
            _change_role,
            lambda row: f"{row} is signed out everywhere, and sees what the new role sees.",
            NewRole,
            _has_other_roles,
            fit=_offer_fitting_roles,
        ),
    )

    @admin.display(description="second factor")
    def factor_mark(self, row: Person) -> str:
        if not has_authenticator(row):
            return "due at the next sign-in" if row.second_factor_due else "none"
        return f"authenticator, {recovery_codes_left(row)} recovery codes left"

    @admin.display(description="last login (UTC)", ordering="last_login")
    def last_login_utc(self, row: Person) -> str:
        return f"{row.last_login:%Y-%m-%d %H:%M}" if row.last_login else DASH

    @admin.display(description="account", ordering="is_active")
    def state_mark(self, row: Person) -> SafeString:
        return mark("active" if row.is_active else "closed")

"""Organisations, and what an operator does with them: invite, suspend, reinstate."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin import roles
from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.filters import CountryFilter
from hashshare.admin.links import invitation_link
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.countries import countries_by_name, country_name
from hashshare.models import Organisation
from hashshare.services.introductions import person_of
from hashshare.services.invitations import invite_key, invite_organisation, invite_person
from hashshare.services.organisations import (
    agree_to_be_named,
    create_organisation,
    reinstate_organisation,
    stop_being_named,
    suspend_organisation,
)
from hashshare.services.people import fitting_roles
from hashshare.services.publishers import create_publisher
from hashshare.wire.errors import UsageError


class NewOrganisation(forms.Form):
    kind = forms.ChoiceField(
        choices=[choice for choice in Organisation.Kind.choices if choice[0] != Organisation.Kind.HUB],
        help_text="Another hub is introduced, on the page Peers.",
    )
    name = forms.CharField(max_length=200)
    country = forms.ChoiceField(choices=[("", "Choose one"), *countries_by_name()])
    sector = forms.CharField(max_length=80, required=False)
    domains = forms.CharField(
        required=False,
        help_text="Hotlines: the domain names it publishes under, separated by spaces. "
        "Check first that it controls them.",
    )


class NewPerson(forms.Form):
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(help_text="Those that fit this kind of organisation.")


class NewKey(forms.Form):
    name = forms.CharField(
        label="Name of the machine", max_length=200, required=False, help_text="Empty: the machine says it itself."
    )
    holder = forms.EmailField(
        label="Who answers for it",
        max_length=254,
        required=False,
        help_text="E-mail address of a person of the organisation. When that person leaves, the key ends.",
    )


class Agreement(forms.Form):
    reason = forms.CharField(
        label="Who agreed, and where that is on record",
        max_length=500,
        help_text="Such as: letter of 3 November 2026, signed by the head of trust and safety.",
    )


class NewDomain(forms.Form):
    domain = forms.CharField(max_length=253, help_text="Lower case, such as aurora.example.")


def _invite(row: None, data: dict[str, Any], actor: Any) -> Outcome:
    if data["kind"] == Organisation.Kind.PARTNER:
        return _add_partner(data)
    invitation, code = invite_organisation(
        kind=data["kind"],
        name=data["name"],
        country=data["country"],
        sector=data["sector"],
        domains=data["domains"].split(),
        now=timezone.now(),
    )
    return Outcome(_code_message(invitation), code, invitation.organisation)


def _add_partner(data: dict[str, Any]) -> Outcome:
    if data["domains"].strip():
        raise UsageError("Only a hotline publishes.", next_step="Leave the domains empty.")
    made = create_organisation(kind=data["kind"], name=data["name"], country=data["country"], sector=data["sector"])
    return Outcome(f"{made} is here. A partner needs no machine: invite its people.", row=made)


def _invite_key(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    holder = person_of(row, data["holder"]) if data["holder"] else None
    invitation, code = invite_key(organisation=row, now=timezone.now(), key_name=data["name"], holder=holder)
    return Outcome(_code_message(invitation), code)


def _invite_person(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    invitation, code = invite_person(role=data["role"], organisation=row, email=data["email"], now=timezone.now())
    message = f"The link with which {invitation.email} sets a password, good until {invitation.expires_at:%d %B %Y}:"
    return Outcome(message, invitation_link(code))


def _offer_fitting_roles(form: forms.Form, row: Organisation) -> None:
    cast("forms.ChoiceField", form.fields["role"]).choices = fitting_roles(row)


def _suspend(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    suspend_organisation(organisation=row)
    return Outcome(f"{row} is suspended.")


def _reinstate(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    reinstate_organisation(organisation=row)
    return Outcome(f"{row} is reinstated.")


def _add_domain(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    return Outcome(f"{row} may publish as {create_publisher(organisation=row, domain=data['domain'])}.")


def _agree(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    agree_to_be_named(organisation=row, now=timezone.now())
    return Outcome(f"{row} may be named from now on.")


def _unname(row: Organisation, data: dict[str, Any], actor: Any) -> Outcome:
    stop_being_named(organisation=row)
    return Outcome(f"{row} is named nowhere from now on.")


def _speaks_for(request: HttpRequest, row: Organisation) -> bool:
    """The operator, who has it in writing, or the organisation's own people."""
    return roles.is_operator(request) or roles.own_organisation(request) == row.pk


def _code_message(invitation: Any) -> str:
    until = f"{invitation.expires_at:%d %B %Y}"
    return f"The code with which {invitation.organisation} enrols its machine key, good until {until}:"


def _in_force(row: Organisation) -> bool:
    return row.state != Organisation.State.SUSPENDED


def _at_home(row: Organisation) -> bool:
    """Not a hotline whose lists are copied from another hub."""
    return _in_force(row) and row.state != Organisation.State.MIRRORED


def _has_machines(row: Organisation) -> bool:
    """A partner reads the statistics and needs none."""
    return _in_force(row) and row.kind != Organisation.Kind.PARTNER


@admin.register(Organisation, site=site)
class OrganisationAdmin(RecordAdmin):
    organisation_paths = ("pk",)
    empty_state = "Organisations appear here when they are invited, with the button above or `manage.py invite`."
    list_display = ("name", "kind", "country_name", "sector", "state_mark", "created_at")
    list_filter = ("state", "kind", ("country", CountryFilter))
    search_fields = ("name", "slug")
    fields = ("name", "slug", "kind", "country_name", "sector", "state_mark", "named_since", "created_at")
    table_deeds = (Deed("invite", "Invite an organisation", _invite, form=NewOrganisation),)
    deeds = (
        Deed(
            "invite-person",
            "Invite a person",
            _invite_person,
            form=NewPerson,
            applies=_at_home,
            fit=_offer_fitting_roles,
        ),
        Deed("invite-key", "Invite a machine key", _invite_key, form=NewKey, applies=_has_machines),
        Deed(
            "add-domain",
            "Add a publisher",
            _add_domain,
            lambda row: f"Before this, check by a channel of your own that {row} controls the domain.",
            NewDomain,
            lambda row: _at_home(row) and row.kind == Organisation.Kind.HOTLINE,
        ),
        Deed(
            "agree-to-be-named",
            "Agree to be named",
            _agree,
            lambda row: (
                f"{row} is named on the public page and to observers, and counted exactly: where it is the only one of "
                "its country or sector, figures there are its own."
            ),
            Agreement,
            lambda row: _in_force(row) and row.named_since is None,
            _speaks_for,
        ),
        Deed(
            "stop-being-named",
            "Stop being named",
            _unname,
            lambda row: (
                f"{row} is named nowhere from now on and counted roughly. Copies that others made of the pages stay "
                "with them, and frozen figures, in which no member is named, stay as they are."
            ),
            Reason,
            lambda row: row.named_since is not None,
            _speaks_for,
        ),
        Deed(
            "suspend",
            "Suspend",
            _suspend,
            lambda row: (
                f"Every key and every person of {row} is refused from now on. Nothing is deleted; what its "
                "lists' subscribers hold stays with them."
            ),
            Reason,
            _in_force,
        ),
        Deed(
            "reinstate",
            "Reinstate",
            _reinstate,
            lambda row: f"The keys and people of {row} that are not revoked or closed are let in again.",
            applies=lambda row: not _in_force(row),
        ),
    )

    @admin.display(description="country", ordering="country")
    def country_name(self, row: Organisation) -> str:
        return country_name(row.country)

    @admin.display(description="state", ordering="state")
    def state_mark(self, row: Organisation) -> SafeString:
        return mark(row.state)

"""Organisations' machine keys: operators and the organisation's own engineers end one, engineers invite one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hashshare.admin import roles
from hashshare.admin.deeds import Deed, OneTime, Outcome, Reason
from hashshare.admin.filters import RevokedFilter
from hashshare.admin.marks import SHORT, mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import AccessKey, OrganisationKey
from hashshare.selectors.callers import caller_of_person
from hashshare.services.introductions import invite_machine_by_person
from hashshare.services.keys import Ending, access_keys_of, end_key, revoke_key


class RevokeForm(Reason):
    takes_away = True
    keep_access_keys = forms.BooleanField(
        required=False, help_text="Only when it is known that nobody else had the key: they go on to read."
    )


def _revoke(row: OrganisationKey, data: dict[str, Any], actor: Any) -> Outcome:
    done = revoke_key(
        organisation=row.organisation,
        fingerprint=row.fingerprint,
        now=timezone.now(),
        keep_access_keys=data["keep_access_keys"],
    )
    left = f" It had made {_named(done.access_keys_left)}, which goes on." if done.access_keys_left else ""
    message = f"{row.fingerprint} is revoked{_with(done)}.{left}"
    return Outcome(message, noted=_noted(done), ended=done.access_keys)


def _revoke_stolen(row: OrganisationKey, data: dict[str, Any], actor: Any) -> Outcome:
    done = revoke_key(organisation=row.organisation, fingerprint=row.fingerprint, now=timezone.now(), introduced=True)
    message = (
        f"{row.fingerprint} is revoked, {len(done.ended)} keys that it had brought, and what all of them had made."
    )
    return Outcome(message, noted=_noted(done), ended=(*done.ended, *done.access_keys))


def _with(done: Ending) -> str:
    return f", and with it {_named(done.access_keys)}" if done.access_keys else ""


def _noted(done: Ending) -> str:
    ended = [*(key.fingerprint for key in done.ended), *([_named(done.access_keys)] if done.access_keys else [])]
    return f"with it: {', '.join(ended)}" if ended else ""


def _named(rows: Sequence[AccessKey]) -> str:
    return f"the access {'key' if len(rows) == 1 else 'keys'} {', '.join(map(str, rows))}"


def _made(row: OrganisationKey) -> str:
    """The access keys that would end with it."""
    made = access_keys_of(row, now=timezone.now())
    return f"So is {_named(made)}, unless you keep what it made. " if made else ""


class NewMachine(OneTime):
    name = forms.CharField(label="Name of the machine", max_length=200, help_text="Such as sync-02.")


class EndStolenForm(Reason):
    takes_away = True
    reason = forms.CharField(max_length=500, help_text="Kept in the record.")
    last = forms.BooleanField(
        required=False,
        label="Also if no other key is left",
        help_text="Then nothing of your organisation reaches this hub until another machine is enrolled.",
    )


class EndForm(EndStolenForm):
    keep_access_keys = forms.BooleanField(
        required=False, help_text="Only when it is known that nobody else had the key: they go on to read."
    )


def _invite_machine(row: None, data: dict[str, Any], actor: Any) -> Outcome:
    invitation, code = invite_machine_by_person(person=actor, name=data["name"], form=data["form"], now=timezone.now())
    until = f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC"
    command = f"hashshare enroll {settings.HASHSHARE_PUBLIC_URL}/ {code}"
    return Outcome(f"Run this on {invitation.key_name}. It is good once, until {until}:", command, invitation)


def _end(row: OrganisationKey, data: dict[str, Any], actor: Any, *, introduced: bool = False) -> Outcome:
    caller = caller_of_person(actor)
    done = end_key(
        caller=caller,
        fingerprint=row.fingerprint,
        now=timezone.now(),
        introduced=introduced,
        keep_access_keys=data.get("keep_access_keys", False),
        last=data["last"],
    )
    return Outcome(f"{row} is revoked{_with(done)}.", noted=_noted(done), ended=(*done.ended, *done.access_keys))


def _end_stolen(row: OrganisationKey, data: dict[str, Any], actor: Any) -> Outcome:
    return _end(row, data, actor, introduced=True)


def _refused(row: OrganisationKey) -> str:
    return (
        f"Requests signed with {row} are refused from now on, for good, and one-time codes that it made are void. "
        f"{_made(row)}{_left(row)}"
    )


def _refused_with_all(row: OrganisationKey) -> str:
    return (
        f"{row} and every key that it brought, or that those brought, are refused from now on, with the access keys "
        f"and one-time codes made with any of them: after a theft nobody knows who made them. {_left(row)}"
    )


def _left(row: OrganisationKey) -> str:
    """What the organisation can go on with, and what the key had brought: after a theft nobody knows who did."""
    others = OrganisationKey.objects.in_force(timezone.now()).filter(organisation=row.organisation).exclude(pk=row.pk)
    brought = others.filter(introduced_by=row)
    words = f"{row.organisation} goes on with {len(others)} {'other key' if len(others) == 1 else 'other keys'}."
    if not others:
        words = f"It is the last one in force: {row.organisation} needs a new invitation to go on."
    if brought:
        words += f" It had introduced {', '.join(map(str, brought))}: if it was stolen, revoke it as stolen."
    return words


@admin.register(OrganisationKey, site=site)
class OrganisationKeyAdmin(RecordAdmin):
    organisation_paths = ("organisation",)
    empty_state = "A key appears here when an organisation enrols with its invitation code."
    list_display = ("short_fingerprint", "name", "organisation", "holder", "state_mark", "not_after", "last_seen_at")
    list_filter = (("revoked_at", RevokedFilter),)
    list_select_related = ("organisation", "holder")
    search_fields = ("fingerprint", "name")
    fields = (
        "fingerprint",
        "name",
        "organisation",
        "holder",
        "introduced_by",
        "state_mark",
        "created_at",
        "not_before",
        "not_after",
        "revoked_at",
        "last_seen_at",
        "last_synced_at",
        "clock_skew_seconds",
    )
    table_deeds = (
        Deed(
            "invite-machine",
            "Invite a machine",
            _invite_machine,
            lambda _: (
                "The code brings one more machine of your organisation, within a day. Its key is in your name: when "
                "you leave, it ends."
            ),
            NewMachine,
            may=roles.keeps_keys,
        ),
    )
    deeds = (
        Deed(
            "revoke",
            "Revoke",
            _revoke,
            _refused,
            RevokeForm,
            lambda row: row.revoked_at is None,
        ),
        Deed(
            "revoke-stolen",
            "Revoke as stolen",
            _revoke_stolen,
            _refused_with_all,
            Reason,
        ),
        Deed("end", "Revoke", _end, _refused, EndForm, lambda row: row.revoked_at is None, roles.keeps_keys),
        Deed("end-stolen", "Revoke as stolen", _end_stolen, _refused_with_all, EndStolenForm, may=roles.keeps_keys),
    )

    @admin.display(description="fingerprint", ordering="fingerprint")
    def short_fingerprint(self, row: OrganisationKey) -> SafeString:
        short = f"{row.fingerprint[:SHORT]}\N{HORIZONTAL ELLIPSIS}"
        return format_html('<span title="{}">{}</span>', row.fingerprint, short)

    @admin.display(description="state", ordering="revoked_at")
    def state_mark(self, row: OrganisationKey) -> SafeString:
        return mark(row.state_at(timezone.now()))

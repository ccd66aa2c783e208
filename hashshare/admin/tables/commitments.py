"""Commitments and the statement's actions: operators review what signatories enter, and say what the statement asks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome, Reason
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import Commitment, StatementAction
from hashshare.services.commitments import accept_commitment, add_action, retire_action, return_commitment


class NewAction(forms.Form):
    key = forms.SlugField(max_length=40, help_text="How it is quoted, such as share-hashes.")
    text = forms.CharField(max_length=300, help_text="The action in the statement's own words.")
    position = forms.IntegerField(min_value=0, max_value=1000, initial=0, help_text="Its place in the statement.")


def _add(row: None, data: dict[str, Any], actor: Any) -> Outcome:
    made = add_action(key=data["key"], text=data["text"], position=data["position"])
    return Outcome(f"Signatories can now enter how far they are with “{made}”.", row=made)


def _retire(row: StatementAction, data: dict[str, Any], actor: Any) -> Outcome:
    retire_action(action=row, now=timezone.now())
    return Outcome(f"“{row}” is retired.")


def _verify(row: Commitment, data: dict[str, Any], actor: Any) -> Outcome:
    accept_commitment(commitment=row, verified=True, by=actor, now=timezone.now())
    return Outcome(f"{row}: verified.")


def _accept(row: Commitment, data: dict[str, Any], actor: Any) -> Outcome:
    accept_commitment(commitment=row, verified=False, by=actor, now=timezone.now())
    return Outcome(f"{row}: taken as self-reported.")


def _return(row: Commitment, data: dict[str, Any], actor: Any) -> Outcome:
    return_commitment(commitment=row, reason=data["reason"], by=actor, now=timezone.now())
    return Outcome(f"{row}: returned.")


def _awaits(row: Commitment) -> bool:
    return row.standing == Commitment.Standing.AWAITING


def _open(row: StatementAction) -> bool:
    return row.retired_at is None


def _shown(row: Commitment) -> str:
    return f"{row} ({row.source}) is shown to every observer from now on."


@admin.register(Commitment, site=site)
class CommitmentAdmin(RecordAdmin):
    organisation_paths = ("signatory",)
    empty_state = "What signatories enter on the page Commitments waits here for its review."
    list_display = ("signatory", "action_key", "state", "standing_mark", "dated", "entered_at")
    list_filter = ("standing", "state", "action")
    list_select_related = ("signatory", "action")
    fields = (
        "signatory", "action", "state", "source", "dated", "standing_mark", "entered_at", "entered_by", "reviewed_at",
        "reason",
    )  # fmt: skip
    deeds = (
        Deed("verify", "Accept as verified", _verify, _shown, applies=_awaits),
        Deed("accept", "Accept as self-reported", _accept, _shown, applies=_awaits),
        Deed(
            "return", "Return", _return, lambda row: f"{row} does not count; the signatory sees why.", Reason, _awaits
        ),
    )

    @admin.display(description="action", ordering="action__position")
    def action_key(self, row: Commitment) -> str:
        return row.action.key

    @admin.display(description="standing", ordering="standing")
    def standing_mark(self, row: Commitment) -> SafeString:
        return mark(row.get_standing_display().lower())


@admin.register(StatementAction, site=site)
class StatementActionAdmin(RecordAdmin):
    empty_state = "The actions of the coalition's statement appear here when they are added with the button above."
    list_display = ("key", "text", "position", "retired_at")
    fields = ("key", "text", "position", "retired_at")
    table_deeds = (Deed("new", "Add an action", _add, form=NewAction),)
    deeds = (
        Deed(
            "retire",
            "Retire",
            _retire,
            lambda row: f"“{row}” leaves the statistics; what was entered about it stays on record.",
            Reason,
            _open,
        ),
    )

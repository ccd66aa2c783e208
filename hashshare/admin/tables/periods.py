"""Editions of the coalition's figures, for operators: what was frozen when, and correcting it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString

from hashshare.admin.deeds import Deed, Outcome
from hashshare.admin.marks import mark
from hashshare.admin.records import RecordAdmin
from hashshare.admin.site import site
from hashshare.models import StatisticPeriod
from hashshare.services.statistics.editions import correct_period


class Correction(forms.Form):
    reason = forms.CharField(max_length=500, help_text="Stands beside the figures, for everybody who reads them.")


def _correct(row: StatisticPeriod, data: dict[str, Any], actor: Any) -> Outcome:
    made = correct_period(edition=row, reason=data["reason"], by=actor, now=timezone.now())
    return Outcome(f"{made} was made of what the hub has on record now.", row=made)


def _frozen(row: StatisticPeriod) -> bool:
    return row.frozen_at is not None


@admin.register(StatisticPeriod, site=site)
class StatisticPeriodAdmin(RecordAdmin):
    empty_state = "A worker makes the figures of the running week, month and quarter once a day."
    list_display = ("label", "kind", "revision", "as_of", "state_mark", "made_at")
    list_filter = ("kind",)
    fields = (
        "label", "kind", "start", "revision", "as_of", "made_at", "state_mark", "frozen_at", "reason", "corrected_by"
    )  # fmt: skip
    deeds = (
        Deed(
            "correct",
            "Correct",
            _correct,
            lambda row: f"{row.label} gets a new revision, counted again from the hub's records; earlier ones stay.",
            Correction,
            _frozen,
        ),
    )

    @admin.display(description="state")
    def state_mark(self, row: StatisticPeriod) -> SafeString:
        return mark("frozen" if row.frozen_at else "running")

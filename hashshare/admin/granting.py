"""The forms with which somebody decides who receives a list, wherever the member is."""

from __future__ import annotations

from django import forms

from hashshare.admin.deeds import Reason


class Decision(Reason):
    """`seen` is how the request stood when the form was opened: a decision on anything else is refused."""

    takes_away = True
    reason = forms.CharField(
        max_length=500, help_text="The member reads this; it is kept in the record of what people did."
    )
    seen = forms.CharField(max_length=120, widget=forms.HiddenInput)


class Grant(Decision):
    takes_away = False
    until = forms.DateField(
        help_text="The subscription ends at 00:00 UTC of this day.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    field_order = ("until", "reason")

"""What a person may do from a page: a named deed, asked once more with its consequence, done by a service, recorded.

The stock forms of the admin never change a row here; a deed is the only way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest

from hashshare.admin import roles
from hashshare.selectors.callers import Caller


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done, in a sentence.

    `secret` is shown once and kept nowhere; `row` is what was made, if anything; `gone` says the row is gone; `noted`
    is what the history says beside the deed's name and the reason; `ended` are other rows whose history says it too.
    """

    message: str
    secret: str = ""
    row: Model | None = None
    gone: bool = False
    noted: str = ""
    ended: tuple[Model, ...] = ()


class Reason(forms.Form):
    """For deeds that take something away: why goes into the history."""

    reason = forms.CharField(max_length=500, help_text="Kept in the record of what people did.")


class Nothing(forms.Form):
    """For deeds that need no further word."""


class OneTime(forms.Form):
    """For deeds that show a secret: sent twice, as by a double click, the form makes one and shows it both times."""

    form = forms.CharField(max_length=64, widget=forms.HiddenInput, initial=lambda: secrets.token_urlsafe(32))


def always(row: Any) -> bool:
    return True


def no_consequence(row: Any) -> str:
    return ""


def as_it_is(form: forms.Form, row: Any) -> None:
    """The form offers every row the same."""


def no_initial(row: Any) -> dict[str, Any]:
    return {}


def never_repeated(row: Any, posted: Mapping[str, Any], actor: Any) -> str:
    return ""


def by_operators(request: HttpRequest, row: Any) -> bool:
    return roles.is_operator(request)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to be done. `perform(row, data, actor)` calls a service; `row` is None for deeds of a whole table.

    `applies(row)` says whether it makes sense now, `may(request, row)` who may do it, of those who see the row;
    `consequence(row)` names the thing and what follows; `in_place(row)` is what operators read beside it, who act in
    place of an organisation. `fit(form, row)` narrows the form to what fits the row, `initial(row)` are the fields that
    it opens with. `repeated(row, posted, actor)` is what to say when the same person has just done exactly this, as by
    a double click; empty when not.
    """

    slug: str
    label: str
    perform: Callable[[Any, dict[str, Any], Any], Outcome]
    consequence: Callable[[Any], str] = no_consequence
    form: type[forms.Form] = Nothing
    applies: Callable[[Any], bool] = always
    may: Callable[[HttpRequest, Any], bool] = by_operators
    in_place: Callable[[Any], str] = no_consequence
    initial: Callable[[Any], dict[str, Any]] = no_initial
    fit: Callable[[forms.Form, Any], None] = as_it_is
    repeated: Callable[[Any, Mapping[str, Any], Any], str] = never_repeated

    def tells(self, request: HttpRequest, row: Any) -> str:
        """The consequence as this person reads it."""
        in_place = self.in_place(row) if roles.is_operator(request) else ""
        return f"{self.consequence(row)} {in_place}".strip()

    @property
    def takes_away(self) -> bool:
        """Whether something ends: then it is never the first thing that a page offers."""
        return self.form is Reason or bool(getattr(self.form, "takes_away", False))


def acting_for(organisation: Any, actor: Any) -> Caller:
    """An operator acting in place of an organisation; the operator's e-mail stands in the record."""
    return Caller(organisation, "session", actor.email)

"""Your account: one's own password, second factor, recovery codes and sessions. Everybody sees their own, no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from hashshare.admin.setting_up import AUTHENTICATOR, CODES, Errand, NewPassword, set_up
from hashshare.admin.sign_in import CodeForm, attempt, too_often
from hashshare.selectors.people import count_sessions
from hashshare.selectors.second_factors import recovery_codes_left
from hashshare.services.deeds import note_deed
from hashshare.services.lockout import may_try
from hashshare.services.people import Chosen, change_password, end_sessions, set_chosen

View = Callable[[HttpRequest], HttpResponse]

CONFIRMED: Final = "account-confirmed"
CONFIRMED_FOR: Final = 10 * 60
"""Seconds for which a code given on these pages lets one change the second factor."""


class OwnPassword(NewPassword):
    """`old_password` is checked like a sign-in, and its failures count like those."""

    old_password = forms.CharField(
        label="Present password",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("old_password", "password1", "password2")

    def __init__(self, request: HttpRequest, data: Any = None) -> None:
        self._request = request
        super().__init__(data, known_email="known", asks_name=False)
        self.fields["password1"].label, self.fields["password2"].label = "New password", "New password again"

    def clean_old_password(self) -> str:
        email, given = self._request.user.get_username(), str(self.cleaned_data["old_password"])
        if not may_try(self._request, email=email):
            raise ValidationError(too_often())
        if authenticate(self._request, username=email, password=given) is None:
            raise ValidationError("This is not your password.")
        return given


def account(site: AdminSite) -> View:
    """Whoever is signed in."""

    def view(request: HttpRequest) -> HttpResponse:
        person: Any = request.user
        context = {
            "title": "Your account",
            "person": person,
            "codes_left": recovery_codes_left(person),
            "sessions": count_sessions(person, now=timezone.now()),
        }
        return TemplateResponse(request, "hashshare/doors/account.html", {**site.each_context(request), **context})

    return view


def own_password(site: AdminSite) -> View:
    """Whoever is signed in and knows their present password. Ends their other sessions."""

    @sensitive_post_parameters("old_password", "password1", "password2")
    def view(request: HttpRequest) -> HttpResponse:
        form = OwnPassword(request, request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            _change_password(request, request.user, form.cleaned_data["password1"])
            messages.success(request, "Your password is changed, and you are signed out everywhere else.")
            return HttpResponseRedirect(reverse("admin:account"))
        return _form_page(site, request, "Change your password", form, "Change password")

    return view


def _change_password(request: HttpRequest, person: Any, password: str) -> None:
    now = timezone.now()
    with transaction.atomic():
        own = request.session.session_key or ""
        change_password(person=person, password_hash=make_password(password), now=now, but=own)
        note_deed(person=person, what="Change own password", about=person, now=now)
    update_session_auth_hash(request, person)  # which gives this session a new key


def sign_out_everywhere(site: AdminSite) -> View:
    """Whoever is signed in; the present session stays."""

    def view(request: HttpRequest) -> HttpResponse:
        person: Any = request.user
        if request.method == "POST":
            now = timezone.now()
            with transaction.atomic():
                ended = end_sessions(person=person, now=now, but=request.session.session_key or "")
                note_deed(person=person, what="Sign out everywhere else", about=person, noted=f"{ended} ended", now=now)
            messages.success(
                request, f"You are signed out everywhere else: {ended} session{'' if ended == 1 else 's'}."
            )
        return HttpResponseRedirect(reverse("admin:account"))

    return view


def new_codes(site: AdminSite) -> View:
    """Whoever is signed in and has a code. The old ones end."""
    return _second_factor(site, "Make new recovery codes", (CODES,))


def new_authenticator(site: AdminSite) -> View:
    """Whoever is signed in and has a code. The old app and the old codes end."""
    return _second_factor(site, "Move to another app or phone", (AUTHENTICATOR, CODES))


def _second_factor(site: AdminSite, what: str, steps: tuple[str, ...]) -> View:
    @sensitive_post_parameters("code")
    def view(request: HttpRequest) -> HttpResponse:
        person: Any = request.user
        if not _confirmed(request):
            return _confirm(site, request, what)

        def finish(chosen: Chosen) -> HttpResponse:
            now = timezone.now()
            with transaction.atomic():
                set_chosen(person=person, chosen=chosen, now=now)
                note_deed(person=person, what=what, about=person, now=now)
            request.session.pop(CONFIRMED, None)
            messages.success(request, "It is done. What was there before does not count any more.")
            return HttpResponseRedirect(reverse("admin:account"))

        until = "Until the last step, what you have now goes on to count."
        back = reverse("admin:account")
        return set_up(request, Errand(f"{what} {person.pk}", what, until, person.email, steps, finish, back=back))

    return view


def _confirmed(request: HttpRequest) -> bool:
    at = request.session.get(CONFIRMED)
    return at is not None and timezone.now().timestamp() - at < CONFIRMED_FOR


def _confirm(site: AdminSite, request: HttpRequest, what: str) -> HttpResponse:
    form = CodeForm(request.POST if request.method == "POST" and "code" in request.POST else None)
    if form.is_bound and form.is_valid():
        checked = attempt(request, form, request.user)
        if checked is not None and checked.good:
            request.session[CONFIRMED] = timezone.now().timestamp()
            return HttpResponseRedirect(request.get_full_path())
    return _form_page(site, request, what, form, "Go on")


def _form_page(site: AdminSite, request: HttpRequest, title: str, form: forms.Form, button: str) -> HttpResponse:
    context = {"title": title, "form": form, "button": button}
    return TemplateResponse(request, "hashshare/doors/account_form.html", {**site.each_context(request), **context})

"""The page behind a person's one-time link: it sets the password, and the link dies.

Looking at the page changes nothing, so a mail scanner that follows links does not use it up. A link that is unknown,
used or out of date gets one and the same plain answer.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from hashshare.services.invitations import accept_person_invitation, open_person_invitation
from hashshare.wire.errors import InvitationInvalid, UsageError

NOT_FOUND = 404


class PasswordForm(forms.Form):
    """`email` is asked only when the invitation does not name one."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="You sign in with it.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    name = forms.CharField(
        label="Your name", max_length=200, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password1 = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=password_validation.password_validators_help_text_html,
    )
    password2 = forms.CharField(
        label="Password again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def __init__(self, *args: Any, known_email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known_email:
            del self.fields["email"]

    def clean_password1(self) -> str:
        password = str(self.cleaned_data["password1"])
        password_validation.validate_password(password)
        return password

    def clean_password2(self) -> str:
        again = str(self.cleaned_data["password2"])
        if self.cleaned_data.get("password1") not in (None, again):
            raise ValidationError("The two passwords differ.")
        return again


@never_cache
@sensitive_post_parameters("password1", "password2")
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, code: str) -> HttpResponse:
    try:
        invitation = open_person_invitation(code=code, now=timezone.now())
        form = PasswordForm(request.POST if request.method == "POST" else None, known_email=invitation.email)
        if form.is_valid() and _accepted(form, code):
            messages.success(request, "Your password is set. Sign in with it.")
            return HttpResponseRedirect(reverse("admin:login"))
    except InvitationInvalid:
        return _page(request, "This link does not work", status=NOT_FOUND)
    return _page(request, "Set your password", form=form, invitation=invitation)


def _accepted(form: PasswordForm, code: str) -> bool:
    data = form.cleaned_data
    try:
        accept_person_invitation(
            code=code,
            email=data.get("email", ""),
            name=data["name"],
            password=data["password1"],
            now=timezone.now(),
        )
    except UsageError as error:
        form.add_error(None, error.message)
        return False
    return True


def _page(request: HttpRequest, title: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """The link is a secret until it is used: no address bar's content goes to anybody as a referrer."""
    frame = {"title": title, "site_header": "hashshare", "site_title": "hashshare", "has_permission": False}
    response = render(request, "hashshare/invitation.html", {**frame, **context}, status=status)
    response["Referrer-Policy"] = "same-origin"
    return response

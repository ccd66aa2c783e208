"""Signing in: e-mail address and password on one page, a code on the next. Only both together begin a session."""

from __future__ import annotations

import hmac
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from hashshare.admin import roles
from hashshare.admin.kept_forms import KEPT, kept_form
from hashshare.admin.sessions import begin_session, is_verified
from hashshare.admin.setting_up import AUTHENTICATOR, CODES, Errand, door, set_up
from hashshare.selectors.people import person_by_id
from hashshare.selectors.second_factors import has_authenticator, recovery_codes_left
from hashshare.services.deeds import note_deed
from hashshare.services.lockout import how_long, may_try, note_failure
from hashshare.services.people import Chosen, set_chosen
from hashshare.services.second_factors import Checked, check_second_factor

PENDING: Final = "signing-in"
PATIENCE: Final = 10 * 60
"""Seconds between the two pages."""
FEW_CODES: Final = 3

SAID: Final = {
    Checked.WRONG: "This code does not fit, or it was used before. The app shows a new one every 30 seconds.",
    Checked.CLOSED: "Too many wrong codes in a row: none is taken any more until an operator lets you in again. "
    "Whoever tried them knows your password: change it.",
    Checked.UNREADABLE: "This hub cannot read your second factor any more. Ask its operator to reset it.",
}


def too_often() -> str:
    return f"That was tried too often. Try again in {int(how_long().total_seconds() // 60)} minutes."


class SignInForm(AuthenticationForm):
    """What a wrong address or password gets does not say whether the address is known."""

    error_messages = {
        "invalid_login": "This e-mail address and password do not go together.",
        "inactive": "This account is closed. Ask the hub's operator.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"

    def clean_username(self) -> str:
        """Addresses are kept in lower case, and nobody remembers which case they typed. No address is longer."""
        return str(self.cleaned_data["username"]).strip().lower()[:254]

    def clean(self) -> dict[str, Any]:
        email = self.cleaned_data.get("username", "")
        if email and self.request is not None and not may_try(self.request, email=email):
            raise ValidationError(too_often(), code="too_often")
        return dict(super().clean())

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not roles.role_of(user):
            raise ValidationError(self.error_messages["inactive"], code="inactive")


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="The six digits that your app shows now, or one of your recovery codes.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )


# --- The first page --------------------------------------------------------------------------------------------------


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def enter_password(request: HttpRequest) -> HttpResponse:
    """Anybody."""
    following = safe_next(request)
    if request.method != "POST" and is_verified(request) and roles.role_of(request.user):
        return HttpResponseRedirect(reverse("admin:index"))
    form = SignInForm(request, data=request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return door(request, "hashshare/doors/sign_in.html", {"title": "Sign in", "form": form, "next": following})
    person: Any = form.get_user()
    request.session.cycle_key()
    request.session[PENDING] = {
        "person": str(person.pk),
        "hash": person.get_session_auth_hash(),
        "at": timezone.now().timestamp(),
        "next": following,
    }
    return HttpResponseRedirect(reverse("admin:login-code"))


def safe_next(request: HttpRequest) -> str:
    """Where to go afterwards: an address of this hub."""
    asked = str(request.POST.get("next") or request.GET.get("next") or "")
    own = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return asked if own else reverse("admin:index")


def pending_person(request: HttpRequest) -> Any:
    """Whoever gave the right password in this browser a while ago, if it is still the right one; else None."""
    kept = request.session.get(PENDING)
    if kept is None or timezone.now().timestamp() - kept["at"] > PATIENCE:
        return None
    person = person_by_id(kept["person"])
    if person is None or not hmac.compare_digest(person.get_session_auth_hash(), kept["hash"]):
        return None
    return person if roles.role_of(person) else None


def to_the_start(request: HttpRequest, said: str = "") -> HttpResponse:
    request.session.pop(PENDING, None)
    messages.warning(request, said or "Too much time has passed since your password. Begin again.")
    return HttpResponseRedirect(reverse("admin:login"))


# --- The second page -------------------------------------------------------------------------------------------------


@never_cache
@csrf_protect
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    """Whoever has just given the right password."""
    if is_verified(request) and PENDING not in request.session:  # a second tab, or a double click
        return HttpResponseRedirect(reverse("admin:index"))
    person = pending_person(request)
    if person is None:
        return to_the_start(request)
    if not has_authenticator(person):
        if person.second_factor_due:
            return HttpResponseRedirect(reverse("admin:login-set-up"))
        return to_the_start(request, "Your second factor was reset: open the link that the operator made for you.")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        checked = attempt(request, form, person)
        if checked is not None and checked.good:
            return let_in(request, person, checked)
    return door(request, "hashshare/doors/code.html", {"title": "Your second factor", "form": form, "person": person})


def attempt(request: HttpRequest, form: forms.Form, person: Any) -> Checked | None:
    """Take the form's code, unless it was tried too often; what was wrong is noted and said on the form."""
    if not may_try(request, email=person.email):
        form.add_error("code", too_often())
        return None
    checked = check_second_factor(person=person, code=form.cleaned_data["code"], now=timezone.now())
    if not checked.good:
        note_failure(request, email=person.email)
        form.add_error("code", SAID[checked])
    return checked


def let_in(request: HttpRequest, person: Any, checked: Checked | None) -> HttpResponse:
    following = request.session.pop(PENDING)["next"]
    begin_session(request, person, now=timezone.now())
    left = recovery_codes_left(person)
    if checked is Checked.RECOVERY_CODE or left < FEW_CODES:
        account = "Your account makes new ones."
        messages.warning(request, f"You have {left} recovery code{'' if left == 1 else 's'} left. {account}")
    waits = KEPT in request.session and kept_form(request) is not None
    return HttpResponseRedirect(reverse("admin:kept-form") if waits else following)


@never_cache
@csrf_protect
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_second_factor(request: HttpRequest) -> HttpResponse:
    """Whoever has just given the right password and is due to set up a second factor: operators made at the command
    line, and accounts from before there was one.
    """
    person = pending_person(request)
    if person is None or not person.second_factor_due or has_authenticator(person):
        return to_the_start(request, "Sign in.")

    def finish(chosen: Chosen) -> HttpResponse:
        now = timezone.now()
        with transaction.atomic():
            set_chosen(person=person, chosen=chosen, now=now)
            note_deed(person=person, what="Set up the second factor", about=person, now=now)
        return let_in(request, person, None)

    intro = "From now on you sign in with a code of your phone beside your password."
    return set_up(
        request,
        Errand(f"first {person.pk}", "Set up your second factor", intro, person.email, (AUTHENTICATOR, CODES), finish),
    )

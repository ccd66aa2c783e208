"""The steps by which a person sets a password, an authenticator and recovery codes, whatever led there.

What was chosen waits in the session, sealed or hashed, and is set only at the end and all at once: a page that is
loaded again shows the same step, and a link is used up by nothing less than the last one.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from hashshare.services.envelopes import CannotOpenError, seal, unseal
from hashshare.services.people import Chosen
from hashshare.services.second_factors import matching_step, new_key, new_recovery_codes
from hashshare.wire.errors import UsageError

STATE: Final = "setting-up"
PASSWORD, AUTHENTICATOR, CODES = "password", "authenticator", "codes"
WRONG_CODE: Final = "This code does not fit. Codes change every 30 seconds: check that the phone's clock is right."


@dataclass(frozen=True, slots=True)
class Errand:
    """Why somebody sets something up. `name` tells errands apart; `email` is empty when it is asked for.

    `steps` of PASSWORD, AUTHENTICATOR, CODES, in this order; `finish(chosen)` sets it and answers, or raises
    UsageError; `back` leads away from it.
    """

    name: str
    title: str
    intro: str
    email: str
    steps: tuple[str, ...]
    finish: Callable[[Chosen], HttpResponse]
    asks_name: bool = False
    back: str = ""


class NewPassword(forms.Form):
    """`email` is asked only when it is not known."""

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
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=password_validation.password_validators_help_text_html,
    )
    password2 = forms.CharField(
        label="Password again",
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, known_email: str = "", asks_name: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if known_email:
            del self.fields["email"]
        if not asks_name:
            del self.fields["name"]

    def clean_password1(self) -> str:
        password = str(self.cleaned_data["password1"])
        password_validation.validate_password(password)
        return password

    def clean_password2(self) -> str:
        again = str(self.cleaned_data["password2"])
        if self.cleaned_data.get("password1") not in (None, again):
            raise ValidationError("The two passwords differ.")
        return again


class Code(forms.Form):
    code = forms.CharField(
        label="Code from the app",
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class Kept(forms.Form):
    kept = forms.BooleanField(label="I have kept these codes where I find them without my phone")


def set_up(request: HttpRequest, errand: Errand) -> HttpResponse:
    """The step that is due, or what `finish` answers. A form of another step than this one, as from a double click or a
    second tab, changes nothing.
    """
    kept = _kept(request, errand)
    step = _due(errand, kept)
    if request.method != "POST":
        return _page(request, errand, step, _form(errand, step, None), kept)
    if "restart" in request.POST:
        request.session.pop(STATE, None)
        return HttpResponseRedirect(request.get_full_path())
    if request.POST.get("step") != step:
        return HttpResponseRedirect(request.get_full_path())
    form = _form(errand, step, request.POST)
    if not (form.is_valid() and _take(form, step, kept, errand, timezone.now())):
        return _page(request, errand, step, form, kept)
    request.session[STATE] = kept
    return HttpResponseRedirect(request.get_full_path()) if _due(errand, kept) else _finish(request, errand, kept)


def _finish(request: HttpRequest, errand: Errand, kept: dict[str, Any]) -> HttpResponse:
    request.session.pop(STATE)
    try:
        return errand.finish(_chosen(errand, kept))
    except UsageError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(request.get_full_path())


def _kept(request: HttpRequest, errand: Errand) -> dict[str, Any]:
    """What the session has of this errand. One that was sealed with another secret key begins anew."""
    kept: dict[str, Any] = request.session.get(STATE, {})
    if kept.get("errand") != errand.name or not _opens(errand, kept):
        kept = {"errand": errand.name, "key": _seal(errand, new_key().hex())}
        request.session[STATE] = kept
    return dict(kept)


def _opens(errand: Errand, kept: dict[str, Any]) -> bool:
    try:
        _unseal(errand, kept["key"])
    except (CannotOpenError, ValueError):
        return False
    return True


def _due(errand: Errand, kept: dict[str, Any]) -> str:
    """The first step that is not done; empty when all are."""
    done = {PASSWORD: "password_hash" in kept, AUTHENTICATOR: "time_step" in kept, CODES: "codes_kept" in kept}
    return next((step for step in errand.steps if not done[step]), "")


def _form(errand: Errand, step: str, data: Any) -> forms.Form:
    if step == PASSWORD:
        return NewPassword(data, known_email=errand.email, asks_name=errand.asks_name)
    return Code(data) if step == AUTHENTICATOR else Kept(data)


def _take(form: forms.Form, step: str, kept: dict[str, Any], errand: Errand, now: datetime) -> bool:
    data = form.cleaned_data
    if step == PASSWORD:
        kept["email"], kept["name"] = data.get("email", ""), data.get("name", "")
        kept["password_hash"] = make_password(data["password1"])
    elif step == AUTHENTICATOR:
        found = matching_step(_key(errand, kept), data["code"], now=now, after=0)
        if found is None:
            form.add_error("code", WRONG_CODE)
            return False
        kept["time_step"] = found
    else:
        kept["codes_kept"] = True
    return True


def _chosen(errand: Errand, kept: dict[str, Any]) -> Chosen:
    return Chosen(
        email=kept.get("email", ""),
        name=kept.get("name", ""),
        password_hash=kept.get("password_hash", ""),
        key=_key(errand, kept) if AUTHENTICATOR in errand.steps else b"",
        step=kept.get("time_step", 0),
        codes=_codes(errand, kept) if CODES in errand.steps else (),
    )


def _page(request: HttpRequest, errand: Errand, step: str, form: forms.Form, kept: dict[str, Any]) -> HttpResponse:
    context: dict[str, Any] = {"title": errand.title, "errand": errand, "step": step, "form": form}
    context |= {"number": errand.steps.index(step) + 1, "count": len(errand.steps)}
    context["may_restart"] = step != errand.steps[0]
    if step == AUTHENTICATOR:
        context |= _app(errand, kept)
    if step == CODES:
        context["codes"] = _codes(errand, kept)
        request.session[STATE] = kept
    return door(request, "hashshare/doors/set_up.html", context)


def door(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page for whoever is not signed in yet. Addresses may be secrets: none goes to anybody as a referrer."""
    frame = {"site_header": "hashshare", "site_title": "hashshare", "has_permission": False}
    response = render(request, template, {**frame, **context}, status=status)
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-store"
    return response


# --- The authenticator and the codes, while they wait in the session -------------------------------------------------


def _app(errand: Errand, kept: dict[str, Any]) -> dict[str, Any]:
    secret = base64.b32encode(_key(errand, kept)).decode().rstrip("=")
    address = app_address(secret, label=errand.email or kept.get("email", ""), issuer=settings.HASHSHARE_NAME)
    groups = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    return {"qr": qr_code(address), "secret": groups, "address": address}


def app_address(secret: str, *, label: str, issuer: str) -> str:
    """What authenticator apps read (Google Authenticator, key URI format); `secret` in base 32."""
    issuer = issuer.replace(":", " ")
    told = {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": "6", "period": "30"}
    return f"otpauth://totp/{quote(issuer)}:{quote(label)}?{urlencode(told, quote_via=quote)}"


def qr_code(text: str) -> SafeString:
    """An SVG within the page, drawn here: without style attributes, and dark on light whatever the page's colours."""
    drawn = segno.make(text, error="m", micro=False)
    svg = drawn.svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None, title="QR code for the app"
    )
    return mark_safe(svg)  # noqa: S308 (made of black squares)


def _key(errand: Errand, kept: dict[str, Any]) -> bytes:
    return bytes.fromhex(_unseal(errand, kept["key"]))


def _codes(errand: Errand, kept: dict[str, Any]) -> tuple[str, ...]:
    if "codes" not in kept:
        kept["codes"] = _seal(errand, " ".join(new_recovery_codes()))
    return tuple(_unseal(errand, kept["codes"]).split())


def _seal(errand: Errand, text: str) -> str:
    return base64.b64encode(seal(text.encode(), use=f"setting up {errand.name}")).decode()


def _unseal(errand: Errand, sealed: str) -> str:
    return unseal(base64.b64decode(sealed), use=f"setting up {errand.name}").decode()

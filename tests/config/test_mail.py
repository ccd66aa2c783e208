"""How mail leaves, read from one address."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import at_least_one, mail


def test_without_an_address_it_is_written_into_the_log() -> None:
    assert mail("") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example", 25, False, False),
        ("smtp+tls://mail.example", 587, True, False),
        ("smtps://mail.example", 465, False, True),
        ("smtps://mail.example:2465", 2465, False, True),
    ],
)
def test_the_scheme_says_how_it_is_protected(url: str, port: int, tls: bool, ssl: bool) -> None:
    found = mail(url)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example", port)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (tls, ssl)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("", "")


def test_user_and_password_may_have_any_characters() -> None:
    found = mail("smtp+tls://north%40hub.example:p%2Fw%3A@mail.example:25")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("north@hub.example", "p/w:")


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp:mail.example"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        mail(url)


@pytest.mark.parametrize("text", ["0", "-3"])
def test_openings_are_kept_for_a_year_at_least(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HASHSHARE_LOG_YEARS", text)
    with pytest.raises(ImproperlyConfigured):
        at_least_one("HASHSHARE_LOG_YEARS", 3)

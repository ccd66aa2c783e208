"""A partner's adviser at a browser: sets a password through the invitation link, signs in, reads the statistics."""

from __future__ import annotations

import html
import re
import secrets
from dataclasses import dataclass

import requests

from demo.stage import require

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Login:
    """What a person types at /admin/."""

    email: str
    password: str


def accept_invitation(link: str, *, email: str) -> Login:
    """Set a password through the one-time link, and see that the link is dead afterwards."""
    login = Login(email, secrets.token_urlsafe(12))
    with requests.Session() as browser:
        form = browser.get(link, timeout=30)
        form.raise_for_status()
        fields = {"email": email, "name": "Ada Adviser", "password1": login.password, "password2": login.password}
        done = browser.post(form.url, data=_with_token(form.text, fields), headers={"Referer": form.url}, timeout=30)
        require(done.status_code == 200, f"the invitation link sets a password (it answered {done.status_code})")
    require(requests.get(link, timeout=30).status_code in {403, 404, 410}, "a used invitation link is dead")
    return login


def read_statistics(hub: str, login: Login) -> str:
    """Sign in and return the text of the Coalition statistics page, tags removed."""
    with requests.Session() as browser:
        sign_in = f"{hub}/admin/login/?next=/admin/statistics/"
        form = browser.get(sign_in, timeout=30)
        fields = {"username": login.email, "password": login.password, "next": "/admin/statistics/"}
        page = browser.post(sign_in, data=_with_token(form.text, fields), headers={"Referer": sign_in}, timeout=30)
        require(page.status_code == 200 and "Coalition statistics" in page.text, "an observer reads the statistics")
        refused = browser.get(f"{hub}/admin/hashshare/organisation/", timeout=30)
        require(refused.status_code in {403, 404}, "an observer sees nothing but the statistics")
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def _with_token(page: str, fields: dict[str, str]) -> dict[str, str]:
    found = TOKEN.search(page)
    require(found is not None, "the form carries a CSRF token")
    assert found is not None
    return {**fields, "csrfmiddlewaretoken": found.group(1)}

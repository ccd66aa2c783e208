"""People at a browser: they come in through an invitation link or a first sign-in, and one reads the statistics.

The phone with its codes is played here too: it reads the secret off the page, as a camera would.
"""

from __future__ import annotations

import base64
import html
import re
import secrets
from dataclasses import dataclass, field

import requests
from django_otp.oath import totp

from demo.stage import require

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SECRET = re.compile(r'<code class="secret">([A-Z2-7 ]+)</code>')
CODE = re.compile(r"<li><code>([0-9A-Z-]{14})</code></li>")


@dataclass(frozen=True, slots=True)
class Login:
    """What a person types at /admin/: each of `codes` is good once in place of a phone's."""

    email: str
    password: str
    codes: tuple[str, ...] = ()
    browser: requests.Session = field(default_factory=requests.Session, repr=False, compare=False)


def accept_invitation(link: str, *, email: str) -> Login:
    """Set password and second factor through the one-time link, and see that the link is dead afterwards."""
    password, browser = secrets.token_urlsafe(12), requests.Session()
    fields = {"step": "password", "name": "Ada Adviser", "password1": password, "password2": password}
    done = send(browser, link, fields)
    require(done.status_code == 200, f"the invitation link takes a password (it answered {done.status_code})")
    codes = set_up_second_factor(browser, link, done)
    require(requests.get(link, timeout=30).status_code in {403, 404, 410}, "a used invitation link is dead")
    return Login(email, password, codes, browser)


def first_sign_in(hub: str, login: Login) -> Login:
    """Of an operator made at the command line: the password leads to setting up the second factor."""
    browser, address = requests.Session(), f"{hub}/admin/login/"
    page = send(browser, address, {"username": login.email, "password": login.password, "next": "/admin/"})
    return Login(login.email, login.password, set_up_second_factor(browser, page.url, page), browser)


def set_up_second_factor(browser: requests.Session, address: str, page: requests.Response) -> tuple[str, ...]:
    """Scan the secret, confirm it with a code, keep the recovery codes: these."""
    found = SECRET.search(page.text)
    require(found is not None, "the page shows a secret for the phone")
    assert found is not None
    secret = found.group(1).replace(" ", "")
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    shown = send(browser, address, {"step": "authenticator", "code": f"{totp(key):06d}"})
    codes = tuple(CODE.findall(shown.text))
    require(len(codes) == 10, "the page shows ten recovery codes")
    done = send(browser, address, {"step": "codes", "kept": "on"})
    require("/admin/login/" not in done.url and done.status_code == 200, "password and second factor let one in")
    return codes


def read_statistics(hub: str, login: Login) -> str:
    """The text of the Coalition statistics page, tags removed, as the person who came in sees it."""
    page = login.browser.get(f"{hub}/admin/statistics/", timeout=30)
    require(page.status_code == 200 and "Coalition statistics" in page.text, "an observer reads the statistics")
    refused = login.browser.get(f"{hub}/admin/hashshare/organisation/", timeout=30)
    require(refused.status_code in {403, 404}, "an observer sees nothing but the statistics")
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def password_alone(hub: str, login: Login) -> None:
    """See that it opens nothing."""
    browser = requests.Session()
    send(browser, f"{hub}/admin/login/", {"username": login.email, "password": login.password})
    require(
        "/admin/login/" in browser.get(f"{hub}/admin/statistics/", timeout=30).url, "a password alone opens nothing"
    )


def send(browser: requests.Session, address: str, fields: dict[str, str]) -> requests.Response:
    """Fill in the form at `address`."""
    form = browser.get(address, timeout=30)
    form.raise_for_status()
    found = TOKEN.search(form.text)
    require(found is not None, "the form carries a CSRF token")
    assert found is not None
    data = {**fields, "csrfmiddlewaretoken": found.group(1)}
    return browser.post(form.url, data=data, headers={"Referer": form.url}, timeout=30)

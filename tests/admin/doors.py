"""People at the door: the phone that shows codes, and the pages one goes through to come in."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.test import Client
from django.utils import timezone
from django_otp.oath import totp

from hashshare.models import Person
from hashshare.services.second_factors import new_key, set_authenticator, set_recovery_codes
from tests.admin.cast import PASSWORD

RECOVERY: Final = ("AAAA-BBBB-CCCC", "DDDD-EEEE-FFFF")
SECRET: Final = re.compile(r'<code class="secret">([A-Z2-7 ]+)</code>')
CODE: Final = re.compile(r"<li><code>([0-9A-Z-]{14})</code></li>")


@dataclass(frozen=True, slots=True)
class Phone:
    """An authenticator app with one secret; `slow` is by how much its clock is behind."""

    key: bytes
    slow: timedelta = timedelta()

    def code(self, *, at: datetime | None = None, steps: int = 0) -> str:
        """The code `steps` of 30 seconds from now."""
        moment = (at or timezone.now()) - self.slow + timedelta(seconds=30 * steps)
        return f"{totp(self.key, t0=0, step=30, drift=_steps_until(moment)):06d}"

    @classmethod
    def scanned(cls, page: str) -> Phone:
        found = SECRET.search(page)
        assert found is not None, page
        secret = found[1].replace(" ", "")
        return cls(base64.b32decode(secret + "=" * (-len(secret) % 8)))


def _steps_until(moment: datetime) -> int:
    """From now, in steps: `totp` reads the clock itself."""
    return int(moment.timestamp()) // 30 - int(timezone.now().timestamp()) // 30


def with_phone(person: Person) -> Phone:
    """The second factor, set a while ago."""
    phone = Phone(new_key())
    set_authenticator(person=person, key=phone.key, step=0, now=timezone.now())
    set_recovery_codes(person=person, codes=RECOVERY, now=timezone.now())
    return phone


def give_password(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/admin/login/", {"username": email, "password": password, "next": "/admin/"} | more)


def give_code(client: Client, code: str) -> Any:
    return client.post("/admin/login/code/", {"code": code})


def come_in(client: Client, person: Person, phone: Phone, *, steps: int = 0) -> Any:
    give_password(client, person.email)
    return give_code(client, phone.code(steps=steps))


def go_through(client: Client, address: str, **password_step: str) -> tuple[Phone, list[str], Any]:
    """All steps behind a link: phone, recovery codes, and the answer to the last."""
    if password_step:
        client.post(address, {"step": "password"} | password_step)
    phone = Phone.scanned(client.get(address).content.decode())
    client.post(address, {"step": "authenticator", "code": phone.code()})
    codes = CODE.findall(client.get(address).content.decode())
    return phone, codes, client.post(address, {"step": "codes", "kept": "on"})


def said(answer: Any) -> str:
    """The page's text without tags, so that tests read what people read."""
    text = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())

"""How one signs in, in one place: whatever the door asks for, the journeys need not know."""

from __future__ import annotations

from django_otp.oath import totp
from playwright.sync_api import Page, expect

from tests.browser.cast import Somebody


def sign_in(page: Page, *, url: str, who: Somebody) -> None:
    """Leaves `page` on the first page that this person gets to see.

    A code is good for one sign-in: whoever opens several windows signs in once and takes the cookies along.
    """
    page.goto(f"{url}/admin/login/")
    page.get_by_label("E-mail").fill(who.email)
    page.get_by_label("Password", exact=True).fill(who.password)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Code").fill(f"{totp(who.key):06d}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name=who.name)).to_be_visible()

"""An operator's work in the browser: a hotline comes on board step by step, and what waits is decided."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest
from django_otp.oath import totp
from playwright.sync_api import Locator, expect

from tests.browser.cast import PASSWORD
from tests.browser.desk import Desk, Desks
from tests.system.hub import RunningHub
from tests.system.machines import Machine

pytestmark = pytest.mark.slow


def invited(desk: Desk, name: str, domain: str) -> str:
    """The code for the machine of a new hotline."""
    desk.open("/admin/hashshare/organisation/")
    desk.page.get_by_role("link", name="Invite an organisation").click()
    desk.barrier_free()
    desk.page.get_by_label("Kind").select_option("hotline")
    desk.page.get_by_label("Name").fill(name)
    desk.page.get_by_label("Country").select_option(label="Iceland")
    desk.page.get_by_label("Domains").fill(domain)
    desk.press("Invite an organisation")
    return desk.shown_once()


def invite_person(desk: Desk, name: str, email: str) -> str:
    """The link with which an analyst of the organisation sets up an account."""
    desk.open("/admin/hashshare/organisation/")
    desk.page.get_by_role("link", name=name).click()
    desk.barrier_free()
    desk.page.get_by_role("link", name="Invite a person").click()
    desk.page.get_by_label("E-mail address").fill(email)
    desk.page.get_by_label("Role").select_option("analyst")
    desk.barrier_free()
    desk.press("Invite a person")
    return desk.shown_once()


def line_of(desk: Desk, name: str) -> Locator:
    desk.open("/admin/onboarding/")
    return desk.page.get_by_role("row").filter(has_text=name)


def set_up(desk: Desk, link: str) -> None:
    """Password, authenticator and recovery codes of who has the link."""
    desk.page.goto(link)
    desk.barrier_free()
    desk.page.get_by_label("Password", exact=True).fill(PASSWORD)
    desk.page.get_by_label("Password again").fill(PASSWORD)
    desk.press("Go on")
    desk.barrier_free()
    secret = desk.page.locator("code.secret").inner_text().replace(" ", "")
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    desk.page.get_by_label("Code from the app").fill(f"{totp(key):06d}")
    desk.press("Go on")
    desk.barrier_free()
    desk.page.get_by_label("I have kept these codes").check()
    desk.press("Finish")
    desk.shows("Your account is set up, and you are signed in.")
    desk.barrier_free()


def test_a_hotline_comes_on_board(desks: Desks, filled_hub: RunningHub, tmp_path: Path) -> None:
    word = secrets.token_hex(3)
    name, domain = f"Estuary {word}", f"estuary-{word}.example"
    with desks.of("operator") as desk:
        code = invited(desk, name, domain)
        line = line_of(desk, name)
        expect(line).to_contain_text("1 of 8")
        expect(line).to_contain_text("runs hashshare enroll with its code")
        Machine(tmp_path / "estuary").run("enroll", filled_hub.url, code)
        line = line_of(desk, name)
        expect(line).to_contain_text("2 of 8")
        line.get_by_role("link", name="invite a person").click()
        desk.page.get_by_role("link", name="Cancel").click()
        link = invite_person(desk, name, f"ada@{domain}")
        assert link not in desk.page.goto(desk.page.url).text()  # type: ignore[union-attr]
        with desks.nobody() as door:
            set_up(door, link)
            expect(door.page.locator("#nav-sidebar")).to_contain_text("Uploads")
        line = line_of(desk, name)
        expect(line).to_contain_text("4 of 8")
        line.locator("summary").click()
        expect(line.get_by_text("second factor")).to_be_visible()
        desk.barrier_free()
        with desks.nobody() as door:
            door.expect(404)
            door.page.goto(link)
            door.shows("It was used on")


def open_waiting(desk: Desk, kind: str, asked_by: str) -> None:
    """From the overview to what waits, to its row."""
    desk.open("/admin/")
    desk.page.get_by_role("link", name="Waiting for a decision, the first since").click()
    desk.barrier_free()
    rows = desk.page.get_by_role("row").filter(has_text=kind).filter(has_text=asked_by)
    rows.get_by_role("link").click()
    desk.barrier_free()


def test_it_decides_on_what_waits(desks: Desks) -> None:
    with desks.of("operator") as desk:
        open_waiting(desk, "Commitment to be reviewed", "Granite")
        desk.page.get_by_role("link", name="Accept as verified").click()
        desk.shows("is shown to every observer from now on")
        desk.press("Accept as verified")
        expect(desk.page.get_by_role("status")).to_contain_text("verified.")
        open_waiting(desk, "Request for a list", "Granite")
        desk.page.get_by_role("link", name="Grant").click()
        desk.shows("This is the decision of Borealis; an operator takes it in its place.")
        desk.page.get_by_label("Until").fill("2099-01-01")
        desk.page.get_by_label("Reason").fill("Borealis asked for it by telephone")
        desk.barrier_free()
        desk.press("Grant")
        expect(desk.page.get_by_role("status")).to_contain_text("active")
        desk.open("/admin/waiting/")
        expect(desk.page.get_by_role("row").filter(has_text="Granite")).to_have_count(0)

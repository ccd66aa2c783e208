"""A hotline's analysts in the browser: a request granted, wrong entries withdrawn by two, and where that arrived."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import PASSWORD, Somebody
from tests.browser.desk import Desk, Desks
from tests.system.analysts import hotline
from tests.system.hub import RunningHub
from tests.system.machines import Machine, digests, enrolled, write

pytestmark = pytest.mark.slow

SLOW = 60_000
"""Milliseconds that a worker may take over a small file."""


@dataclass(frozen=True, slots=True)
class Aurora:
    """A hosted list with 300 entries, and a member that has asked for it."""

    name: str
    keys: list[str]
    member: Machine
    member_name: str

    def analyst(self, name: str) -> Somebody:
        email = f"{name}@{self.name.partition('/')[0]}"
        return Somebody(email, email, "hotline", PASSWORD)


@pytest.fixture(scope="module")
def aurora(filled_hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Aurora:
    folder = tmp_path_factory.mktemp("aurora")
    _, desk = hotline(filled_hub, folder, "--hosted")
    desk.do("people", "")
    keys = digests(300)
    desk.reaches(desk.approved("upload", write(folder / "images.csv", keys)), "published")
    name = f"Cobalt {secrets.token_hex(4)}"
    member = enrolled(filled_hub, folder / "cobalt", kind="member", name=name)
    member.run("subscribe", desk.name, "--accept-terms")
    return Aurora(desk.name, keys, member, name)


def decide(page: Page, decision: str, **fields: str) -> None:
    """Fill in the form of a decision, without sending it."""
    page.get_by_role("link", name=decision, exact=True).click()
    for label, value in fields.items():
        page.get_by_label(label).fill(value)


def test_a_request_is_granted_once_whatever_is_clicked(desks: Desks, aurora: Aurora) -> None:
    with desks.of(aurora.analyst("ada")) as desk:
        desk.open("/admin/")
        desk.barrier_free()
        desk.page.get_by_role("link", name="1 request for a list waits for your decision").click()
        desk.page.get_by_role("link", name=aurora.name).first.click()
        desk.barrier_free()
        row = desk.page.url
        late, other = desk.tab(), desk.tab()
        for tab in (late, other):
            tab.page.goto(row)
        decide(late.page, "Deny", Reason="written before the other tab was sent")
        decide(other.page, "Grant", Until="2031-05-05", Reason="another end")
        decide(desk.page, "Grant", Until="2099-01-01", Reason="known to us")
        desk.barrier_free()
        desk.press_twice("Grant")
        expect(desk.page.get_by_role("status")).to_contain_text("active.")
        expect(desk.page.get_by_text("Decided meanwhile")).to_have_count(0)
        late.press("Deny")
        late.shows("“Deny” does not apply any more")
        other.press("Grant")
        other.shows("active until 2099-01-01. Nothing was changed by this form.")
        other.barrier_free()
        desk.page.goto(row)
        expect(desk.page.locator(".field-ends_at")).to_contain_text("2099-01-01")
        expect(desk.page.locator(".field-reason")).to_contain_text("known to us")
    assert aurora.member.run("sync")["lists"][0]["version"] == 1


def submitted(desk: Desk, aurora: Aurora, keys: list[str]) -> str:
    """Withdrawals of these, on their way to a second analyst; the address of the upload."""
    desk.open("/admin/withdraw/")
    desk.page.get_by_label("List").select_option(label=f"{aurora.name} (key: sha256)")
    desk.page.get_by_label("Key hashes").fill("\n".join(keys))
    desk.page.get_by_label("Reason").select_option("incorrect")
    desk.barrier_free()
    desk.press("Check")
    submit = desk.page.get_by_role("button", name="Submit for approval")
    expect(submit).to_be_visible(timeout=SLOW)
    rows = desk.page.get_by_role("region", name="To be withdrawn").locator("tbody tr")
    expect(rows).to_have_count(min(len(keys), 20))
    assert set(rows.locator("code").all_inner_texts()) <= set(keys)  # whole, to be compared with what was asked for
    desk.barrier_free()
    desk.press_twice("Submit for approval")
    desk.shows("Another analyst of your hotline has to approve this")
    return desk.page.url


@pytest.mark.parametrize("count", [1, 40])
def test_entries_are_withdrawn_by_two(desks: Desks, aurora: Aurora, count: int) -> None:
    keys = [aurora.keys.pop() for _ in range(count)]
    with desks.of(aurora.analyst("ada")) as desk:
        address = submitted(desk, aurora, keys)
    with desks.of(aurora.analyst("grace")) as desk:
        desk.open("/admin/uploads/")
        desk.page.locator(f'a[href="{address.removeprefix(desk.url)}"]').click()
        late = desk.tab()
        late.page.goto(address)
        late.page.get_by_label("Or send it back: why").fill("written before the other tab was sent")
        late.page.locator(".throw-away summary").click()
        late.barrier_free()
        expect(desk.page.get_by_role("region", name="To be withdrawn").locator("code").first).to_be_visible()
        desk.press_twice("Approve")
        expect(desk.page.get_by_role("link", name="version ")).to_be_visible(timeout=SLOW)
        expect(desk.page.get_by_role("alert")).to_have_count(0)
        late.press("Send back")
        late.shows("by now")
        late.barrier_free()
    aurora.member.run("sync")


def test_it_shows_where_withdrawals_have_arrived(desks: Desks, aurora: Aurora) -> None:
    with desks.of(aurora.analyst("ada")) as desk:
        desk.open("/admin/propagation/")
        desk.barrier_free()
        row = desk.page.get_by_role("row").filter(has_text=aurora.name).first
        expect(row).to_contain_text("1 of 1")
        row.get_by_role("link").click()
        desk.barrier_free()
        expect(desk.page.get_by_role("row").filter(has_text=aurora.member_name)).to_contain_text("applied")
        with desk.page.expect_download() as download:
            desk.page.get_by_role("link", name="Download CSV").click()
        assert aurora.member_name in Path(download.value.path()).read_text()
        assert not any(key in json.dumps(desk.page.content()) for key in aurora.keys)

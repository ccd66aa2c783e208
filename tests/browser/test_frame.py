"""The frame of every page in use: by keyboard, without script, on a telephone, on paper, light or dark by choice."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.desk import TELEPHONE, Desks
from tests.browser.walk import addresses

pytestmark = pytest.mark.slow

KNOWN_AT_FIRST = """new MutationObserver((_, watching) => {
    if (document.body) { window.atFirst = document.documentElement.dataset.theme; watching.disconnect(); }
}).observe(document, {childList: true, subtree: true});"""
FOCUSED = """() => {
    const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
    return {href: document.activeElement.href || "", ring: outlineStyle !== "none" && parseFloat(outlineWidth)};
}"""
GROUND = "getComputedStyle(document.body).backgroundColor"


def test_it_stays_dark_for_who_chose_dark_from_before_the_first_paint(desks: Desks) -> None:
    with desks.of("operator") as desk:
        desk.open("/admin/")
        light = desk.page.evaluate(GROUND)
        desk.page.get_by_role("button", name="Odile Marsh").click()
        desk.page.get_by_role("button", name="Dark").click()
        dark = desk.page.evaluate(GROUND)
        assert dark != light
        desk.page.add_init_script(KNOWN_AT_FIRST)
        desk.open("/admin/expiring/")
        assert desk.page.evaluate("window.atFirst") == "dark"
        assert desk.page.evaluate(GROUND) == dark
        desk.page.get_by_role("button", name="Odile Marsh").click()
        expect(desk.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
        desk.barrier_free()
        desk.page.get_by_role("button", name="Auto").click()
        assert desk.page.evaluate(GROUND) == light


def test_it_opens_the_desk_on_a_telephone_without_script(desks: Desks) -> None:
    with desks.of("analyst", java_script_enabled=False) as desk:
        desk.size(TELEPHONE)
        desk.open("/admin/")
        link = desk.page.locator("#nav-sidebar").get_by_role("link", name="Releases")
        expect(link).to_be_hidden()
        desk.page.get_by_role("button", name="Pages").click()
        link.click()
        expect(desk.page.get_by_role("heading", name="Releases")).to_be_visible()
        expect(desk.page.locator("#nav-sidebar [aria-current]")).to_have_text("Releases")


def test_it_reaches_every_page_by_keyboard_and_shows_where_one_is(desks: Desks) -> None:
    with desks.of("operator") as desk:
        desk.open("/admin/")
        left = {desk.url + address for address in addresses(desk.page, "#nav-sidebar a")}
        desk.page.keyboard.press("Tab")
        expect(desk.page.get_by_role("link", name="Skip to the page")).to_be_focused()
        for _ in range(len(left) + 10):
            focused = desk.page.evaluate(FOCUSED)
            assert focused["ring"], f"nothing shows that {focused['href']} is where one is"
            left.discard(focused["href"])
            desk.page.keyboard.press("Tab")
        assert not left


def test_it_leads_past_the_desk_to_the_page(desks: Desks) -> None:
    with desks.of("operator") as desk:
        desk.open("/admin/hashshare/organisation/")
        desk.page.keyboard.press("Tab")
        desk.page.keyboard.press("Enter")
        desk.page.keyboard.press("Tab")
        inside = "document.querySelector('main').contains(document.activeElement)"
        assert desk.page.evaluate(inside)


def test_it_filters_by_keyboard_and_keeps_the_filter_in_the_address(desks: Desks) -> None:
    with desks.of("operator") as desk:
        desk.open("/admin/hashshare/organisation/")
        kind = desk.page.locator(".filters details").filter(has_text="Kind")
        kind.locator("summary").press("Enter")
        kind.get_by_role("link", name="Hotline").press("Enter")
        expect(desk.page).to_have_url(f"{desk.url}/admin/hashshare/organisation/?kind__exact=hotline")
        expect(desk.page.get_by_role("link", name="Cobalt")).to_be_hidden()
        desk.page.get_by_role("searchbox").fill("aurora")
        desk.page.get_by_role("button", name="Search").click()
        expect(desk.page).to_have_url(f"{desk.url}/admin/hashshare/organisation/?q=aurora&kind__exact=hotline")
        desk.page.get_by_role("link", name="Clear filters").click()
        expect(kind.locator("summary")).to_have_text("Kind: All")


def test_it_sums_up_what_is_wrong_with_a_form_and_leads_to_the_field(desks: Desks) -> None:
    with desks.of("operator") as desk:
        desk.open("/admin/hashshare/organisation/do/invite/")
        desk.page.get_by_label("Country").select_option(label="Norway")
        desk.page.get_by_role("button", name="Invite an organisation").click()
        expect(desk.page.get_by_role("alert")).to_contain_text("Name: This field is required.")
        desk.page.get_by_role("alert").get_by_role("link", name="Name").click()
        expect(desk.page.get_by_label("Name")).to_be_focused()
        expect(desk.page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
        desk.barrier_free()


def test_it_marks_one_line_of_the_desk_as_the_current_one(desks: Desks) -> None:
    at = {"/admin/": "Overview", "/admin/expiring/": "What expires next"}
    at["/admin/hashshare/organisation/do/invite/"] = "Organisations"
    with desks.of("operator") as desk:
        for address, line in at.items():
            desk.open(address)
            expect(desk.page.locator("#nav-sidebar [aria-current]")).to_have_text(line)


def test_it_prints_the_page_alone(desks: Desks) -> None:
    with desks.of("operator") as desk:
        desk.open("/admin/statistics/")
        desk.page.emulate_media(media="print", color_scheme="dark")
        for furniture in ("#header", "#nav-sidebar"):
            expect(desk.page.locator(furniture)).to_be_hidden()
        expect(desk.page.get_by_role("heading", level=1)).to_be_visible()
        assert desk.page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 29, 31)"

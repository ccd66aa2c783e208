"""Where a person can get to: what the own navigation names, and of each table a row and what can be done with it."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.browser.desk import Desk

DESK = "#nav-sidebar a, #account a"
FIRST_ROW = "#result_list tbody tr:first-child th a, .rows table.plain tbody tr:first-child th a"
DEEDS = ".object-tools a"
REPORT = ".exports a[href*='/report/']"


def navigation(desk: Desk) -> list[str]:
    """Addresses of the person's desk, in its order, and what the menu of the own name offers."""
    desk.open("/admin/")
    return addresses(desk.page, DESK)


def addresses(page: Page, selector: str) -> list[str]:
    """Where the links lead that `selector` finds on the page, in order, each once."""
    found = page.eval_on_selector_all(selector, "links => links.map(link => link.href)")
    return list(dict.fromkeys(urlsplit(each)._replace(scheme="", netloc="", fragment="").geturl() for each in found))


def deeper(desk: Desk) -> list[str]:
    """From the page that is shown: its first row, what can be done here, and its report."""
    return [each for where in (FIRST_ROW, DEEDS, REPORT) for each in addresses(desk.page, where)]

"""Every page that a person can reach from the own desk, as the browser and axe-core see it."""

from __future__ import annotations

import pytest

from tests.browser.barriers import barriers
from tests.browser.cast import CAST
from tests.browser.desk import DESKTOP, TELEPHONE, Desk, Desks
from tests.browser.walk import deeper, navigation

pytestmark = pytest.mark.slow

DOORS = ("/admin/login/", "/invitation/AAAA-BBBB-CCCC/", "/nowhere/", "/problems/", "/problems/not-entitled")


@pytest.mark.parametrize("role", CAST)
def test_it_has_no_complaint_no_barrier_and_no_overflow(desks: Desks, role: str) -> None:
    faults: list[str] = []
    with desks.of(role) as desk:
        waiting, seen = navigation(desk), set[str]()
        while waiting:
            address = waiting.pop(0)
            if address in seen:
                continue
            seen.add(address)
            desk.open(address)
            waiting += deeper(desk) if role == "operator" else []  # others' rows look the same, with fewer buttons
            faults += [f"{address} {fault}" for fault in looked_at(desk)]
    assert not faults, "\n".join(faults)
    assert len(seen) > 1, f"the walk of an {role} found nothing"


def looked_at(desk: Desk) -> list[str]:
    """On a desktop and on a telephone, light and dark; the page is loaded once."""
    found = [f"light: {each}" for each in barriers(desk.page)]
    desk.scheme("dark")
    found += [f"dark: {each}" for each in barriers(desk.page, rules=["color-contrast"])]
    desk.scheme("light")
    desk.size(TELEPHONE)
    found += [
        f"telephone: {each}" for each in barriers(desk.page, rules=["target-size", "scrollable-region-focusable"])
    ]
    if desk.overflow() > 0:
        found.append(f"telephone: {desk.overflow()} pixels too wide")
    desk.size(DESKTOP)
    return found


def test_it_is_so_for_who_has_not_signed_in(desks: Desks) -> None:
    with desks.nobody() as desk:
        desk.expect(404)
        for address in DOORS:
            desk.open(address)
            assert looked_at(desk) == [], address

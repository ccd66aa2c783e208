"""`make screenshots`: every main page as its people see it, light and dark, desktop and telephone, side by side.

Writes build/screenshots/index.html and the pictures beside it, from a hub of its own that is gone afterwards.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from html import escape
from itertools import product
from typing import Final

from tests.browser.cast import CAST, fill_hub
from tests.browser.chromium import chromium
from tests.browser.desk import DESKTOP, TELEPHONE, Desk, Desks, Scheme
from tests.browser.walk import deeper, navigation
from tests.system.hub import ROOT, Hubs

FOLDER: Final = ROOT / "build" / "screenshots"
SIZES: Final = {"desktop": DESKTOP, "telephone": TELEPHONE}
STYLE: Final = (
    "body{font:15px system-ui;margin:24px}div{display:flex;gap:12px;align-items:start}"
    "img{max-height:480px;border:1px solid #ccc}"
)
UNFOLD: Final = "document.querySelectorAll('.throw-away, .again').forEach(each => { each.open = true; })"
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
NOBODY: Final = {
    "front": "/",
    "sign in": "/admin/login/",
    "link that does not work": "/invitation/AAAA-BBBB-CCCC/",
    "no such page": "/nowhere/",
    "problem types": "/problems/",
}


def main(words: list[str]) -> None:
    """`words` are parts of addresses; none: every page."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    hubs = Hubs()
    try:
        hub = hubs.start()
        fill_hub(hub, demonstration=True)
        with chromium() as browser:
            taken = list(_taken(Desks(browser, hub.url, {}), words))
    finally:
        hubs.stop_all()
    (FOLDER / "index.html").write_text(_index(taken), encoding="utf-8")
    print(f"{len(taken) * len(SIZES) * len(SCHEMES)} pictures: {FOLDER / 'index.html'}")


def _taken(desks: Desks, words: list[str]) -> Iterator[tuple[str, str, str]]:
    """Who, address and name of the pictures' files, one a page."""
    with desks.nobody() as desk:
        desk.expect(404)
        yield from _pictures(desk, "nobody", list(NOBODY.values()), words)
    for role in CAST:
        with desks.of(role) as desk:
            yield from _pictures(desk, role, _pages(desk), words)


def _pages(desk: Desk) -> list[str]:
    """The desk, a row of each table, what can be done with it, and each form for that."""
    desks_own = navigation(desk)
    found = dict.fromkeys(desks_own)
    for address in desks_own:
        desk.open(address)
        found |= dict.fromkeys(deeper(desk))
    for address in [each for each in found if each not in desks_own]:
        desk.open(address)
        found |= dict.fromkeys(each for each in deeper(desk) if "/do/" in each)
    return list(found)


def _pictures(desk: Desk, who: str, pages: list[str], words: list[str]) -> Iterator[tuple[str, str, str]]:
    for number, address in enumerate(pages):
        if words and not any(word in address for word in words):
            continue
        name = f"{who}-{number:02d}-{'-'.join(filter(None, address.split('?')[0].split('/')))[:60] or 'front'}"
        desk.open(address)
        desk.page.evaluate(UNFOLD)
        for (size, pixels), scheme in product(SIZES.items(), SCHEMES):
            desk.size(pixels)
            desk.scheme(scheme)
            desk.page.screenshot(path=FOLDER / f"{name}-{size}-{scheme}.png", full_page=True)
        yield who, address, name


def _index(taken: list[tuple[str, str, str]]) -> str:
    def pictures(name: str) -> str:
        files = [f"{name}-{size}-{scheme}.png" for size, scheme in product(SIZES, SCHEMES)]
        return "".join(
            f'<a href="{escape(f)}"><img loading="lazy" src="{escape(f)}" alt="{escape(f)}"></a>' for f in files
        )

    rows = [f"<h2>{escape(who)}: {escape(address)}</h2><div>{pictures(name)}</div>" for who, address, name in taken]
    head = f"<!doctype html><meta charset=utf-8><title>hashshare, every page</title><style>{STYLE}</style>"
    return head + "".join(rows)


if __name__ == "__main__":
    if "HASHSHARE_TEST_RUN" not in os.environ:
        import tests.settings  # noqa: F401  (a data folder for this run, gone with it)
    main(sys.argv[1:])

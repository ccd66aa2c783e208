"""Two analysts publish in the browser: one uploads and submits, the other approves, and the hub signs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import PASSWORD, Somebody
from tests.browser.desk import Desk, Desks
from tests.browser.signing_in import sign_in
from tests.system.analysts import UploadDesk, hotline
from tests.system.hub import RunningHub
from tests.system.machines import digests, write

pytestmark = pytest.mark.slow

SLOW = 60_000
"""Milliseconds that a worker may take over a small file."""


@pytest.fixture(scope="module")
def hosted(filled_hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> UploadDesk:
    _, desk = hotline(filled_hub, tmp_path_factory.mktemp("hosted"), "--hosted")
    desk.do("people", "")
    return desk


@pytest.fixture(scope="module")
def keys() -> list[str]:
    """What the list holds once a test has published it: a file without them would withdraw nearly everything."""
    return digests(300)


def analyst(desks: Desks, hosted: UploadDesk, name: str) -> Somebody:
    domain = hosted.name.partition("/")[0]
    return Somebody(f"{name}@{domain}", f"{name}@{domain}", "hotline", PASSWORD)


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def uploaded(desk: Desk, file: Path, *, known: str) -> None:
    desk.open("/admin/upload/")
    desk.page.get_by_label("CSV file").set_input_files(file)
    press(desk.page, "Upload")
    desk.shows(known)


def test_one_uploads_another_approves_and_the_hub_publishes(
    desks: Desks, hosted: UploadDesk, keys: list[str], tmp_path: Path
) -> None:
    with desks.nobody() as desk:
        sign_in(desk.page, url=desks.url, who=analyst(desks, hosted, "ada"))
        desk.open("/admin/uploads/")
        desk.barrier_free()
        uploaded(desk, write(tmp_path / "images.csv", [*keys, "zz"]), known="Columns")
        desk.barrier_free()
        address = desk.page.url
        press(desk.page, "Check the file")
        expect(desk.page.get_by_role("heading", name="What it would change")).to_be_visible(timeout=SLOW)
        desk.shows("1 fault")
        desk.barrier_free()
        desk.page.get_by_label("Leave out the lines at fault").check()
        press(desk.page, "Submit for approval")
        desk.shows("Another analyst of your hotline has to approve this")
        desk.barrier_free()
    with desks.nobody() as desk:
        sign_in(desk.page, url=desks.url, who=analyst(desks, hosted, "grace"))
        desk.open("/admin/uploads/")
        desk.shows("Waiting for your decision")
        desk.page.get_by_role("link", name="images.csv").click()
        assert desk.page.url == address
        desk.barrier_free()
        press(desk.page, "Approve")
        expect(desk.page.get_by_role("link", name="version 1")).to_be_visible(timeout=SLOW)
        desk.barrier_free()
        desk.page.get_by_role("link", name="version 1").click()
        desk.shows("the hub, for the hotline")
        desk.barrier_free()
        desk.open("/admin/withdraw/")
        desk.page.get_by_label("Key hashes").fill(keys[0])
        desk.page.get_by_label("Reason").select_option("incorrect")
        desk.barrier_free()
        press(desk.page, "Check")
        expect(desk.page.get_by_role("button", name="Submit for approval")).to_be_visible(timeout=SLOW)


def test_it_works_without_scripts(desks: Desks, hosted: UploadDesk, keys: list[str], tmp_path: Path) -> None:
    with desks.nobody(java_script_enabled=False) as desk:
        sign_in(desk.page, url=desks.url, who=analyst(desks, hosted, "ida"))
        uploaded(desk, write(tmp_path / "plain.csv", [*keys, *digests(20)]), known="Columns")
        press(desk.page, "Check the file")
        expect(desk.page.get_by_role("button", name="Submit for approval")).to_be_visible(timeout=SLOW)


def test_a_file_that_is_too_large_is_not_even_sent(desks: Desks, hosted: UploadDesk, tmp_path: Path) -> None:
    file = write(tmp_path / "large.csv", digests(20))
    with desks.nobody() as desk:
        sign_in(desk.page, url=desks.url, who=analyst(desks, hosted, "joan"))
        desk.open("/admin/upload/")
        desk.page.locator("form[data-most]").evaluate("form => { form.dataset.most = '10'; }")
        desk.page.get_by_label("CSV file").set_input_files(file)
        desk.page.locator("form[data-most]").evaluate("form => { form.dataset.most = '10'; }")
        press(desk.page, "Upload")
        assert desk.page.url.endswith("/upload/")

"""A government's observer in the browser: reads the statistics, changes periods, takes figures along and prints."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.desk import DESKTOP, TELEPHONE, Desk, Desks
from tests.system.hub import ROOT, RunningHub

pytestmark = pytest.mark.slow

PAST = (
    "import random; from django.utils import timezone; from hashshare.demonstration.figures import make_figures;"
    "make_figures(weeks=20, dice=random.Random(7), now=timezone.now())"
)
"""Figures of a past, growing up to what this hub holds today."""


@pytest.fixture(scope="module", autouse=True)
def past(filled_hub: RunningHub) -> None:
    filled_hub.manage("shell", "--no-imports", "-c", PAST)


def downloaded(desk: Desk, link: str, folder: Path) -> Path:
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name=link).click()
    file = folder / download.value.suggested_filename
    download.value.save_as(file)
    return file


def test_the_figures_are_read_and_periods_changed(desks: Desks) -> None:
    with desks.of("observer") as desk:
        desk.open("/admin/")
        expect(desk.page.get_by_role("heading", level=1)).to_have_text("Coalition statistics")
        expect(desk.page.locator(".tiles .tile")).to_have_count(6)
        desk.barrier_free()
        desk.page.get_by_role("link", name="Months").click()
        months = desk.page.get_by_label("Period", exact=True)
        before = months.locator("option").nth(1).get_attribute("value") or ""
        months.select_option(before)
        desk.press("Show")
        expect(desk.page).to_have_url(f"{desk.url}/admin/statistics/?period={before}&scope=")
        expect(months).to_have_value(before)
        desk.page.get_by_text("The same figures as a table").first.click()
        expect(desk.page.get_by_role("region", name="table").first).to_contain_text(before)
        desk.barrier_free()
        desk.page.get_by_label("Scope").select_option("country:CA")
        desk.press("Show")
        expect(desk.page.locator(".scope")).to_contain_text("Canada")
        desk.barrier_free()


def test_what_is_exported_can_be_checked(desks: Desks, tmp_path: Path) -> None:
    with desks.of("observer") as desk:
        desk.open("/admin/statistics/?kind=month")
        with downloaded(desk, "Download CSV", tmp_path).open(newline="") as file:
            rows = list(csv.DictReader(file))
        [members] = [row for row in rows if (row["metric"], row["scope"], row["part"]) == ("members", "", "")]
        shown = desk.page.locator(".tile").filter(has=desk.page.get_by_role("heading", name="Members", exact=True))
        expect(shown.locator(".value")).to_contain_text(f"{int(members['value']):,}")
        signed = downloaded(desk, "Download JSON", tmp_path)
        descriptor = tmp_path / "hub.json"
        descriptor.write_bytes(requests.get(f"{desk.url}/.well-known/hashshare", timeout=30).content)
        program = ROOT / "docs" / "examples" / "verify_statistics.py"
        subprocess.run([sys.executable, program, descriptor, signed], check=True, capture_output=True)


def test_the_report_fits_a_telephone_and_a_sheet_of_paper(desks: Desks) -> None:
    with desks.of("observer") as desk:
        desk.open("/admin/statistics/?kind=quarter")
        desk.page.get_by_role("link", name="Open the report").click()
        desk.barrier_free()
        expect(desk.page.locator("details:not([open])")).to_have_count(0)
        for size in (DESKTOP, TELEPHONE):
            desk.size(size)
            assert desk.overflow() == 0, size
        desk.size((718, 1000))  # the width of A4 less its margins
        desk.page.emulate_media(media="print")
        assert desk.overflow() == 0
        expect(desk.page.get_by_role("link", name="Back to the page")).to_be_hidden()

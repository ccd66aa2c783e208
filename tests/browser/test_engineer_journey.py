"""A member's engineer in the browser, beside the machine: asking for a list, keys, receipts and the sandbox's files."""

from __future__ import annotations

import re
import secrets
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Download, expect

from tests.browser.cast import CAST
from tests.browser.desk import Desk, Desks
from tests.system.analysts import DECLARED
from tests.system.hub import RunningHub
from tests.system.machines import Machine, digests, enrolled, write

pytestmark = pytest.mark.slow

SEAL = (
    "from django.utils import timezone; from hashshare.services.sealing import seal_logs; seal_logs(now=timezone.now())"
)


@dataclass(frozen=True, slots=True)
class Borealis:
    """A hotline's machine and its list, which has terms and one release."""

    machine: Machine
    name: str


@pytest.fixture(scope="module")
def borealis(filled_hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Borealis:
    folder, word = tmp_path_factory.mktemp("borealis"), secrets.token_hex(4)
    domain = f"borealis-{word}.example"
    machine = enrolled(filled_hub, folder / "home", kind="hotline", name=f"Borealis {word}", domain=domain)
    machine.run("publisher", "init", domain, "--no-passphrase")
    terms = folder / "terms.txt"
    terms.write_text("Match uploads against it; apply withdrawals within a day.\n")
    machine.run("publisher", "list", "create", f"{domain}/images", *DECLARED, "--terms", terms)
    machine.run("publish", f"{domain}/images", write(folder / "images.csv", digests(50)))
    filled_hub.manage("sandbox")
    return Borealis(machine, f"{domain}/images")


@pytest.fixture(scope="module")
def cobalt(desks: Desks, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine of Cobalt's, brought by the code that the engineer was shown."""
    with desks.of("engineer") as desk:
        desk.open("/admin/desk/")
        desk.barrier_free()
        desk.page.get_by_role("link", name="Invite a machine", exact=True).click()
        desk.page.get_by_label("Name of the machine").fill("sync-02")
        desk.barrier_free()
        desk.press("Invite a machine")
        command = desk.shown_once()
    machine = Machine(tmp_path_factory.mktemp("cobalt"))
    machine.run(*command.removeprefix("hashshare ").split())
    return machine


def downloaded(desk: Desk, link: str) -> Download:
    with desk.page.expect_download() as download:
        desk.page.get_by_role("link", name=link).first.click()
    return download.value


def test_a_list_is_asked_for_and_its_terms_accepted(desks: Desks, borealis: Borealis, cobalt: Machine) -> None:
    with desks.of("engineer") as desk:
        desk.open("/admin/desk/")
        desk.page.get_by_role("link", name="Ask for a list").click()
        desk.page.get_by_label("Words in the name").fill(borealis.name)
        desk.press("Search")
        desk.barrier_free()
        desk.page.get_by_role("link", name=borealis.name).click()
        desk.press("Ask for this list")
        expect(desk.page.get_by_role("alert")).to_contain_text("Accept the terms to ask for the list.")
        desk.barrier_free()
        desk.page.get_by_label("My organisation accepts these terms").check()
        desk.press_twice("Ask for this list")
        desk.shows("has your request and decides on it")
        expect(desk.page.get_by_role("alert")).to_have_count(0)
        desk.barrier_free()
    borealis.machine.run("grant", borealis.name, "cobalt", "--until", "2099-01-01")


def test_deliveries_and_receipts_are_there_after_a_sync(
    desks: Desks, filled_hub: RunningHub, borealis: Borealis, cobalt: Machine
) -> None:
    cobalt.run("sync", borealis.name)
    filled_hub.manage("shell", "--no-imports", "-c", SEAL)
    with desks.of("engineer") as desk:
        desk.open("/admin/desk/")
        row = (
            desk.page.get_by_role("region", name="Lists", exact=True).get_by_role("row").filter(has_text=borealis.name)
        )
        expect(row.get_by_text("v1")).to_have_count(2)
        leaves = desk.page.get_by_role("region", name="Deliveries and acknowledgements").get_by_role("row")
        expect(leaves.filter(has_text=borealis.name).filter(has_text="Delivery")).to_have_count(1)
        expect(leaves.filter(has_text=borealis.name).filter(has_text="Acknowledgement")).to_have_count(1)
        desk.barrier_free()
        receipt = cobalt.home / "receipt.json"
        downloaded(desk, "Download the receipt of leaf").save_as(receipt)
        cobalt.run("receipts", "--check", receipt)
        desk.page.get_by_role("link", name="Deliveries", exact=True).first.click()
        desk.barrier_free()


def test_an_access_key_is_shown_once(desks: Desks, borealis: Borealis) -> None:
    with desks.of("engineer") as desk:
        desk.open("/admin/desk/")
        desk.page.get_by_role("link", name="Make an access key").click()
        desk.page.get_by_label("Name").fill("curl on sync-02")
        desk.barrier_free()
        desk.press_twice("Make an access key")
        key = desk.shown_once()
        assert re.fullmatch(r"hsk_[\w-]+", key)
        status = requests.get(f"{desk.url}/api/v1/status", headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert status.json()["organisation"]["slug"] == CAST["engineer"].organisation
        desk.open("/admin/desk/")
        expect(desk.page.get_by_role("row").filter(has_text="curl on sync-02")).to_have_count(1)
        assert key not in desk.page.content()


def test_the_sandbox_files_are_at_hand(desks: Desks, borealis: Borealis, tmp_path: Path) -> None:
    with desks.of("engineer") as desk:
        desk.open("/admin/desk/")
        archive = tmp_path / "sandbox.zip"
        downloaded(desk, "Download the files").save_as(archive)
        assert "hashshare-sandbox/expected.csv" in zipfile.ZipFile(archive).namelist()
        desk.page.get_by_role("link", name="sandbox.").first.click()
        desk.barrier_free()
        desk.page.get_by_label("My organisation accepts these terms").check()
        desk.press("Ask for this list")
        desk.shows("You have sandbox.")
        desk.barrier_free()

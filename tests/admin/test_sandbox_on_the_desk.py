"""The sandbox on a member's desk: marked synthetic, taken at once, with its files."""

from __future__ import annotations

import io
import zipfile

import pytest

from hashshare.models import Publisher, Subscription
from tests import builders as b
from tests.admin.cast import browser, person
from tests.admin.desk_cast import LISTS, Desk, desk_of_cobalt
from tests.api.parties import enrolled

pytestmark = pytest.mark.django_db
ZIP, SANDBOX = "/admin/desk/sandbox.zip", f"{LISTS}sandbox.north/sandbox/"


@pytest.fixture
def desk(db: None) -> Desk:
    return desk_of_cobalt()


@pytest.fixture
def sandbox(desk: Desk) -> b.Feed:
    feed = b.feed(b.publisher("Sandbox of North", "sandbox.north"), "sandbox")
    Publisher.objects.filter(domain="sandbox.north").update(sandbox=True)
    feed.publish(feed.first([b.entry()]))
    return feed


def test_a_hub_without_one_shows_none(desk: Desk) -> None:
    assert "synthetic" not in desk.text()


def test_it_is_marked_and_taken_at_once(desk: Desk, sandbox: b.Feed) -> None:
    for path in ("/admin/desk/", LISTS):
        assert "synthetic</span>" in desk.text(path)
    assert "Synthetic: its entries are of harmless files" in desk.text(SANDBOX)
    answer = desk.client.post(SANDBOX, {"terms_digest": sandbox.row.terms_digest, "accept": "on"}, follow=True)
    text = answer.content.decode()
    assert "You have sandbox.north/sandbox." in text
    assert Subscription.objects.get().state == "active"
    assert f"hashshare pin sandbox.north {Publisher.objects.get(sandbox=True).root_fingerprint}" in desk.text()


def test_its_files_are_for_those_with_a_desk(desk: Desk) -> None:
    answer = desk.client.get(ZIP)
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "hashshare-sandbox/expected.csv" in archive.namelist()
    assert browser(person("operator")).get(ZIP).status_code == 403


def test_its_files_are_for_every_enrolled_machine() -> None:
    granite = enrolled("member", "Granite")
    answer = granite.get("sandbox/files")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="hashshare-sandbox.zip"'
    assert answer.content[:2] == b"PK"

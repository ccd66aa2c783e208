"""Exports of the statistics: safe in a spreadsheet, signed by the hub, noted with who took them."""

from __future__ import annotations

import base64
import csv
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from securesystemslib.exceptions import VerificationError

from hashshare.admin.spreadsheets import cell
from hashshare.hub_keys import hub_keys
from hashshare.models import Deed, Demonstration, Person, Restoration, StatisticPeriod
from hashshare.services.commitments import accept_commitment, add_action, enter_commitment
from hashshare.wire import keys
from hashshare.wire.statistics import PAYLOAD_TYPE, sign_statistics, verify_statistics
from tests.admin.cast import browser, organisation, person
from tests.admin.figures import edition, record

EXPORT = "/admin/statistics/export/"
SCRIPT = Path(__file__).parents[2] / "docs/examples/verify_statistics.py"

pytestmark = pytest.mark.django_db


@pytest.fixture
def observer() -> Person:
    return person("observer", organisation("Delta", "partner", country="FR"))


@pytest.fixture
def week() -> StatisticPeriod:
    row = edition(ago=1)
    record(row, "members", 22)
    record(row, "members", 3, scope="country:NL", withheld=True)
    record(row, "deliveries", None, scope="country:NL")
    record(row, "members", 5, scope="sector:=HYPERLINK(1)")
    record(row, "entries", 7, part="category:uk-abc A")
    return row


def rows_of(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(EXPORT + query)
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def document(client: Client, query: str = "") -> tuple[bytes, dict[str, Any]]:
    answer = client.get(f"{EXPORT}?format=json{query}")
    assert answer["Content-Type"] == "application/json"
    return answer.content, verify_statistics(answer.content, keys=[hub_keys().online.public_key])


def test_the_csv_has_every_figure_with_its_definition(observer: Person, week: StatisticPeriod) -> None:
    rows = rows_of(browser(observer))
    found = {(row["metric"], row["scope"], row["part"]): row for row in rows}
    whole = found["members", "", ""]
    assert (whole["value"], whole["period"], whole["revision"], whole["withheld"]) == ("22", week.label, "1", "")
    assert whole["definition"].startswith("Companies and other organisations")
    assert found["members", "country:NL", ""]["withheld"] == "yes"
    assert found["deliveries", "country:NL", ""]["value"] == ""
    assert found["entries", "", "category:uk-abc A"]["value"] == "7"


def test_no_text_is_taken_for_a_formula(observer: Person, week: StatisticPeriod) -> None:
    actor = person("operator")
    add_action(key="share", text='=cmd|"/C calc"!A0')
    rows = rows_of(browser(actor))
    for row in rows:
        for name, value in row.items():
            assert not value.startswith(("=", "+", "-", "@", "\t", "\r")), (name, value)
    assert any(row["definition"].startswith("'=cmd") for row in rows)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1"])
def test_it_marks_texts_and_leaves_numbers_alone(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert (cell(-5), cell(0), cell("NL"), cell(None)) == (-5, 0, "NL", "")


def test_the_json_is_signed_by_the_hub(observer: Person, week: StatisticPeriod) -> None:
    body, said = document(browser(observer))
    assert (said["period"], said["revision"], said["as_of"]) == (week.label, 1, week.as_of.isoformat())
    assert {"metric": "members", "scope": "", "part": "", "value": 22, "withheld": False} in said["figures"]
    assert {"metric": "deliveries", "scope": "country:NL", "part": "", "value": None, "withheld": True} in said[
        "figures"
    ]
    assert said["definitions"]["applied_median"]["unit"] == "seconds"
    assert json.loads(body)["payloadType"] == PAYLOAD_TYPE


def test_a_changed_document_does_not_verify(observer: Person, week: StatisticPeriod) -> None:
    body, _ = document(browser(observer))
    envelope = json.loads(body)
    payload = base64.b64decode(envelope["payload"]).replace(b'"value":22', b'"value":99')
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerificationError):
        verify_statistics(json.dumps(envelope).encode(), keys=[hub_keys().online.public_key])
    other = keys.tuf_signer(keys.generate())
    with pytest.raises(VerificationError):
        verify_statistics(sign_statistics({}, signer=other), keys=[hub_keys().online.public_key])


def descriptor_file(folder: Path) -> Path:
    path = folder / "descriptor.json"
    path.write_bytes(Client().get("/.well-known/hashshare").content)
    return path


def verify(*arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_documented_program_verifies_it(observer: Person, week: StatisticPeriod, tmp_path: Path) -> None:
    body, _ = document(browser(observer))
    file, hub = tmp_path / "statistics.json", descriptor_file(tmp_path)
    file.write_bytes(body)
    good = verify(hub, file)
    assert (good.returncode, good.stderr) == (0, "")
    assert f"{week.label}, revision 1" in good.stdout
    envelope = json.loads(body)
    envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]).replace(b"22", b"23")).decode()
    file.write_text(json.dumps(envelope))
    bad = verify(hub, file)
    assert bad.returncode != 0
    assert "not signed" in bad.stderr


def test_every_export_is_noted(observer: Person, week: StatisticPeriod) -> None:
    client = browser(observer)
    for address in (EXPORT, f"{EXPORT}?format=json", "/admin/statistics/report/"):
        client.get(address)
    noted = Deed.objects.filter(person=observer).order_by("pk")
    assert [(row.what, row.about) for row in noted] == [
        (f"Export statistics as {form}", f"Statistics of {week.label}") for form in ("CSV", "JSON", "report")
    ]


def test_looking_at_the_page_is_not_noted(observer: Person, week: StatisticPeriod) -> None:
    browser(observer).get("/admin/statistics/")
    assert not Deed.objects.exists()


def test_a_hub_that_waits_for_its_recovery_exports_and_signs_nothing(observer: Person, week: StatisticPeriod) -> None:
    Restoration.objects.create(backup="0" * 32, made_at=week.made_at)
    client = browser(observer)
    for query in ("", "?format=json"):
        answer = client.get(EXPORT + query, follow=True)
        assert "Nothing was exported." in answer.content.decode()
    assert not Deed.objects.exists()


def test_there_is_nothing_to_export_on_a_new_hub(observer: Person) -> None:
    answer = browser(observer).get(EXPORT, follow=True)
    assert "There are no figures to export yet." in answer.content.decode()


def test_an_old_edition_is_exported_as_it_was(observer: Person, week: StatisticPeriod) -> None:
    corrected = edition(ago=1, revision=2)
    record(corrected, "members", 30)
    client = browser(observer)
    assert document(client)[1]["revision"] == 2
    _, said = document(client, f"&period={week.label}&revision=1")
    assert said["revision"] == 1
    assert said["figures"][0]["metric"] == "deliveries"


def test_exports_name_only_who_agreed(observer: Person, week: StatisticPeriod) -> None:
    cobalt, operator = organisation("Cobalt", "member"), person("operator")
    action = add_action(key="share", text="Share.")
    made = enter_commitment(
        signatory=cobalt, action=action, state="done", source="https://cobalt.example/", dated=date(2026, 1, 1),
        by=person("engineer", cobalt), now=week.made_at,
    )  # fmt: skip
    accept_commitment(commitment=made, verified=True, by=operator, now=week.made_at)
    for query in ("", "?format=json"):
        text = browser(observer).get(EXPORT + query).content
        assert b"cobalt" not in text.lower()
        assert b"cobalt" not in base64.b64decode(json.loads(text)["payload"]).lower() if "json" in query else True


def test_the_report_has_every_table_open_and_no_navigation(observer: Person, week: StatisticPeriod) -> None:
    text = browser(observer).get("/admin/statistics/report/").content.decode()
    assert "<details open>" in text
    assert "<details>" not in text
    assert 'id="nav-sidebar"' not in text
    assert week.label in text


def test_the_report_says_whose_it_is_and_whether_it_is_made_up(observer: Person, week: StatisticPeriod) -> None:
    client = browser(observer)
    with override_settings(HASHSHARE_NAME="Hub of the North"):
        text = client.get("/admin/statistics/report/").content.decode()
    assert "Hub of the North</p>" in text
    assert "made up" not in text
    Demonstration.objects.create(made_at=timezone.now())
    assert "Everything on this hub is made up" in client.get("/admin/statistics/report/").content.decode()

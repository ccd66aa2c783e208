"""What a peer has to explain stands on the overview until somebody has looked; the evidence goes out as files."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from federation.models import Cosigning, Finding, WatchedLog, WitnessedLog
from federation.services.findings import record_finding, settle_finding
from hashshare.models import Deed, Log, Person
from hashshare.services.logs import log_of_publications
from hashshare.wire.errors import Conflict, UsageError
from tests.admin.addresses import changelist, deed, page
from tests.admin.cast import browser, person
from tests.admin.doors import said
from tests.builders import now
from tests.federation.builders import north
from tests.federation.builders_witness import HubLog

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(db: None) -> HubLog:
    return HubLog(north()).grow(20)


@pytest.fixture
def finding(log: HubLog) -> Finding:
    return record_finding(
        peer=log.hub.peer,
        kind=Finding.Kind.SPLIT_VIEW,
        subject=log.origin,
        detail="It signed two logs.",
        documents={"one.txt": log.note(), "two.txt": log.fork(5, to=20).note()},
        now=now(),
    )


def run(*words: str) -> str:
    out = StringIO()
    call_command("findings", *words, stdout=out)
    return out.getvalue()


def test_it_stands_on_the_overview_until_it_is_settled(finding: Finding) -> None:
    operator: Person = person("operator")
    client = browser(operator)
    assert "north.example has to explain: two histories of one log" in said(client.get("/admin/"))
    shown = said(client.get(page(finding)))
    assert "It signed two logs." in shown
    assert finding.documents[0]["text"].splitlines()[2] in client.get(page(finding)).content.decode()
    client.post(deed(finding, "settle"), {"reason": "They restored the wrong disk."}, follow=True)
    finding.refresh_from_db()
    assert finding.settled_by == operator
    assert finding.settlement == "They restored the wrong disk."
    assert "has to explain" not in said(client.get("/admin/"))
    assert [(each.what, each.reason) for each in Deed.objects.all()][:1] == [
        ("Settle", "They restored the wrong disk.")
    ]


def test_only_operators_see_it(finding: Finding, log: HubLog) -> None:
    WatchedLog.objects.create(
        peer=log.hub.peer, origin=log.origin, size=20, root=log.checkpoint().root, checkpoint=log.note(), seen_at=now()
    )
    WitnessedLog.objects.create(peer=log.hub.peer, origin=log.origin, size=20, root=log.checkpoint().root)
    ours: Log = log_of_publications(now=now())
    Cosigning.objects.create(log=ours, origin=ours.origin, witness="south.example/witness+00000000+AA==")
    partner = browser(person("government"))
    for model in (Finding, WatchedLog, WitnessedLog, Cosigning):
        assert browser(person("operator")).get(changelist(model)).status_code == 200
        assert Client().get(changelist(model)).status_code == 302
        assert partner.get(changelist(model)).status_code == 403
    assert "has to explain" not in said(partner.get("/admin/"))


def test_the_command_lists_exports_and_settles(finding: Finding, tmp_path: Path) -> None:
    assert "two histories" in run("list").lower()
    (row,) = json.loads(run("list", "--json"))["findings"]
    assert (row["id"], row["kind"], row["peer"]) == (str(finding.pk), "split_view", "north.example")
    run("export", row["id"][:8], str(tmp_path / "evidence"))
    files = {path.name: path.read_text() for path in (tmp_path / "evidence").iterdir()}
    assert files["one.txt"] == finding.documents[0]["text"]
    assert json.loads(files["finding.json"])["peer_descriptor"] == finding.peer.descriptor
    run("settle", row["id"], "--reason", "Explained.")
    assert run("list") == "No peer has anything to explain.\n"
    assert "Explained." in run("list", "--all")
    with pytest.raises(CommandError, match="settled already"):
        run("settle", row["id"], "--reason", "Again.")
    with pytest.raises(CommandError, match="no finding"):
        run("export", "0000", str(tmp_path))


def test_it_is_told_once_while_it_is_open(finding: Finding, log: HubLog) -> None:
    later = now()
    again = record_finding(
        peer=log.hub.peer, kind=Finding.Kind.SPLIT_VIEW, subject=log.origin, detail="x", documents={}, now=later
    )
    assert again.pk == finding.pk
    finding.refresh_from_db()
    assert (finding.seen_at, finding.detail) == (later, "It signed two logs.")


def test_settling_needs_a_word_and_happens_once(finding: Finding) -> None:
    with pytest.raises(UsageError):
        settle_finding(finding=finding, settlement=" \n", by=None, now=now())
    settle_finding(finding=finding, settlement="Done.", by=None, now=now())
    with pytest.raises(Conflict):
        settle_finding(finding=finding, settlement="Done.", by=None, now=now())


def test_documents_are_bounded(log: HubLog) -> None:
    made = record_finding(
        peer=log.hub.peer, kind=Finding.Kind.ROOT_REPLACED, subject="a.example", detail="x",
        documents={"long.json": "x\0" * 1_000_000}, now=now(),
    )  # fmt: skip
    assert len(made.documents[0]["text"]) < 300_000

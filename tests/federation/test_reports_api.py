"""POST peers/reports: hubs by a signed request alone, within bounds; and what the hotline then reads."""

from __future__ import annotations

from typing import Any

import pytest

from federation.api.urls import urlpatterns
from federation.models import TakenReport
from federation.reports import Report, sign_report
from hashshare.models import Leaf
from hashshare.selectors.audits import audit
from hashshare.services.organisations import suspend_organisation
from hashshare.services.sealing import seal_logs
from hashshare.wire import keys
from hashshare.wire.log import RelayedRow, read_row
from tests import builders as b
from tests.api.parties import CLIENT, Party, enrolled, refused, with_authorization
from tests.federation.builders import Hub, agreed, south
from tests.federation.builders_evidence import RemoteCobalt, as_party, count, counts, report, withdrawing_feed

pytestmark = pytest.mark.django_db
PATH = "peers/reports"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def from_south(db: None) -> Hub:
    made = south()
    agreed(made, "out")
    return made


@pytest.fixture
def images(from_south: Hub) -> b.Feed:
    return withdrawing_feed(as_party(from_south), b.member("Basalt"))


@pytest.fixture
def whole(images: b.Feed, from_south: Hub) -> Report:
    cobalt = RemoteCobalt(from_south)
    return report(
        from_south,
        images,
        hubs=(counts(count(entitled=2, applied=1)),),
        members=(cobalt.named(name="Cobalt"), RemoteCobalt(from_south, "granite").named()),
        statements=(cobalt.statement(images),),
    )


def party(hub: Hub) -> Party:
    return Party(hub.organisation, hub.key)


def post(who: Party, made: Report, hub: Hub, **parts: Any) -> Any:
    return who.signed("POST", PATH, body=sign_report(made, key=hub.key), headers=JSON, **parts)


def test_it_is_taken_and_shown_to_the_hotline(images: b.Feed, from_south: Hub, whole: Report) -> None:
    for _ in range(2):
        answer = post(party(from_south), whole, from_south)
        assert (answer.status_code, answer.json()) == (200, {"sequence": 1, "previous": 0})
    hotline = images.publisher.party
    shown = Party(hotline.organisation, hotline.key).get("lists/aurora.example/images/propagation").json()
    (release,) = shown["withdrawals"]
    (hub,) = release["hubs"]
    assert (hub["hub"], hub["path"], hub["evidence"]) == ("south.example", ["south.example"], "documents")
    assert {name: hub[name] for name in ("entitled", "applied", "purged", "overdue", "stated")} == {
        "entitled": 2,
        "applied": 1,
        "purged": 0,
        "overdue": 0,
        "stated": 1,
    }
    assert hub["mirror"] == {"state": "waiting", "applied_at": None, "purged_at": None}
    assert [(it["organisation"], it["name"], it["state"]) for it in hub["members"]] == [
        ("cobalt", "Cobalt", "applied"),
        ("granite", "", "waiting"),
    ]
    assert release["everywhere"] == {"entitled": 3, "applied": 1, "purged": 0, "overdue": 0}
    assert (release["entitled"], [it["organisation"]["slug"] for it in release["members"]]) == (1, ["basalt"])


def test_an_older_report_is_a_stale_one(from_south: Hub, whole: Report, images: b.Feed) -> None:
    assert post(party(from_south), whole, from_south).status_code == 200
    other = report(from_south, images, hubs=whole.hubs)
    assert refused(post(party(from_south), other, from_south), 409, "stale-report")["sequence"] == 1


def test_only_hubs_by_a_signed_request_may(from_south: Hub, whole: Report, images: b.Feed) -> None:
    document = sign_report(whole, key=from_south.key)
    refused(
        CLIENT.post(f"/api/v1/{PATH}", document, "application/json", SERVER_NAME="127.0.0.1"), 401, "not-authenticated"
    )
    token = f"Bearer {party(from_south).token()}"
    refused(with_authorization(CLIENT, "POST", PATH, token), 403, "not-allowed")
    for kind in ("member", "partner", "hotline"):
        refused(post(enrolled(kind, f"Some {kind}"), whole, from_south), 403, "not-allowed")
    refused(post(enrolled("hub", "West"), whole, from_south), 403, "not-a-peer")
    assert not TakenReport.objects.exists()


def test_a_suspended_hub_is_not_let_in(from_south: Hub, whole: Report) -> None:
    suspend_organisation(organisation=from_south.organisation)
    refused(post(party(from_south), whole, from_south), 401, "bad-request-signature")
    assert not TakenReport.objects.exists()


def test_a_key_that_is_not_its_own_opens_nothing(from_south: Hub, whole: Report) -> None:
    refused(post(Party(from_south.organisation, keys.generate()), whole, from_south), 401, "bad-request-signature")


def test_it_has_a_bound(from_south: Hub) -> None:
    answer = party(from_south).signed("POST", PATH, body=b" " * ((1 << 20) + 1), headers=JSON)
    refused(answer, 413, "too-large")


def test_what_is_no_report_is_named_so(from_south: Hub) -> None:
    for body in (b"", b"{}", b"[]", b"\xff"):
        refused(party(from_south).signed("POST", PATH, body=body, headers=JSON), 422, "malformed-report")


def test_every_address_says_who_may_call_it() -> None:
    for pattern in urlpatterns:
        view = pattern.callback.cls  # type: ignore[attr-defined]
        assert {method.upper() for method in ("get", "post", "put", "delete") if hasattr(view, method)} == set(view.who)
        assert not any(who.public for who in view.who.values())


# --- who sees what was signed -------------------------------------------------------------------------------------


def test_what_was_relayed_is_a_leaf_that_only_the_publisher_and_the_peer_can_open(
    images: b.Feed, from_south: Hub, whole: Report
) -> None:
    post(party(from_south), whole, from_south)
    seal_logs(now=b.now())
    leaf = Leaf.objects.get(kind="relayed")
    found = audit(caller=images.publisher.caller, domain="aurora.example", start=0, limit=99)
    (shown,) = [it for it in found.leaves if it.kind == "relayed"]
    row = read_row(shown.row or "")
    assert isinstance(row, RelayedRow)
    assert (row.hub, row.via, row.organisation, row.version) == ("south.example", "south.example", "cobalt", 2)
    (statement,) = whole.statements
    assert (shown.statement, shown.public_key) == (statement.document, statement.key)
    own = party(from_south).get("receipts?list=aurora.example/images").json()
    assert [it["row"] for it in own["receipts"] if it["kind"] == "relayed"] == [leaf.row]
    basalt = images.row.subscriptions.get(organisation__slug="basalt").organisation
    assert not Leaf.objects.filter(organisation=basalt, kind="relayed").exists()

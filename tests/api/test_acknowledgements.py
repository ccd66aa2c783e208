"""POST acknowledgements: what is answered to whom; what makes a statement count is shown in tests/services."""

from __future__ import annotations

import pytest

from hashshare.models import Acknowledgement, Log
from hashshare.services.sealing import seal_logs
from hashshare.wire.log import verify_consistency
from tests import logs
from tests.api.parties import Party, enrolled, refused, with_authorization
from tests.api.publishing import Hotline, subscribed
from tests.api.statements import ORIGIN, document, opened, raw, send
from tests.builders import now

pytestmark = pytest.mark.django_db


def test_the_first_time_is_201_and_again_is_200(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    body = document(cobalt, images)
    first, again = send(cobalt, body), send(cobalt, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    told = first.json()["acknowledgement"]
    assert told | {"received_at": ""} == {
        "list": "aurora.example/images",
        "version": 1,
        "purged": 1,
        "manifest_sha256": Acknowledgement.objects.get().manifest_digest,
        "key": cobalt.fingerprint,
        "received_at": "",
    }
    assert Acknowledgement.objects.get().statement.encode() == body


def test_it_answers_with_the_log_and_that_it_extends_what_was_seen(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    log = Log.objects.get(publisher__domain="aurora.example")
    logs.leaves(log, 300)
    seal_logs(now=now())
    before = send(cobalt, document(cobalt, images)).json()["log"]
    assert (before["origin"], before["consistency"]) == (ORIGIN, [])
    seen = opened(before["checkpoint"])
    assert seen.size == 300
    seal_logs(now=now())
    after = send(cobalt, document(cobalt, images, purged=0), f"?size={seen.size}").json()["log"]
    new = opened(after["checkpoint"])
    assert new.size == 301
    verify_consistency(300, old_root=seen.root, new_size=301, new_root=new.root, proof=raw(after["consistency"]))
    for size in (301, 302, 10**9):  # the last ones: more than there are, which the caller then sees
        answer = send(cobalt, document(cobalt, images), f"?size={size}")
        assert (answer.status_code, answer.json()["log"]["consistency"]) == (200, [])


@pytest.mark.parametrize("size", ["-1", "x", "1.5", "", str(2**63)])
def test_a_size_that_is_none_is_refused_and_nothing_kept(images: Hotline, cobalt: Party, size: str) -> None:
    subscribed(cobalt, images)
    refused(send(cobalt, document(cobalt, images), f"?size={size}"), 400, "invalid-request")
    assert not Acknowledgement.objects.exists()


def test_each_refusal_has_its_name(images: Hotline, cobalt: Party, borealis: Party) -> None:
    granite = enrolled("member", "Granite")
    subscribed(cobalt, images)
    subscribed(granite, images)
    mine = document(cobalt, images)
    for who, body, status, slug in (
        (cobalt, document(cobalt, images, version=2), 422, "unknown-release"),
        (cobalt, document(cobalt, images, manifest_sha256="0" * 64), 422, "unknown-release"),
        (cobalt, document(cobalt, images, organisation="granite"), 422, "malformed-acknowledgement"),
        (cobalt, document(cobalt, images, hub="https://south.example"), 422, "malformed-acknowledgement"),
        (cobalt, document(cobalt, images, purged=2), 422, "malformed-acknowledgement"),
        (cobalt, document(cobalt, images, list_id="0" * 16), 403, "not-entitled"),
        (borealis, document(borealis, images), 403, "not-entitled"),
        (granite, mine, 422, "signature-threshold"),
        (cobalt, mine.replace(b'"sig":"', b'"sig":"AAAA', 1), 422, "malformed-acknowledgement"),
        (cobalt, b"", 422, "malformed-acknowledgement"),
        (cobalt, b"\xff\x00{", 422, "malformed-acknowledgement"),
        (cobalt, mine + b" " * 4096, 413, "too-large"),
    ):
        refused(send(who, body), status, slug)
    assert not Acknowledgement.objects.exists()


def test_it_takes_no_token_and_no_partner(images: Hotline, cobalt: Party, delta: Party) -> None:
    subscribed(cobalt, images)
    answer = with_authorization(cobalt.client, "POST", "acknowledgements", f"Bearer {cobalt.token()}")
    refused(answer, 403, "not-allowed")
    refused(send(delta, document(delta, images)), 403, "not-allowed")

"""Two hubs, a database each: a member of South signs what it applied, and the hotline reads it at North."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from config import postgres
from federation.models import Agreement, Peer, RemoteAcknowledgement
from hashshare.client.session import Session
from hashshare.models import Release
from hashshare.services.sealing import seal_logs
from tests import builders as b
from tests.federation.builders_evidence import given, withdrawing_feed
from tests.federation.south_at_work import known
from tests.system.hub import ROOT, clean_environment, copy_migrated_database

pytestmark = pytest.mark.django_db(transaction=True)
FACTS = ("slug", "tuf_id", "title", "algorithms", "scheme", "columns", "terms", "terms_digest", "version", "entries")
OF_RELEASES = ("version", "role_version", "manifest_digest", "entries", "upserts", "withdrawals")

South = Callable[..., dict[str, Any]]


@pytest.fixture
def south() -> Iterator[South]:
    """Has South do something and gives what it says of that."""
    folder = Path(tempfile.mkdtemp(prefix="hashshare-south-"))
    folder.chmod(0o711)
    copy_migrated_database(folder)
    environment = clean_environment(HASHSHARE_DATA=str(folder), HASHSHARE_PUBLIC_URL="http://127.0.0.1:8000")

    def do(what: str, **told: Any) -> dict[str, Any]:
        code = f"from tests.federation.south_at_work import {what}; {what}()"
        done = subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
            cwd=ROOT, env=environment, input=json.dumps(told), text=True, capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return said

    try:
        yield do
    finally:
        postgres.destroy(folder)


def test_a_withdrawal_is_seen_to_arrive_at_the_members_of_another_hub(
    south: South, live_server: LiveServer, settings: Settings
) -> None:
    settings.HASHSHARE_PUBLIC_URL = live_server.url
    peer = known(south("begin"))
    feed = withdrawing_feed()
    assert peer.organisation is not None
    given(b.Party(peer.organisation, feed.publisher.party.key), feed)
    Agreement.objects.create(peer=peer, direction="out", publisher="aurora.example")
    Release.objects.filter(list=feed.row, version=2).update(published_at=b.now())  # after South was given the list
    facts = {name: getattr(feed.row, name) for name in FACTS} | {"domain": "aurora.example"}
    releases = list(Release.objects.filter(list=feed.row).order_by("version").values(*OF_RELEASES))
    said = requests.get(f"{live_server.url}/.well-known/hashshare", timeout=30).json()
    done = south("work", descriptor=said, list=facts, releases=releases)
    assert (done["acknowledged"], done["trouble"]) == (201, None)
    assert done["told"] == [1, 0]
    hotline = Session(live_server.url, key=feed.publisher.party.key)
    (release,) = hotline.get_json("lists/aurora.example/images/propagation")["withdrawals"]
    (hub,) = release["hubs"]
    assert (hub["hub"], hub["evidence"]) == ("127.0.0.1:8000", "documents")
    assert (hub["entitled"], hub["applied"], hub["purged"], hub["overdue"], hub["stated"]) == (1, 1, 1, 0, 1)
    (member,) = hub["members"]
    assert (member["organisation"], member["country"], member["state"]) == ("cobalt", "PT", "purged")
    assert release["everywhere"]["applied"] == 1
    assert RemoteAcknowledgement.objects.get().statement == done["said"]  # byte for byte
    seal_logs(now=b.now())
    audited = hotline.get_json("log/aurora.example/audit")["leaves"]
    assert [leaf["statement"] for leaf in audited if leaf["kind"] == "relayed"] == [done["said"]]
    assert Peer.objects.get().name == "127.0.0.1:8000"

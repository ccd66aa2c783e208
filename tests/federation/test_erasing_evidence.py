"""What other hubs told of their members is erased when its time is over, and the log stays as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings

from federation.models import RemoteAcknowledgement, RemoteCount, RemoteMember
from federation.services.evidence import erase_evidence
from hashshare.models import Leaf
from hashshare.selectors.audits import audit
from hashshare.services.erasure import erase_openings
from hashshare.services.sealing import seal_logs
from tests import builders as b
from tests.federation.builders import agreed, south
from tests.federation.builders_evidence import RemoteCobalt, as_party, count, counts, report, send, withdrawing_feed

pytestmark = pytest.mark.django_db


def test_all_but_the_newest_statement_of_each_member_goes_with_its_opening() -> None:
    hub = south()
    agreed(hub, "out")
    feed = withdrawing_feed(as_party(hub))
    cobalt, gone = RemoteCobalt(hub), RemoteCobalt(hub, "granite")
    made = report(
        *(hub, feed),
        hubs=(counts(count(entitled=2, applied=1)),),
        members=(cobalt.named(), gone.named(until=b.now(), access=False)),
        statements=(cobalt.statement(feed, 1, received_at=b.now() - timedelta(days=1)), cobalt.statement(feed, 2)),
    )
    send(hub, made)
    seal_logs(now=b.now())
    assert erase_evidence(now=b.now()) == {"statements": 0, "counts": 0, "members": 0}
    later = b.now() + timedelta(days=366 * settings.HASHSHARE_LOG_YEARS + 2)
    assert erase_evidence(now=later) == {"statements": 0, "counts": 1, "members": 1}
    erase_openings(now=later)  # only then are statements without their openings
    assert erase_evidence(now=later) == {"statements": 1, "counts": 0, "members": 0}
    kept = RemoteAcknowledgement.objects.get()
    assert (kept.version, kept.leaf) == (2, None)
    assert [row.organisation for row in RemoteMember.objects.all()] == ["cobalt"]
    assert not RemoteCount.objects.exists()
    assert not Leaf.objects.filter(kind="relayed").exclude(row=None, organisation=None).exists()
    leaves = audit(caller=feed.publisher.caller, domain="aurora.example", start=0, limit=99).leaves
    assert [it.erased for it in leaves if it.kind == "relayed"] == [True, True]
    send(hub, replace(made, sequence=2, statements=()))  # goes on as before

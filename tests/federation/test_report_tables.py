"""Operators see how far hubs were told and which told something; nobody else does, and nobody's name stands there."""

from __future__ import annotations

import pytest

from federation.models import RemoteHub, ReportCursor
from tests.admin.cast import browser, person
from tests.federation.builders import agreed, north, south
from tests.federation.builders_evidence import RemoteCobalt, count, counts, report, send, withdrawing_feed

pytestmark = pytest.mark.django_db


def test_they_are_for_operators() -> None:
    hub, home = south(), north()
    agreed(hub, "out")
    feed = withdrawing_feed(hub)
    send(hub, report(hub, feed, hubs=(counts(count()),), members=(RemoteCobalt(hub, "granite").named(),)))
    cursor = ReportCursor.objects.create(list=feed.row, peer=home.peer, trouble={"title": "Older report"})
    operator, analyst = browser(person("operator")), browser(person("analyst", feed.publisher.party.organisation))
    told, telling = "/admin/federation/remotehub/", "/admin/federation/reportcursor/"
    pages = {
        telling: ("north.example", "failed"),
        f"{telling}{cursor.pk}/change/": ("Older report",),
        told: ("south.example", "documents"),
        f"{told}{RemoteHub.objects.get().pk}/change/": ("south.example",),
    }
    for address, words in pages.items():
        answer = operator.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        assert all(word in text for word in words), address
        assert "granite" not in text
        assert analyst.get(address).status_code == 403, address

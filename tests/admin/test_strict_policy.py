"""Every page works under a content security policy without inline script or style."""

from __future__ import annotations

import re

from django.contrib.staticfiles import finders
from django.test import Client

from hashshare.models import DailyStatistic, Organisation, Release, StatisticPeriod
from tests.admin.addresses import changelist, deed, page
from tests.admin.cast import browser
from tests.admin.conftest import Hub
from tests.admin.figures import record

INLINE = re.compile(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+|https?://[^"]+|//[^"]+)"')


def addresses(hub: Hub) -> list[str]:
    cobalt = hub.aurora.member
    own = [
        "/admin/",
        "/admin/statistics/",
        "/admin/statistics/report/",
        "/admin/expiring/",
        "/admin/timetable/",
        "/admin/password_change/",
    ]
    return [
        *own,
        "/admin/statistics/report/",
        changelist(Organisation),
        changelist(Release),
        page(cobalt),
        deed(cobalt, "suspend"),
        deed(hub.engineer, "leaves"),
        page(cobalt, "history"),
    ]


def test_it_has_no_inline_script_or_style_on_any_page(hub: Hub) -> None:
    client = browser(hub.operator)
    assert DailyStatistic.objects.exists()
    period = hub.operators_own[StatisticPeriod]
    assert isinstance(period, StatisticPeriod)
    record(period, "members", 3)
    strangers = [(Client(), "/admin/login/"), (Client(), "/invitation/AAAA-BBBB-CCCC/")]
    for browsing, address in [*((client, each) for each in addresses(hub)), *strangers]:
        answer = browsing.get(address)
        text = answer.content.decode()
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert INLINE.search(text) is None, (address, INLINE.search(text))


def test_it_loads_nothing_from_elsewhere_and_nothing_that_is_missing(hub: Hub) -> None:
    client = browser(hub.operator)
    for address in addresses(hub):
        for asset in ASSET.findall(client.get(address).content.decode()):
            assert asset.startswith("/static/"), asset
            assert finders.find(asset.removeprefix("/static/")), asset

"""What the navigation of a person names: what is there for them, each once."""

from __future__ import annotations

import re

from hashshare.models import HashList, HostedKey, Release
from tests.admin.addresses import changelist, page
from tests.admin.cast import browser
from tests.admin.conftest import Hub

LINE = re.compile(r'<li><a href="[^"]+"(?: aria-current="\w+")?>([^<]+)</a></li>')


def lines(hub: Hub, role: str) -> list[str]:
    text = browser(hub.person(role)).get("/admin/account/").content.decode()
    return LINE.findall(text[text.index('id="nav-sidebar"') : text.index("</nav>")])


def test_members_are_not_led_to_tables_of_what_they_do_not_publish(hub: Hub) -> None:
    of_a_member, of_a_hotline = lines(hub, "engineer"), lines(hub, "analyst")
    for name in ("Releases", "Hosted keys", "Stored objects", "Logs", "Jobs"):
        assert name not in of_a_member
        assert name in of_a_hotline
    assert {"Your desk", "Keys", "Access keys", "Deliveries", "What people did"} <= set(of_a_member)
    assert browser(hub.engineer).get(changelist(Release)).status_code == 200  # hidden from nobody who has the address


def test_nothing_is_named_twice(hub: Hub) -> None:
    for role in ("operator", "analyst", "engineer", "observer"):
        named = lines(hub, role)
        assert len(named) == len(set(named)), role
        assert "Commitments" in named


def test_an_empty_table_shows_commands_as_code(hub: Hub) -> None:
    HostedKey.objects.all().delete()
    text = browser(hub.operator).get(changelist(HostedKey)).content.decode()
    assert "<code>hashshare publisher list create --hosted</code>" in text


def test_a_row_says_yes_and_no_in_words(hub: Hub) -> None:
    client = browser(hub.operator)
    for row in (hub.aurora.of[HashList], hub.aurora.of[Release]):
        text = client.get(page(row)).content.decode()
        assert "<dd>no</dd>" in text
        assert "icon-no" not in text


def test_what_takes_something_away_is_never_the_first_button(hub: Hub) -> None:
    client = browser(hub.operator)
    for row in (hub.person("engineer"), hub.aurora.hotline):
        text = client.get(page(row)).content.decode()
        *looks, history = re.findall(r'class="button (\w*)"', text[: text.index('class="facts"')])[-20:]
        deeds = [look for look in looks if look in {"", "taking"}]
        assert history == "quiet"
        assert deeds == sorted(deeds)
        assert {"", "taking"} == set(deeds)

"""Two hubs become peers, by the commands that two operators type, and speak to one another until one is suspended."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.system.hub import RunningHub, StartHub

pytestmark = pytest.mark.slow

ASK = (
    "from federation.models import Peer; from federation.services.connections import session_with; "
    "print(session_with(Peer.objects.get()).get_json('status')['organisation']['kind'])"
)


def told(hub: RunningHub, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(hub.manage("peer", *words, "--json").stdout)
    return found


def ask(hub: RunningHub) -> subprocess.CompletedProcess[str]:
    """Of its one peer, who it is there."""
    return hub.manage("shell", "--no-imports", "-c", ASK, check=False)


def test_two_operators_make_their_hubs_peers(start_hub: StartHub) -> None:
    north, south = start_hub(HASHSHARE_COUNTRY="SE"), start_hub(HASHSHARE_COUNTRY="PT")
    for here, there in ((north, south), (south, north)):
        peer = told(here, "introduce", there.url)
        assert (peer["state"], peer["url"]) == ("introduced", there.url)
    for here, there in ((north, south), (south, north)):
        read_out = told(there, "fingerprint")
        assert told(here, "accept", read_out["hub"], read_out["fingerprint"])["state"] == "active"
        assert not told(here, "check", read_out["hub"])["trouble"]

    assert [ask(hub).stdout.strip() for hub in (north, south)] == ["hub", "hub"]

    name = told(south, "fingerprint")["hub"]
    told(north, "suspend", name, "--reason", "the key leaked")
    refused = ask(south)
    assert refused.returncode != 0
    assert "BadRequestSignature" in refused.stderr or "NotAuthenticated" in refused.stderr, refused.stderr
    assert "NotAPeer" in ask(north).stderr
    told(north, "resume", name)
    assert ask(south).stdout.strip() == "hub"

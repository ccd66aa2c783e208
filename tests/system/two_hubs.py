"""Two real hubs that know each other, and what their operators and hotlines would do, by their own `manage.py`."""

from __future__ import annotations

import json
import os
import signal
from typing import Final

from tests.system.hub import RunningHub, wait_for

GRANT: Final = """
from django.utils import timezone
from hashshare.models import HashList, Organisation, Subscription
now = timezone.now()
for row in HashList.objects.filter(publisher__domain={domain!r}):
    Subscription.objects.get_or_create(
        list=row, organisation=Organisation.objects.get(slug={slug!r}), defaults=dict(
            state="active", terms_digest=row.terms_digest, terms_accepted_at=now, requested_at=now, entitled_at=now))
"""

VERSION: Final = """
from hashshare.models import HashList
row = HashList.objects.filter(publisher__domain={domain!r}).first()
print("version", row.version if row else 0)
"""

ROOT: Final = """
from hashshare.models import Metadata
row = Metadata.objects.filter(publisher__domain={domain!r}, role="root").order_by("-version").first()
print("version", row.version if row else 0)
"""

POLL: Final = """
from django.utils import timezone
from federation.models import Peer
from federation.services.polling import mirror_peers
Peer.objects.update(polled_at=None)
mirror_peers(now=timezone.now())
"""


def name_of(hub: RunningHub) -> str:
    return hub.url.removeprefix("http://")


def slug_of(hub: RunningHub) -> str:
    """Of the organisation that it is at the other."""
    return name_of(hub).replace(".", "-").replace(":", "-")


def acquaint(north: RunningHub, south: RunningHub, domain: str) -> None:
    """Each is the other's peer in force, as two operators make it so; the publisher's lists go from North to South."""
    for here, there in ((north, south), (south, north)):
        said = json.loads(there.manage("peer", "fingerprint", "--json").stdout)["fingerprint"]
        here.manage("peer", "introduce", there.url)
        here.manage("peer", "accept", name_of(there), said, "--country", "SE")
    north.manage("peer", "agree", name_of(south), "out", domain)
    south.manage("peer", "agree", name_of(north), "in", domain)


def grant(hub: RunningHub, domain: str, slug: str) -> None:
    """Every list of the publisher that is there, to the organisation."""
    hub.manage("shell", "-c", GRANT.format(domain=domain, slug=slug))


def wait_for_version(hub: RunningHub, domain: str, version: int, *, of: str = VERSION) -> None:
    """Until the hub, which copies the publisher from its peer, serves it: its list, or with ROOT its root."""

    def there() -> bool:
        hub.manage("shell", "-c", POLL)
        return f"version {version}" in hub.manage("shell", "-c", of.format(domain=domain)).stdout

    wait_for(f"{name_of(hub)} to have version {version} of {domain}", there, seconds=180)


def die(hub: RunningHub) -> None:
    """SIGKILL to the supervisor and to all that it has started, its database apart, as when the power fails."""
    assert hub.process is not None
    groups = list(hub.pids().values())
    hub.process.kill()
    hub.process.wait()
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue

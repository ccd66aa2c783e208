"""Two real hubs that are peers, for tests whose claims are about processes: North gives, South takes."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from tests.system.hub import RunningHub, StartHub, wait_for

QUICK = {"HASHSHARE_TIMETABLE": "mirror_peers=1,sweep_jobs=1", "HASHSHARE_MIRROR_SECONDS": "1"}
"""South asks every second."""


def start_two(start_hub: StartHub, **environment: str) -> tuple[RunningHub, RunningHub]:
    """North and South, introduced to one another and accepted."""
    north = start_hub(HASHSHARE_COUNTRY="SE")
    south = start_hub(HASHSHARE_COUNTRY="PT", **(QUICK | environment))
    for here, there in ((north, south), (south, north)):
        here.manage("peer", "introduce", there.url)
        spoken = json.loads(there.manage("peer", "fingerprint", "--json").stdout)
        here.manage("peer", "accept", name_of(there), str(spoken["fingerprint"]))
    return north, south


def name_of(hub: RunningHub) -> str:
    return f"127.0.0.1:{hub.port}"


def let_cross(north: RunningHub, south: RunningHub, domain: str) -> None:
    """Agreed on both sides, and granted to South as to a member."""
    north.manage("peer", "agree", name_of(south), "out", domain)
    south.manage("peer", "agree", name_of(north), "in", domain)
    grant(north, domain, f"organisation__peer__name={name_of(south)!r}")


def grant(hub: RunningHub, domain: str, who: str) -> None:
    """A subscription in force to every list of the publisher, for the organisation with such a key."""
    shell(
        hub,
        f"""
        from hashshare.models import HashList, OrganisationKey, Subscription
        from django.utils import timezone
        now = timezone.now()
        who = OrganisationKey.objects.filter({who}).first().organisation
        for row in HashList.objects.filter(publisher__domain={domain!r}):
            said = dict(terms_digest=row.terms_digest, terms_accepted_at=now, requested_at=now, entitled_at=now)
            Subscription.objects.get_or_create(list=row, organisation=who, defaults=said | dict(state="active"))
        """,
    )


def shell(hub: RunningHub, program: str) -> str:
    """What the program prints; it runs in the hub's own environment."""
    return hub.manage("shell", "--no-imports", "-c", textwrap.dedent(program)).stdout


def asked(hub: RunningHub, expression: str, *, given: str = "") -> Any:
    """The JSON of an expression over the hub's tables."""
    program = f"import json\nfrom hashshare.models import *\nfrom federation.models import *\n{given}\n"
    return json.loads(shell(hub, f"{program}print(json.dumps({expression}))"))


def versions(hub: RunningHub) -> dict[str, list[int]]:
    """Content and role version by the name of each list."""
    found: dict[str, list[int]] = asked(
        hub, "{row.name: [row.version, row.role_version] for row in HashList.objects.select_related('publisher')}"
    )
    return found


def caught_up(north: RunningHub, south: RunningHub, name: str, *, seconds: float = 90) -> None:
    """Wait until South serves what North does."""
    newest = versions(north)[name]
    wait_for(f"South to serve {name} as {newest}\n{south.log('timetable')[-2000:]}{south.worker_log()[-3000:]}",
             lambda: versions(south).get(name) == newest, seconds=seconds)  # fmt: skip


def files(hub: RunningHub, domain: str) -> dict[str, str]:
    """Digests of all that is served of a publisher, by file name."""
    found: dict[str, str] = asked(
        hub,
        "metadata | objects",
        given=textwrap.dedent(f"""
            import hashlib
            from hashshare.storage import object_store
            from hashshare.storage.keys import object_key
            rows = Metadata.objects.filter(publisher__domain={domain!r})
            metadata = {{f"{{r.version}}.{{r.role}}.json": hashlib.sha256(r.content).hexdigest() for r in rows}}
            objects = {{}}
            for o in StoredObject.objects.filter(list__publisher__domain={domain!r}, published_at__isnull=False,
                                                 superseded_at=None).select_related("list"):
                seen = hashlib.sha256()
                for block in object_store().read(object_key(o.list.tuf_id, o.digest, o.name), first=0, length=o.length):
                    seen.update(block)
                objects[f"{{o.list.tuf_id}}/{{o.digest}}.{{o.name}}"] = seen.hexdigest()
        """),
    )
    return found

"""`publisher status`: how a publisher stands at the hub: root, officers' roles, requests that wait, the hub's keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hashshare.client import trust
from hashshare.client.anew import every_waiting
from hashshare.client.cli.desks import Domain
from hashshare.client.cli.output import Output
from hashshare.client.cli.requests import tell_fingerprint, versions
from hashshare.client.cli.standby_hubs import standby_json
from hashshare.client.home import Home, checked_domain
from hashshare.client.identity import hub_keys, publisher_record
from hashshare.client.named_hub_keys import hub_key_change
from hashshare.client.publisher import OwnPublisher
from hashshare.client.session import Session
from hashshare.client.standing import standing
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, UsageError
from hashshare.wire.repository import read_role, root_fingerprint, standby_hub


def show_status(out: Output, domain: Domain) -> None:
    """Your root, what waits for officers, and whether the root names the hub's keys as they are now. Exit 7 if not."""
    home = Home.open()
    mine, session = OwnPublisher(home, checked_domain(domain)), Session.open(home, warn=out.warn)
    record = publisher_record(session, domain)
    stands = standing(session, mine, root_alone=True)
    if not stands.chain:
        raise UsageError(f"{domain} has no root yet.", next_step=f"Run: hashshare publisher init {domain}")
    own, root = root_fingerprint(stands.chain[0]), read_role("root", stands.chain[-1])
    if record.get("fingerprint") not in (None, own):
        raise trust.root_replaced(domain, held=own, offered=str(record["fingerprint"]))
    change = hub_key_change(domain, stands.chain[-1], [key.keyid for key in hub_keys(session)])
    named = standby_hub(stands.chain[-1])
    waiting = [(str(path), versions(request)) for path, request in every_waiting(mine)]
    document: dict[str, Any] = {
        "publisher": domain,
        "fingerprint": own,
        "root": {"version": root.version, "expires": write_time(root.expires)},
        "waiting": [{"request": path, "roles": roles} for path, roles in waiting],
        "anew_until": record.get("anew_until"),
        "standby_hub": standby_json(named),
        "hub_keys": None
        if change is None
        else {"detail": change.says, "means": change.means, "urgent": change.urgent, "next_step": change.next_step},
    }
    out.result(document)
    left = (root.expires - datetime.now(UTC)).days
    out.say(f"{domain}: root v{root.version}, good until {root.expires:%Y-%m-%d} ({left} days).")
    tell_fingerprint(out, own)
    if named is not None:
        out.say(f"It names {named.hub} as its standby hub.")
        out.fingerprint("  keys of that hub, SHA256: ", named.fingerprint)
    for path, roles in waiting:
        out.say(f"{', '.join(roles)} waits for its officers: {path}")
    if record.get("anew_until"):
        out.warn(
            f"The hub's operator lets {domain} begin anew until {record['anew_until']}: whoever has a key of your "
            "organisation can replace this root. If you did not ask for it, call the operator at once."
        )
    if change is None:
        out.say("It names the hub's keys as they are.")
        return
    out.warn(f"{change.says} {change.means} Run: {change.next_step}")
    out.exit_code = ExitCode.ALARM

"""`publisher list redistribution`: what other hubs may do with a list, as its signed manifest says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hashshare.client.cli import passphrases
from hashshare.client.cli.narration import Narrator
from hashshare.client.cli.output import Output
from hashshare.client.home import Home
from hashshare.client.publisher import OwnList, find_list
from hashshare.client.redistributing import Redistributed, read_policy, redistribute
from hashshare.client.session import Session
from hashshare.wire.errors import UsageError
from hashshare.wire.manifest import POLICIES, Redistribution

Policy = Annotated[str, typer.Option("--policy", help=f"What other hubs may do: {', '.join(POLICIES)}.")]
Peers = Annotated[
    str, typer.Option("--peers", metavar="HUB,...", help="The hubs that may have it; with federation, no others.")
]
NotIn = Annotated[
    str, typer.Option("--not-in", metavar="NL,...", help="Countries closed to hubs and to their members (ISO 3166-1).")
]


def change(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")],
    policy: Policy = "",
    peers: Peers = "",
    not_in: NotIn = "",
) -> None:
    """Show what other hubs may do with a list, or say it anew: signed and published at once, as a version that changes
    no entry. What is not named here is no longer said.
    """
    own = find_list(Home.open(), name)
    session = Session.open(own.publisher.home, warn=out.warn)
    if not policy:
        if peers or not_in:
            raise UsageError("Say the --policy along with it: the three are said anew together.")
        _show(out, session, own)
        return
    wanted = read_policy(policy, peers=words(peers), not_in=words(not_in))
    with Narrator(out, own.name) as narrator:
        done = redistribute(session, own, wanted, ask=passphrases.Opening(), now=datetime.now(UTC), listener=narrator)
    out.result(_document(own, done))
    state = "said so before; nothing changed" if done.version else "kept; its first release will say it"
    out.say(f"{own.name}: {f'published as v{done.version}' if done.job else state}.")
    out.facts(facts(done.policy))


def words(text: str) -> tuple[str, ...]:
    """Of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def facts(policy: Redistribution) -> list[tuple[str, str]]:
    """For people."""
    may = {
        "none": "no other hub may have it",
        "named": f"only {', '.join(policy.peers)}",
        "federation": f"only {', '.join(policy.peers)}" if policy.peers else "every hub under an agreement",
    }
    return [("other hubs", may[policy.policy]), ("closed to", ", ".join(policy.not_in) or "no country")]


def _show(out: Output, session: Session, own: OwnList) -> None:
    said = dict(session.get_json(f"lists/{own.name}").get("redistribution") or {})
    out.result({"list": own.name, "redistribution": said})
    policy = Redistribution(said.get("policy", "none"), tuple(said.get("peers", ())), tuple(said.get("not_in", ())))
    out.say(f"{own.name}, as the hub shows it:")
    out.facts(facts(policy))
    if said.get("unknown"):
        out.warn(f"It also says {', '.join(said['unknown'])}, which this version does not know: so no hub may have it.")


def _document(own: OwnList, done: Redistributed) -> dict[str, Any]:
    return {
        "list": own.name,
        "before": done.before.to_json(),
        "redistribution": done.policy.to_json(),
        "version": done.version,
        "job": done.job.to_json() if done.job else None,
    }

"""`publisher resend`: send a hub that was restored from a backup what it lost."""

from __future__ import annotations

from typing import Annotated

import typer

from hashshare.client.cli.output import Output, count, size
from hashshare.client.home import Home, checked_domain
from hashshare.client.publisher import OwnPublisher
from hashshare.client.resending import resend as send_again
from hashshare.client.session import Session


def resend(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")],
) -> None:
    """Send the hub what it lost, after it was restored from a backup. Nothing is signed; a publication does it too."""
    home = Home.open()
    done = send_again(Session.open(home, warn=out.warn), OwnPublisher(home, checked_domain(domain)))
    lists = {"entered": done.entered, "wordless": done.wordless}
    out.result({"publisher": domain, "roles": done.roles, **lists, "uploaded_bytes": done.bytes})
    lacked = count(len(done.roles), "signed file") if done.roles else "nothing"
    out.say(f"{domain}: the hub lacked {lacked}, has it all now ({size(done.bytes)} sent), and serves it to members.")
    for line in done.told():
        out.warn(line)

"""`publisher list host` and `unhost`: who keeps the key that signs a list."""

from __future__ import annotations

from typing import Annotated

import typer

from hashshare.client.cli.desks import open_desk, tell
from hashshare.client.cli.output import Output
from hashshare.client.home import Home
from hashshare.client.hosting import host_list, unhost_list
from hashshare.client.publisher import find_list

Own = Annotated[str, typer.Argument(metavar="LIST", help="Your list, such as aurora.example/images.")]


def host(
    out: Output,
    name: Own,
    new_key: Annotated[bool, typer.Option("--new-key", help="Another key, where the hub has one already.")] = False,
) -> None:
    """Let the hub keep a list's key and sign what two of your analysts agree to. Members see that it does."""
    own = find_list(Home.open(), name)
    desk = open_desk(out, own.publisher.domain, no_passphrase=False)
    done = host_list(desk, own, new_key=new_key)
    tell(out, desk, done, what="feed", more={"list": own.name, "hosted": True})
    if done.added and not done.waits:
        out.say(f"{own.name} is hosted: the hub signs it, members see that, and `list unhost` takes it home again.")


def unhost(out: Output, name: Own) -> None:
    """Take a list home: from now on this machine's feed key signs it, and the hub's is out."""
    own = find_list(Home.open(), name)
    desk = open_desk(out, own.publisher.domain, no_passphrase=False)
    done = unhost_list(desk, own)
    tell(out, desk, done, what="feed", more={"list": own.name, "hosted": False})

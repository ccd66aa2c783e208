"""`forget`: a list that is no longer held."""

from __future__ import annotations

from typing import Annotated

import typer

from hashshare.client.cli.output import Output, command
from hashshare.client.home import Home
from hashshare.client.intervals import forget_asked
from hashshare.client.store import find_store
from hashshare.wire.errors import NotSynced, UsageError


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "forget")(forget)


def forget(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="LIST", help="A held list, such as aurora.example/images.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a held list from this machine; nothing matches against it any more. The subscription stays as it is."""
    store = find_store(Home.open(), name)
    held = store.held()
    if held is None:
        raise NotSynced
    if not yes and not (out.interactive and typer.confirm(f"Remove the {held.entries:,} entries of {held.name}?")):
        raise UsageError("Nothing was removed.", next_step=f"hashshare forget {held.name} --yes")
    removed = store.remove()
    forget_asked(store.home)
    out.result({"list": removed.name, "version": removed.version, "entries": removed.entries})
    out.say(f"{removed.name} v{removed.version} is no longer held here.")

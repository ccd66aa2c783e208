"""`hub add`, `hub list`, `hub prefer`, `hub remove` and `move`: a home that is enrolled at several hubs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hashshare.client import hubs
from hashshare.client.cli.enrolment import publisher_json
from hashshare.client.cli.output import Output, command
from hashshare.client.contact import contact
from hashshare.client.enrol import organisation_text
from hashshare.client.home import Home
from hashshare.client.hubs import Account, accounts
from hashshare.client.moving import Moved
from hashshare.client.moving import move as move_to
from hashshare.wire.documents import write_time
from hashshare.wire.errors import ExitCode, UsageError

Name = Annotated[str, typer.Argument(metavar="HUB", help="As `hashshare hub list` names it, or its address.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    group = typer.Typer(help="The hubs of this home: lists come from the first that has them.", no_args_is_help=True)
    command(group, "add")(add)
    command(group, "list")(show)
    command(group, "prefer")(prefer)
    command(group, "remove")(remove)
    app.add_typer(group, name="hub")
    command(app, "move")(move)


def add(
    out: Output,
    url: Annotated[str, typer.Argument(metavar="URL", help="The other hub's https:// address.")],
    code: Annotated[str, typer.Option("--code", metavar="CODE", help="The one-time code from its operator.")],
    key_name: Annotated[str, typer.Option("--key-name", help="What that hub calls this machine's key.")] = "",
) -> None:
    """Enrol at one more hub, which brings the lists where the first cannot. What is held and trusted stays one."""
    home = Home.open()
    account, enrolled = hubs.add(home, url, code, key_name=key_name)
    out.result(
        {
            **hub_json(account, first=False),
            "publishers": [publisher_json(known) for known in enrolled.publishers],
            "refused": [{"publisher": domain, "detail": error.message} for domain, error in enrolled.refused],
        }
    )
    out.say(f"Enrolled at {account.name} as {organisation_text(account.config.organisation)}, beside the hubs before.")
    for domain, error in enrolled.refused:
        out.warn(f"{domain}: {error.message} {error.next_step}")
        out.exit_code = error.exit_code
    out.say("Subscribe there as well: only a list that both hubs offer you comes through the other when one is down.")


def show(out: Output) -> None:
    """Each hub, in the order in which they are asked, and when it answered last."""
    rows = accounts(Home.open())
    out.result({"hubs": [hub_json(account, first=not place) for place, account in enumerate(rows)]})
    out.table(("HUB", "ADDRESS", "AS", "ANSWERED", "SILENT SINCE"), [_row(account) for account in rows])


def _row(account: Account) -> tuple[str, ...]:
    met = contact(account.home)
    reached = write_time(met.reached_at) if met.reached_at else "-"
    silent = write_time(met.failing_since) if met.failing_since else "-"
    return (account.name, account.config.hub_url, str(account.config.organisation.get("name")), reached, silent)


def prefer(out: Output, name: Name) -> None:
    """Ask that hub first from now on; commands that speak to one hub speak to it."""
    account = hubs.prefer(Home.open(), name)
    out.result(hub_json(account, first=True))
    out.say(f"{account.name} is asked first from now on.")


def remove(out: Output, name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Leave a hub. Its key is removed here; lists, trust, receipts and logs stay."""
    home = Home.open()
    account = hubs.find_account(home, name)
    if not yes and not (out.interactive and typer.confirm(f"Remove the enrolment at {account.name}?")):
        raise UsageError("Nothing was removed.", next_step=f"hashshare hub remove {account.name} --yes")
    hubs.remove(home, name)
    out.result(hub_json(account, first=False))
    out.say(f"{account.name} is asked no more. The key {account.config.key_id} counts there until it is revoked:")
    out.say("ask that hub's operator, if it is alive.")


def move(
    out: Output,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The other hub's https:// address.")],
    code: Annotated[
        str, typer.Option("--code", metavar="CODE", help="From its operator; none where it is enrolled already.")
    ] = "",
) -> None:
    """Go over to another hub, which took over from yours: there you publish from now on. All keys that sign stay."""
    done = move_to(Home.open(), to, code)
    out.result(
        {
            **hub_json(done.account, first=True),
            "before": done.before.name,
            "publishers": list(done.publishers),
            "lacking": [{"publisher": domain, "detail": error.message} for domain, error in done.lacking],
        }
    )
    out.say(f"{done.account.name} is your hub from now on. {done.before.name} is kept as the second.")
    _next_steps(out, done)


def _next_steps(out: Output, done: Moved) -> None:
    for domain, error in done.lacking:
        out.warn(f"{domain}: {done.account.name} does not show all that you signed: {error.message}")
        out.warn(
            f"Ask its operator to run: manage.py take_over {domain} --await-publisher. Then: "
            f"hashshare publisher resend {domain}"
        )
        out.exit_code = ExitCode.ALARM
    for domain in done.publishers:
        out.say(f"Let your root drop the keys of {done.before.name}: hashshare publisher rotate hub {domain}")
    out.say(f"Once you need it no more: hashshare hub remove {done.before.name}")


def hub_json(account: Account, *, first: bool) -> dict[str, Any]:
    """As --json shows one."""
    met = contact(account.home)
    return {
        "name": account.name,
        "url": account.config.hub_url,
        "first": first,
        "organisation": dict(account.config.organisation),
        "key": account.config.key_id,
        "reached_at": write_time(met.reached_at) if met.reached_at else None,
        "failing_since": write_time(met.failing_since) if met.failing_since else None,
        "why": dict(met.why) or None,
    }

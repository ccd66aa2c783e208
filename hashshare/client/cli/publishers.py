"""`publisher init` and `publisher list create`: how a hotline begins."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hashshare.client.cli import bases, passphrases, resending
from hashshare.client.cli.output import Output, command
from hashshare.client.drafts import ListTerms
from hashshare.client.home import Home, checked_domain, split_list_name
from hashshare.client.identity import create_list, init_publisher, new_list_id
from hashshare.client.publisher import own_publishers
from hashshare.client.renewal import renew_publisher
from hashshare.client.session import Session
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import UsageError
from hashshare.wire.manifest import POLICIES, Redistribution
from hashshare.wire.vocabulary import METADATA_COLUMNS, SCHEMES

NewList = Annotated[str, typer.Argument(metavar="LIST", help="Its name, such as aurora.example/images.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    publisher = typer.Typer(help="Your publishing identity and its lists.", no_args_is_help=True)
    lists = typer.Typer(help="The lists you publish.", no_args_is_help=True)
    command(publisher, "init")(init)
    command(publisher, "renew")(renew)
    command(publisher, "renew-base")(bases.renew_base)
    command(publisher, "resend")(resending.resend)
    command(lists, "create")(create)
    publisher.add_typer(lists, name="list")
    app.add_typer(publisher, name="publisher")


def init(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your domain, as the hub's operator checked it.")],
    passphrase: Annotated[
        bool,
        typer.Option("--passphrase", help=f"Ask for a passphrase for the keys (or set {passphrases.VARIABLE})."),
    ] = False,
) -> None:
    """Make the keys that members will trust, and give the hub the root they start from."""
    made: list[bytes | None] = []

    def ask(path: Path) -> bytes | None:
        """New keys are protected once, and opened again with the same passphrase."""
        if path.is_dir():
            made.append(passphrases.to_protect(passphrase))
        return made[-1] if made else passphrases.to_open(path)

    home = Home.open()
    done = init_publisher(Session.open(home, warn=out.warn), home, domain, ask=ask, now=datetime.now(UTC))
    out.result(
        {
            "publisher": domain,
            "fingerprint": done.fingerprint,
            "keys_made": list(done.made),
            "keys": str(done.publisher.folder / "keys"),
            "job": done.job.to_json() if done.job else None,
        }
    )
    state = "is ready" if done.job else "was ready before; nothing changed"
    out.say(f"{domain} {state}. Keys (root, targets, feed) in {done.publisher.folder / 'keys'}: back them up.")
    out.fingerprint("Root fingerprint, SHA256: ", done.fingerprint)
    out.say("Publish it where members can check it without the hub: letterhead, web site, telephone.")
    out.say(f"Next: hashshare publisher list create {domain}/NAME --algorithms sha256,md5 --scheme uk-abc")


def renew(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")],
    root: Annotated[bool, typer.Option("--root", help="Renew the root even if it is not due.")] = False,
) -> None:
    """Sign targets (90 days) again, and the root (365 days) when it is due, with the hub keys as they are now."""
    home = Home.open()
    done = renew_publisher(
        Session.open(home, warn=out.warn),
        home,
        checked_domain(domain),
        ask=passphrases.to_open,
        now=datetime.now(UTC),
        with_root=root,
    )
    roles = {
        role: {"version": now.role_version, "expires": now.expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
        for role, now in done.items()
    }
    out.result({"publisher": domain, "roles": roles})
    out.say(f"{domain} is renewed.")
    out.facts([(role, f"version {facts['version']}, good until {facts['expires']}") for role, facts in roles.items()])


def create(
    out: Output,
    name: NewList,
    algorithms: Annotated[
        str, typer.Option("--algorithms", metavar="A,B...", help="Hash algorithms; the first is the key.")
    ],
    scheme: Annotated[str, typer.Option("--scheme", help=f"Classification: {', '.join(SCHEMES)}.")],
    columns: Annotated[
        str, typer.Option("--columns", metavar="C,D...", help=f"Of {', '.join(METADATA_COLUMNS)}.")
    ] = "",
    title: Annotated[str, typer.Option("--title", help="As the catalogue shows it; the name unless given.")] = "",
    description: Annotated[str, typer.Option("--description", help="A sentence for members.")] = "",
    terms: Annotated[
        Path | None, typer.Option("--terms", metavar="FILE", help="Text that members must accept.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Not shown in the catalogue.")] = False,
    redistribution: Annotated[
        str, typer.Option("--redistribution", help=f"What peers may do: {', '.join(POLICIES)}.")
    ] = "none",
    peers: Annotated[str, typer.Option("--peers", metavar="HUB,...", help="For --redistribution named.")] = "",
    poll_seconds: Annotated[int, typer.Option("--poll-seconds", min=1, help="How often members may ask.")] = 300,
) -> None:
    """Enter a list in the hub's catalogue and give it a feed key. Its first publication makes version 1."""
    home = Home.open()
    full_name = _full_name(home, name)
    if redistribution not in POLICIES:
        raise UsageError(f"--redistribution {redistribution!r} is none of {', '.join(POLICIES)}.")
    wanted = ListTerms(
        list_id=new_list_id(),
        name=full_name,
        fmt=ListFormat(_words(algorithms), scheme, _words(columns)),
        redistribution=Redistribution(redistribution, _words(peers)),
        poll_seconds=poll_seconds,
    )
    catalogue = {
        "title": title or full_name,
        "description": description,
        "terms": _text(terms),
        "visibility": "private" if private else "catalogue",
    }
    done = create_list(
        Session.open(home, warn=out.warn),
        home,
        wanted,
        catalogue=catalogue,
        ask=passphrases.to_open,
        now=datetime.now(UTC),
    )
    own = done.list
    out.result(
        {
            "list": own.name,
            "id": own.list_id,
            "algorithms": list(own.fmt.algorithms),
            "scheme": own.fmt.scheme,
            "columns": list(own.fmt.columns),
            "job": done.job.to_json() if done.job else None,
        }
    )
    out.say(f"{own.name} is {'created' if done.job else 'there already'} (id {own.list_id}).")
    out.facts([("key", own.fmt.key.name), ("header", ",".join(own.fmt.header)), ("scheme", own.fmt.scheme)])
    out.say(f"Next: hashshare publish {own.name} FILE.csv --dry-run")


def _full_name(home: Home, name: str) -> str:
    """A bare `images` belongs to the only publisher here."""
    mine = own_publishers(home)
    if "/" not in name and len(mine) == 1:
        name = f"{mine[0].domain}/{name}"
    split_list_name(name)
    return name


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _text(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None

"""`publisher init` and `publisher list create`: how a hotline begins."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hashshare.client.anew import begin_anew
from hashshare.client.ceremony import Proposed
from hashshare.client.cli import (
    bases,
    hosting,
    majors,
    officers,
    passphrases,
    redistribution,
    refreshing,
    requests,
    resending,
    rotation,
    standby_hubs,
    standing,
)
from hashshare.client.cli.officers import NoPassphrase
from hashshare.client.cli.output import Output, command
from hashshare.client.drafts import ListTerms
from hashshare.client.home import Home, checked_domain, split_list_name
from hashshare.client.hosting import is_hosted
from hashshare.client.identity import Created, Founders, create_list, init_publisher, new_list_id
from hashshare.client.officers import card_json, load_card
from hashshare.client.publisher import own_publishers
from hashshare.client.redistributing import read_policy
from hashshare.client.renewal import renew_publisher
from hashshare.client.session import Session
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import UsageError
from hashshare.wire.manifest import POLICIES
from hashshare.wire.repository.cards import MOST_OFFICERS, card_fingerprint
from hashshare.wire.vocabulary import METADATA_COLUMNS, SCHEMES

RootKey = Annotated[str, typer.Option("--root-key", metavar="URI", help="A root key in hardware.")]
TargetsKey = Annotated[str, typer.Option("--targets-key", metavar="URI", help="A targets key in hardware.")]
NewList = Annotated[str, typer.Argument(metavar="LIST", help="Its name, such as aurora.example/images.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    publisher = typer.Typer(help="Your publishing identity and its lists.", no_args_is_help=True)
    lists = typer.Typer(help="The lists you publish.", no_args_is_help=True)
    command(publisher, "init")(init)
    command(publisher, "status")(standing.show_status)
    command(publisher, "officer")(officers.officer)
    command(publisher, "sign-request")(requests.sign_request)
    command(publisher, "sign")(officers.sign)
    command(publisher, "submit")(requests.submit_files)
    command(publisher, "renew")(renew)
    command(publisher, "refresh")(refreshing.refresh)
    command(publisher, "major")(majors.give)
    command(publisher, "renew-base")(bases.renew_base)
    command(publisher, "resend")(resending.resend)
    command(publisher, "standby-hub")(standby_hubs.choose)
    command(lists, "create")(create)
    command(lists, "redistribution")(redistribution.change)
    command(lists, "host")(hosting.host)
    command(lists, "unhost")(hosting.unhost)
    publisher.add_typer(lists, name="list")
    rotation.register(publisher)
    app.add_typer(publisher, name="publisher")


def init(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your domain, as the hub's operator checked it.")],
    officer: Annotated[
        list[Path] | None, typer.Option("--officer", metavar="CARD", help="An officer's card; one option a person.")
    ] = None,
    threshold: Annotated[
        int | None, typer.Option("--threshold", metavar="M", help="How many officers must sign; else more than half.")
    ] = None,
    root_key: RootKey = "",
    targets_key: TargetsKey = "",
    feed_key: Annotated[str, typer.Option("--feed-key", metavar="URI", help="A feed key in hardware.")] = "",
    anew: Annotated[
        bool, typer.Option("--anew", help="In place of a root whose keys are lost, once the hub's operator allows it.")
    ] = False,
    no_passphrase: NoPassphrase = False,
) -> None:
    """Make the keys that members will trust, and the root they start from.

    With officers' cards, root and targets are theirs: this writes the request that they sign. Without, both have one
    key each, on this machine: enough for a trial. With --anew the lists go on, the old keys are kept aside, and each
    member has to name the new root before it follows.
    """
    founders = _founders(officer or [], threshold)
    uris = {"root": root_key, "targets": targets_key, "feed": feed_key}
    if founders and (root_key or targets_key):
        raise UsageError("With --officer the root and targets keys are the officers' own.")
    home = Home.open()
    begin = begin_anew if anew else init_publisher
    done = begin(
        Session.open(home, warn=out.warn),
        home,
        domain,
        ask=passphrases.Making(none=no_passphrase),
        now=datetime.now(UTC),
        founders=founders,
        uris={role: uri for role, uri in uris.items() if uri},
    )
    out.result(
        {
            "publisher": domain,
            "fingerprint": done.fingerprint or None,
            "officers": [card_json(card) for card in founders.cards] if founders else [],
            "keys_made": list(done.made),
            "keys": str(done.publisher.keys_folder),
            **(requests.proposed_json(done.proposed) if done.proposed else {"job": None, "request": None}),
        }
    )
    if done.proposed and done.proposed.path:
        _tell_founding(out, domain, done.proposed, founders, anew=anew)
        return
    state = "is ready" if done.job else "was ready before; nothing changed"
    out.say(f"{domain} {state}. Keys are in {done.publisher.keys_folder}: back them up.")
    if not founders and done.job:
        out.say("One key signs root, one targets, both on this machine: for a trial. See --officer for real use.")
    requests.tell_fingerprint(out, done.fingerprint)
    if anew:
        requests.tell_begun(out, done.publisher)
        return
    out.say(f"Next: hashshare publisher list create {domain}/NAME --algorithms sha256,md5 --scheme uk-abc")


def _founders(files: list[Path], threshold: int | None) -> Founders | None:
    """Raises UsageError for a threshold that makes no sense, and for one card twice."""
    if not files:
        if threshold is not None:
            raise UsageError("--threshold says how many of the --officer cards must sign; there are none.")
        return None
    cards = tuple(load_card(path) for path in files)
    number = len(cards) // 2 + 1 if threshold is None else threshold
    if len(cards) > MOST_OFFICERS or not 1 <= number <= len(cards):
        raise UsageError(f"{number} of {len(cards)} officers cannot sign; there may be {MOST_OFFICERS} at most.")
    keyids = [key.keyid for card in cards for key in (card.root, card.targets)]
    if len(set(keyids)) < len(keyids) or len({card.file_name for card in cards}) < len(cards):
        raise UsageError("Two of these cards have a key or a name in common; every officer has keys of their own.")
    return Founders(cards, number)


def _tell_founding(
    out: Output, domain: str, proposed: Proposed, founders: Founders | None, *, anew: bool = False
) -> None:
    for card in founders.cards if founders else ():
        out.fingerprint(f"{card.name:<20} card ", card_fingerprint(card.officer))
    out.say("Have each officer read their card's fingerprint to you; it must be the one above.")
    if founders and founders.threshold == len(founders.cards) > 1:
        out.warn("Every officer must sign, so one lost key is the end of this publisher. Let fewer suffice.")
    requests.tell(out, proposed)
    if anew:
        out.say("Until they have signed and you have submitted it, go on publishing as before.")
        return
    out.say(f"Lists may be created already, and are signed along: hashshare publisher list create {domain}/NAME ...")


def renew(
    out: Output,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")],
    root: Annotated[bool, typer.Option("--root", help="Renew the root even if it is not due.")] = False,
) -> None:
    """Sign targets (90 days) again, and the root (365 days) when it is due, with the hub keys as they are now.

    Where the keys are with officers, this writes the request that they sign.
    """
    home = Home.open()
    done = renew_publisher(
        Session.open(home, warn=out.warn),
        home,
        checked_domain(domain),
        ask=passphrases.to_open,
        now=datetime.now(UTC),
        with_root=root,
    )
    roles = requests.proposed_json(done)["roles"]
    out.result({"publisher": domain, **requests.proposed_json(done)})
    if done.path is None:
        out.say(f"{domain} is renewed.")
    out.facts([(role, f"version {facts['version']}, good until {facts['expires']}") for role, facts in roles.items()])
    requests.tell(out, done)


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
    policy: Annotated[
        str, typer.Option("--redistribution", help=f"What other hubs may do: {', '.join(POLICIES)}.")
    ] = "none",
    peers: redistribution.Peers = "",
    not_in: redistribution.NotIn = "",
    poll_seconds: Annotated[int, typer.Option("--poll-seconds", min=1, help="How often members may ask.")] = 300,
    deadline_hours: Annotated[
        int, typer.Option("--deadline-hours", min=1, max=8_760, help="For members to apply a withdrawal; said once.")
    ] = 24,
    hosted: Annotated[
        bool, typer.Option("--hosted", help="The hub keeps its key and signs what two of your analysts agree to.")
    ] = False,
) -> None:
    """Enter a list in the hub's catalogue and give it a feed key. Its first publication makes version 1."""
    home = Home.open()
    full_name = _full_name(home, name)
    wanted = ListTerms(
        list_id=new_list_id(),
        name=full_name,
        fmt=ListFormat(redistribution.words(algorithms), scheme, redistribution.words(columns)),
        redistribution=read_policy(policy, peers=redistribution.words(peers), not_in=redistribution.words(not_in)),
        poll_seconds=poll_seconds,
    )
    catalogue = {
        "title": title or full_name,
        "description": description,
        "terms": _text(terms),
        "visibility": "private" if private else "catalogue",
        "deadline_hours": deadline_hours,
    }
    done = create_list(
        Session.open(home, warn=out.warn),
        home,
        wanted,
        catalogue=catalogue,
        ask=passphrases.to_open,
        now=datetime.now(UTC),
        hosted=hosted,
    )
    _tell_created(out, done, hosted=hosted)


def _tell_created(out: Output, done: Created, *, hosted: bool) -> None:
    own = done.list
    out.result(
        {
            "list": own.name,
            "id": own.list_id,
            "algorithms": list(own.fmt.algorithms),
            "scheme": own.fmt.scheme,
            "columns": list(own.fmt.columns),
            "hosted": is_hosted(own) or hosted,
            "job": done.job.to_json() if done.job else None,
            "request": str(done.proposed.path) if done.proposed and done.proposed.path else None,
        }
    )
    out.say(f"{own.name} is {'created' if done.proposed else 'there already'} (id {own.list_id}).")
    out.facts([("key", own.fmt.key.name), ("header", ",".join(own.fmt.header)), ("scheme", own.fmt.scheme)])
    if done.proposed and done.proposed.path:
        requests.tell(out, done.proposed)
    elif hosted:
        out.say("The hub keeps its key. Next: two of your analysts sign in to the hub and upload a file.")
    else:
        out.say(f"Next: hashshare publish {own.name} FILE.csv --dry-run")


def _full_name(home: Home, name: str) -> str:
    """A bare `images` belongs to the only publisher here."""
    mine = own_publishers(home)
    if "/" not in name and len(mine) == 1:
        name = f"{mine[0].domain}/{name}"
    split_list_name(name)
    return name


def _text(path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None

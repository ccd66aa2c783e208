"""`publisher rotate`, `revoke`, `recover`, `signed`: keys that are changed, stolen or lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from hashshare.client.ceremony import keep_cards, kept_cards
from hashshare.client.cli import passphrases, requests
from hashshare.client.cli.officers import NoPassphrase
from hashshare.client.cli.output import Output, command, count, short
from hashshare.client.home import Home, checked_domain
from hashshare.client.officers import load_card
from hashshare.client.publisher import OwnPublisher
from hashshare.client.recovery import Recovered, recover
from hashshare.client.rotation import (
    OFFICERS,
    Desk,
    Rotated,
    give_to_officers,
    rotate_feed,
    rotate_hub,
    rotate_officers,
    rotate_own,
)
from hashshare.client.session import Session
from hashshare.client.signatures import OfficersSignatures, Signature, officers_signatures, signatures
from hashshare.client.successors import Exchange, exchanges
from hashshare.wire.errors import ExitCode, UsageError
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.repository.cards import OfficerCard

RECENT = timedelta(days=30)

Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="Your publishing identity.")]
NewKey = Annotated[str, typer.Option("--new-key", metavar="URI", help="A key in hardware that shall follow.")]
FeedKey = Annotated[str, typer.Option("--key", metavar="KEYID", help="Another feed key than this machine's.")]
Old = Annotated[
    list[str] | None,
    typer.Option("--in-place-of", metavar="WHO", help="An officer's name or key id; repeat for several."),
]
Cards = Annotated[
    list[Path] | None,
    typer.Option("--card", metavar="FILE", help="The card of who follows, in the order of --in-place-of."),
]
Threshold = Annotated[
    int | None,
    typer.Option("--threshold", metavar="M", min=1, help="How many of all officers must sign; else more than half."),
]
Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], metavar="DATE", help="Look at releases from then on (30 days)."),
]


def register(publisher: typer.Typer) -> None:
    """Add the commands to `publisher`."""
    rotate = typer.Typer(help="Replace a key by a new one.", no_args_is_help=True)
    command(rotate, "feed")(rotate_feed_key)
    command(rotate, "targets")(rotate_targets_key)
    command(rotate, "root")(rotate_root_key)
    command(rotate, "hub")(rotate_hub_keys)
    publisher.add_typer(rotate, name="rotate")
    revoke = typer.Typer(help="Put a stolen key out of use at once.", no_args_is_help=True)
    command(revoke, "feed")(revoke_feed)
    command(revoke, "officer")(revoke_officer)
    publisher.add_typer(revoke, name="revoke")
    command(publisher, "recover")(recover_publisher)
    command(publisher, "signed")(signed)


# --- rotate ------------------------------------------------------------------------------------------------------


def rotate_feed_key(
    out: Output,
    domain: Domain,
    key: FeedKey = "",
    new_key: NewKey = "",
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new feed key, made here; the lists' releases are signed by it, and the old one is out from that moment."""
    desk = _desk(out, domain, no_passphrase)
    _tell(out, desk, rotate_feed(desk, old=key or None, uri=new_key), what="feed")


def rotate_targets_key(
    out: Output,
    domain: Domain,
    old: Old = None,
    card: Cards = None,
    new_key: NewKey = "",
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new targets key: this machine's, or officers' by their new cards."""
    _rotate_role(out, _desk(out, domain, no_passphrase), "targets", old or [], card or [], new_key)


def rotate_root_key(
    out: Output,
    domain: Domain,
    old: Old = None,
    card: Cards = None,
    threshold: Threshold = None,
    new_key: NewKey = "",
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new root key: this machine's, or both keys of officers by their new cards. Cards alone, without --in-place-of,
    give root and targets to these officers.
    """
    desk = _desk(out, domain, no_passphrase)
    if card and not old:
        cards = [load_card(path) for path in card]
        done = give_to_officers(desk, cards, threshold=threshold or len(cards) // 2 + 1)
        keep_cards(desk.mine, cards)
        _tell(out, desk, done, what="root and targets")
        return
    if threshold is not None:
        raise UsageError("--threshold goes with the cards of all officers, without --in-place-of.")
    _rotate_role(out, desk, "root", old or [], card or [], new_key)


def _rotate_role(out: Output, desk: Desk, role: str, old: list[str], card: list[Path], uri: str) -> None:
    if not old and not card:
        _tell(out, desk, rotate_own(desk, role, uri=uri), what=role)
        return
    if uri or len(card) != len(old):
        raise UsageError("Give one --card for each --in-place-of, or --new-key for the key that is here.")
    cards = [load_card(path) for path in card]
    roles = OFFICERS if role == "root" else (role,)
    _exchange(out, desk, exchanges(desk, list(zip(old, cards, strict=True)), roles=roles), cards, what=role)


def rotate_hub_keys(out: Output, domain: Domain) -> None:
    """A root that names the keys which the hub has now: after it replaced its key or its standby."""
    desk = _desk(out, domain, no_passphrase=True)
    _tell(out, desk, rotate_hub(desk), what="hub")


# --- revoke ------------------------------------------------------------------------------------------------------


def revoke_feed(
    out: Output,
    domain: Domain,
    key: FeedKey = "",
    new_key: NewKey = "",
    since: Since = None,
    no_passphrase: NoPassphrase = False,
) -> None:
    """A stolen feed key: out at once, replaced by a new one; then what was published that was not signed here."""
    desk = _desk(out, domain, no_passphrase, urgent=True)
    done = rotate_feed(desk, old=key or None, uri=new_key)
    found = signatures(desk.session, desk.mine, since=_moment(since, desk.now))
    _tell(out, desk, done, what="feed", more=_signed_json(found))
    out.say(
        "With it a thief could sign releases of these lists; to hand them to the hub takes your organisation key too."
    )
    out.say("If the machine was broken into, that key is stolen as well: have it revoked at once.")
    _tell_signed(out, desk.mine, found)


def revoke_officer(
    out: Output,
    domain: Domain,
    who: Annotated[list[str], typer.Argument(metavar="WHO", help="An officer's name, or the key id of one key.")],
    card: Cards = None,
) -> None:
    """A stolen officer's key: out at once, replaced by a card's if one is given."""
    desk = _desk(out, domain, no_passphrase=True, urgent=True)
    cards = [load_card(path) for path in card or []]
    if cards and len(cards) != len(who):
        raise UsageError("Give one --card for each officer, or none.")
    pairs = [(name, cards[place] if cards else None) for place, name in enumerate(who)]
    gone = exchanges(desk, pairs, roles=OFFICERS)
    _exchange(out, desk, gone, cards, what="officer's")
    keyids = {old for role in gone for old, _ in gone[role]}
    so_far = [f"{row.role} {row.version}" for row in _officers(desk) if keyids & set(row.keyids)]
    out.say(f"These keys have signed so far: {', '.join(so_far) or 'nothing that the hub has'}.")
    out.say("One officer's keys alone sign nothing where several have to sign.")
    out.say("If the thief has as many as that, tell the hub's operator and your members now, by another channel.")
    out.say(f"What was published and not signed here: hashshare publisher signed {domain}")


# --- recover -----------------------------------------------------------------------------------------------------


def recover_publisher(
    out: Output,
    domain: Domain,
    root: Annotated[str, typer.Option("--root", metavar="FINGERPRINT", help="From your own records, not the hub's.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FOLDER", help="A backup with the root and targets keys.")
    ] = None,
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new machine in place of one that was lost: everything but keys from the hub, verified, and a new feed key."""
    if keys is not None and not keys.is_dir():
        raise UsageError(f"There is no folder {keys}.")
    desk = _desk(out, domain, no_passphrase)
    done = recover(desk, fingerprint=parse_fingerprint(root), backup=keys)
    _tell(out, desk, done.rotated, what="feed", more=_recovered_json(done))
    _tell_recovered(out, done)


def _recovered_json(done: Recovered) -> dict[str, Any]:
    return {
        "recovered": [own.name for own in done.lists],
        "declared": list(done.declared),
        "unknown": list(done.unknown),
    }


def _tell_recovered(out: Output, done: Recovered) -> None:
    for own in done.lists:
        how = "on the hub's word: it has no release yet" if own.name in done.declared else "as its signed manifest says"
        out.say(f"{own.name}   {how}")
    for list_id in done.unknown:
        out.warn(f"The list {list_id} is delegated, but the hub shows no list of that id.")
    if not done.rotated.waits and done.lists:
        out.say(f"Next: hashshare publish {done.lists[0].name} FILE.csv --dry-run")


# --- signed ------------------------------------------------------------------------------------------------------


def signed(out: Output, domain: Domain, since: Since = None) -> None:
    """What the hub published of your lists and whether this machine signed it; exit 4 for what it did not."""
    desk = _desk(out, domain, no_passphrase=True)
    desk.stands()
    found, officers = signatures(desk.session, desk.mine, since=_moment(since, desk.now)), _officers(desk)
    out.result({"publisher": domain, **_signed_json(found), "officers": [row.to_json() for row in officers]})
    called = names(desk.mine)
    out.facts([(f"{row.role} {row.version}", ", ".join(map(called, row.keyids))) for row in officers])
    _tell_signed(out, desk.mine, found)
    if any(row.here is False for row in found):
        out.exit_code = ExitCode.VERIFICATION


def _officers(desk: Desk) -> list[OfficersSignatures]:
    return officers_signatures(desk.session, desk.mine)


def names(mine: OwnPublisher) -> Callable[[str], str]:
    """What to call a key id: its officer's name where a card is here."""
    known = {keyid: card.name for card in kept_cards(mine) for keyid in (card.root.keyid, card.targets.keyid)}
    return lambda keyid: known.get(keyid) or f"key {short(keyid)}"


def _signed_json(found: list[Signature]) -> dict[str, Any]:
    return {"signatures": [row.to_json() for row in found]}


def _tell_signed(out: Output, mine: OwnPublisher, found: list[Signature]) -> None:
    foreign = [row for row in found if row.here is False]
    unknown = [row for row in found if row.here is None and row.version is not None]
    if unknown:
        out.say(f"{count(len(unknown), 'release')} from before this machine kept a record; compare with your own.")
    if not foreign:
        out.say(f"Nothing was published of {mine.domain} that this machine has a record of not having signed.")
        return
    out.warn(f"{count(len(foreign), 'signature')} of {mine.domain} not made on this machine:")
    headings = ("LIST", "RELEASE", "SIGNATURE", "ADDED OR CHANGED", "WITHDRAWN", "WHEN", "KEY")
    out.table(headings, [_row(row) for row in foreign], right=(1, 2, 3, 4))
    released = [row for row in foreign if row.version is not None]
    for name in dict.fromkeys(row.name for row in released):
        last = min(row.version or 0 for row in released if row.name == name) - 1
        out.say(f"What it changed: hashshare changes {name} --since {max(last, 1)}")
        out.say(
            f"The way back:    hashshare publish {name} FILE.csv --reason incorrect --reinstate-since {max(last, 1)}"
        )


def _row(row: Signature) -> tuple[str, ...]:
    release = "refresh" if row.version is None else str(row.version)
    counts = ("", "") if row.version is None else (count(row.upserts), count(row.withdrawals))
    return (row.name, release, str(row.role_version), *counts, row.at, short(row.keyid) or "no longer served")


# --- shared ------------------------------------------------------------------------------------------------------


def _desk(out: Output, domain: str, no_passphrase: bool, *, urgent: bool = False) -> Desk:
    home = Home.open()
    mine = OwnPublisher(home, checked_domain(domain))
    ask = passphrases.Making(none=no_passphrase)
    return Desk(Session.open(home, warn=out.warn), mine, ask, datetime.now(UTC), urgent=urgent)


def _moment(since: datetime | None, now: datetime) -> datetime:
    return now - RECENT if since is None else since.replace(tzinfo=UTC)


def _exchange(out: Output, desk: Desk, found: Exchange, cards: list[OfficerCard], *, what: str) -> None:
    known = tuple(card.officer for card in (*kept_cards(desk.mine), *cards))
    done = rotate_officers(desk, found, officers=known)
    keep_cards(desk.mine, cards)
    _tell(out, desk, done, what=what)


def _tell(out: Output, desk: Desk, done: Rotated, *, what: str, more: dict[str, Any] | None = None) -> None:
    proposed = requests.proposed_json(done.proposed) if done.proposed else {"job": None, "request": None}
    out.result(
        {
            "publisher": desk.mine.domain,
            "rotated": what,
            "removed": list(done.removed),
            "added": list(done.added),
            "lists": list(done.lists),
            "retired": [{"keyid": key.keyid, "kept": str(key.place)} for key in done.retired],
            **proposed,
            **(more or {}),
        }
    )
    if not done.removed and not done.added:
        out.say(f"Nothing to replace: {desk.mine.domain} stands as it should.")
    else:
        out.say(f"{desk.mine.domain}: {_state(done, what)}.")
        out.facts([*((short(keyid), "out") for keyid in done.removed), *((short(keyid), "in") for keyid in done.added)])
    if done.proposed:
        requests.tell(out, done.proposed)
    if done.waits:
        out.say("Until then the old key signs as before.")
    requests.tell_retired(out, desk.mine)


def _state(done: Rotated, what: str) -> str:
    became = "replaced" if done.added else "put out of use"
    return f"{what} keys {f'will be {became} once officers have signed' if done.waits else became}"

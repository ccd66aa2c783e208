"""`publisher rotate` and `publisher revoke`: keys that are changed, or stolen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hashshare.client.cards import keep_cards, kept_cards
from hashshare.client.cli import recovering
from hashshare.client.cli import signatures as signing
from hashshare.client.cli.desks import Domain, open_desk, tell
from hashshare.client.cli.officers import NoPassphrase
from hashshare.client.cli.output import Output, command
from hashshare.client.desk import OFFICERS, Desk
from hashshare.client.exchanging import Exchange, give_to_officers, rotate_officers, rotate_own
from hashshare.client.officers import load_card
from hashshare.client.rotation import rotate_feed, rotate_hub
from hashshare.client.signatures import officers_signatures, signatures
from hashshare.client.successors import exchanges
from hashshare.wire.errors import UsageError
from hashshare.wire.repository.cards import OfficerCard

NewKey = Annotated[str, typer.Option("--new-key", metavar="URI", help="A key in hardware that shall follow.")]
FeedKey = Annotated[str, typer.Option("--key", metavar="KEYID", help="Another feed key than this machine's.")]
Old = Annotated[
    list[str] | None,
    typer.Option(
        "--in-place-of", metavar="WHO", help="An officer's name or a word of it, or a key id; repeat for several."
    ),
]
Cards = Annotated[
    list[Path] | None,
    typer.Option("--card", metavar="FILE", help="The card of who follows, in the order of --in-place-of."),
]
Threshold = Annotated[
    int | None,
    typer.Option("--threshold", metavar="M", min=1, help="How many of all officers must sign; else more than half."),
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
    command(publisher, "recover")(recovering.recover_publisher)
    command(publisher, "signed")(signing.signed)


# --- rotate -------------------------------------------------------------------------------------------------------


def rotate_feed_key(
    out: Output,
    domain: Domain,
    key: FeedKey = "",
    new_key: NewKey = "",
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new feed key, made here; the lists' releases are signed by it, and the old one is out from that moment."""
    desk = open_desk(out, domain, no_passphrase)
    tell(out, desk, rotate_feed(desk, old=key or None, uri=new_key), what="feed")


def rotate_targets_key(
    out: Output,
    domain: Domain,
    old: Old = None,
    card: Cards = None,
    new_key: NewKey = "",
    no_passphrase: NoPassphrase = False,
) -> None:
    """A new targets key: this machine's, or officers' by their new cards."""
    _rotate_role(out, open_desk(out, domain, no_passphrase), "targets", old or [], card or [], new_key)


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
    desk = open_desk(out, domain, no_passphrase)
    if card and not old:
        cards = [load_card(path) for path in card]
        done = give_to_officers(desk, cards, threshold=threshold or len(cards) // 2 + 1)
        keep_cards(desk.mine, cards)
        tell(out, desk, done, what="root and targets")
        return
    if threshold is not None:
        raise UsageError("--threshold goes with the cards of all officers, without --in-place-of.")
    _rotate_role(out, desk, "root", old or [], card or [], new_key)


def _rotate_role(out: Output, desk: Desk, role: str, old: list[str], card: list[Path], uri: str) -> None:
    if not old and not card:
        tell(out, desk, rotate_own(desk, role, uri=uri), what=role)
        return
    if uri or len(card) != len(old):
        raise UsageError("Give one --card for each --in-place-of, or --new-key for the key that is here.")
    cards = [load_card(path) for path in card]
    roles = OFFICERS if role == "root" else (role,)
    _exchange(out, desk, exchanges(desk, list(zip(old, cards, strict=True)), roles=roles), cards, what=role)


def rotate_hub_keys(out: Output, domain: Domain) -> None:
    """A root that names the keys which the hub has now: after it replaced its key or its standby."""
    desk = open_desk(out, domain, no_passphrase=True)
    tell(out, desk, rotate_hub(desk), what="hub")


# --- revoke -------------------------------------------------------------------------------------------------------


def revoke_feed(
    out: Output,
    domain: Domain,
    key: FeedKey = "",
    new_key: NewKey = "",
    since: signing.Since = None,
    no_passphrase: NoPassphrase = False,
) -> None:
    """A stolen feed key: out at once, replaced by a new one; then what was published that was not signed here."""
    desk = open_desk(out, domain, no_passphrase, urgent=True)
    done = rotate_feed(desk, old=key or None, uri=new_key)
    found = signatures(desk.session, desk.mine, since=signing.moment(since, desk.now))
    tell(out, desk, done, what="feed", more=signing.signed_json(found))
    out.say(
        "With it a thief could sign releases of these lists; to hand them to the hub takes your organisation key too."
    )
    out.say("If the machine was broken into, that key is stolen as well: have it revoked at once.")
    signing.tell_signed(out, desk.mine, found)


def revoke_officer(
    out: Output,
    domain: Domain,
    who: Annotated[list[str], typer.Argument(metavar="WHO", help="An officer's name, or the key id of one key.")],
    card: Cards = None,
) -> None:
    """A stolen officer's key: out at once, replaced by a card's if one is given."""
    desk = open_desk(out, domain, no_passphrase=True, urgent=True)
    cards = [load_card(path) for path in card or []]
    if cards and len(cards) != len(who):
        raise UsageError("Give one --card for each officer, or none.")
    pairs = [(name, cards[place] if cards else None) for place, name in enumerate(who)]
    gone = exchanges(desk, pairs, roles=OFFICERS)
    _exchange(out, desk, gone, cards, what="officer's")
    keyids = {old for role in gone for old, _ in gone[role]}
    so_far = [
        f"{row.role} {row.version}" for row in officers_signatures(desk.session, desk.mine) if keyids & set(row.keyids)
    ]
    out.say(f"These keys have signed so far: {', '.join(so_far) or 'nothing that the hub has'}.")
    out.say("One officer's keys alone sign nothing where several have to sign.")
    out.say("If the thief has as many as that, tell the hub's operator and your members now, by another channel.")
    out.say(f"What was published and not signed here: hashshare publisher signed {domain}")


def _exchange(out: Output, desk: Desk, found: Exchange, cards: list[OfficerCard], *, what: str) -> None:
    known = tuple(card.officer for card in (*kept_cards(desk.mine), *cards))
    done = rotate_officers(desk, found, officers=known)
    keep_cards(desk.mine, cards)
    tell(out, desk, done, what=what)

"""Make a publisher known to the hub: its keys and first root, and the feed role of each of its lists.

Each step is safe to repeat: what was made is kept before it is sent, and what the hub has is looked at before it is
sent again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.signer import Key, SSlibKey

from hashshare.client import trust
from hashshare.client.cards import keep_cards
from hashshare.client.ceremony import Proposed, other_root, propose
from hashshare.client.commits import Job, Watch
from hashshare.client.drafts import ListTerms
from hashshare.client.home import Home, read_json, split_list_name
from hashshare.client.hosted_keys import offered_key
from hashshare.client.officers import make_keys
from hashshare.client.publisher import (
    KEY_ROLES,
    AskPassphrase,
    OwnList,
    OwnPublisher,
    find_list,
    own_key,
    save_list,
    save_words,
)
from hashshare.client.session import Session
from hashshare.client.standing import Standing, standing
from hashshare.client.waiting import another_waits, open_request
from hashshare.wire import keys
from hashshare.wire.errors import Conflict, HashshareError, NetworkError, NotEntitled, NotFound, UsageError
from hashshare.wire.repository import (
    create_root,
    create_targets,
    delegate_list,
    list_ids,
    read_role,
    root_fingerprint,
)
from hashshare.wire.repository.cards import OfficerCard
from hashshare.wire.repository.requests import SigningRequest, needs


@dataclass(frozen=True, slots=True)
class Founders:
    """The officers of a publisher, any `threshold` of whom sign root and targets together."""

    cards: tuple[OfficerCard, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Initialised:
    """`made`: the roles whose keys were made just now. `fingerprint` is "" until the root is complete."""

    publisher: OwnPublisher
    fingerprint: str
    made: tuple[str, ...]
    proposed: Proposed | None

    @property
    def job(self) -> Job | None:
        """None when the hub had the root already, or officers have to sign first."""
        return self.proposed.job if self.proposed else None


def init_publisher(
    session: Session,
    home: Home,
    domain: str,
    *,
    ask: AskPassphrase,
    now: datetime,
    founders: Founders | None = None,
    uris: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> Initialised:
    """Make keys, root and targets; commit them and trust them here, or write the request for the `founders` to sign.

    Without founders root and targets have one key each, made here. `uris` name keys that lie elsewhere, by role.
    Raises NotEntitled unless the hub's operator gave us this domain, Conflict when it has another root.
    """
    mine = OwnPublisher(home, domain)
    with home.lock(f"publisher-{domain}"):
        accepted = _accepted_fingerprint(session, domain)
        if accepted:
            return _settled(mine, accepted)
        made = make_keys(mine.keys_folder, KEY_ROLES if founders is None else ("feed",), uris=uris or {}, ask=ask)
        if founders is not None:
            keep_cards(mine, founders.cards)
        roles = first_metadata(mine, hub_keys(session), founders, now=now)
        done = propose(session, mine, roles, stands=Standing(), ask=ask, now=now, watch=watch)
    fingerprint = "" if done.job is None else root_fingerprint(mine.root_path.read_bytes())
    return Initialised(mine, fingerprint, tuple(made), done)


def _settled(mine: OwnPublisher, accepted: str) -> Initialised:
    """The hub has a root: ours, which is then trusted here, or another."""
    root = mine.root_path.read_bytes() if mine.root_path.exists() else b""
    if not root or root_fingerprint(root) != accepted:
        raise other_root(mine.domain, accepted)
    trust.pin(mine.home, mine.domain, accepted)
    trust.remember_publisher(mine.home, mine.domain, root)
    return Initialised(mine, accepted, (), None)


def _accepted_fingerprint(session: Session, domain: str) -> str:
    """The fingerprint of the root that the hub holds, "" while it has none."""
    return str(publisher_record(session, domain).get("fingerprint") or "")


def publisher_record(session: Session, domain: str) -> dict[str, Any]:
    """What the hub says of our publisher: {fingerprint, anew_until, ...}; empty while it has no root."""
    try:
        return dict(session.get_json(f"publishers/{domain}"))
    except NotFound:
        return {}
    except NotEntitled as error:
        raise NotEntitled(
            f"{domain} is not a publisher of your organisation at this hub.",
            next_step="The hub's operator enters it after checking that you control the domain.",
        ) from error


def hub_keys(session: Session) -> list[Key]:
    """The hub's two keys for snapshot and timestamp: one in use, one on standby."""
    descriptor = session.get_json("/.well-known/hashshare")
    return [hub_key(entry) for entry in descriptor["keys"]]


def hub_key(entry: Mapping[str, Any]) -> Key:
    """One of the descriptor's keys. Raises UsageError for a kind that this version does not know."""
    kind, public = (entry.get("keytype"), entry.get("scheme")), entry["keyval"]["public"]
    if kind == ("ed25519", "ed25519"):
        return keys.tuf_key(bytes.fromhex(public))
    if kind == ("ecdsa", "ecdsa-sha2-nistp256"):
        return SSlibKey.from_crypto(load_pem_public_key(str(public).encode()))
    raise UsageError("The hub signs with a kind of key that this version of hashshare does not know.")


def first_metadata(
    mine: OwnPublisher, named: list[Key], founders: Founders | None, *, now: datetime
) -> dict[str, bytes]:
    """Root and targets version 1, unsigned; those that an unfinished attempt completed while they still fit."""
    if founders is None:
        root_keys: list[Key] = [own_key(mine, "root").public]
        targets_keys: list[Key] = [own_key(mine, "targets").public]
    else:
        root_keys, targets_keys = [card.root for card in founders.cards], [card.targets for card in founders.cards]
    if mine.root_path.exists() and mine.targets_path.exists():
        root, targets = mine.root_path.read_bytes(), mine.targets_path.read_bytes()
        if _fits(root, targets, [*named, *root_keys, *targets_keys], now=now):
            return {"root": root, "targets": targets}
    root = create_root(
        root_keys=root_keys,
        targets_keys=targets_keys,
        hub_keys=named,
        threshold=1 if founders is None else founders.threshold,
        signers=[],
        now=now,
    )
    return {"root": root, "targets": create_targets(signers=[], now=now)}


def _fits(root: bytes, targets: bytes, named: list[Key], *, now: datetime) -> bool:
    """Not expired, and of these keys."""
    file = read_role("root", root)
    fresh = min(file.expires, read_role("targets", targets).expires) > now
    return fresh and file.signed.keys.keys() == {key.keyid for key in named}


# --- lists -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Created:
    """A list made known to the hub. `proposed` is None when its feed role was delegated before."""

    list: OwnList
    proposed: Proposed | None

    @property
    def job(self) -> Job | None:
        return self.proposed.job if self.proposed else None


def create_list(
    session: Session,
    home: Home,
    terms: ListTerms,
    *,
    catalogue: Mapping[str, Any],
    ask: AskPassphrase,
    now: datetime,
    watch: Watch | None = None,
    hosted: bool = False,
) -> Created:
    """Enter the list in the hub's catalogue and give it a feed role signed by the publisher's targets key.

    `catalogue`: title, description, terms, visibility. `hosted`: the feed key is one that the hub keeps. An unfinished
    attempt is continued under the id chosen then, so `terms.list_id` holds only the first time. Raises Conflict when
    the list exists under another id.
    """
    domain, slug = split_list_name(terms.name)
    mine = OwnPublisher(home, domain)
    with home.lock(f"publisher-{domain}"):
        own = _kept_list(mine, slug, terms)
        if enter_in_catalogue(session, own, catalogue):
            # A hub that is restored from a backup of before may have to be told again (client.resending).
            save_words(own, catalogue)
        return Created(own, _delegate(session, own, ask, now=now, watch=watch, hosted=hosted))


def new_list_id() -> str:
    """Random, so that it tells nothing about the list: every member of a publisher sees the ids of all its lists."""
    return secrets.token_hex(8)


def _kept_list(mine: OwnPublisher, slug: str, terms: ListTerms) -> OwnList:
    if read_json(mine.list_path(slug)) is None:
        return save_list(mine, slug, terms)
    own = find_list(mine.home, terms.name)
    if own.terms.fmt != terms.fmt:
        raise UsageError(f"{terms.name} was created with other algorithms, another scheme or other columns.")
    return own


def enter_in_catalogue(session: Session, own: OwnList, catalogue: Mapping[str, Any]) -> bool:
    """Make the list known to the hub; False if it is known under this id. Raises Conflict if it is under another."""
    body = {
        "publisher": own.publisher.domain,
        "slug": own.slug,
        "id": own.list_id,
        "algorithms": list(own.fmt.algorithms),
        "scheme": own.fmt.scheme,
        "columns": list(own.fmt.columns),
        "redistribution": own.terms.redistribution.to_json(),
        "poll_seconds": own.terms.poll_seconds,
        **catalogue,
    }
    try:
        session.send("POST", "lists", json=body)
        return True
    except HashshareError as error:
        there = id_at_hub(session, own)
        if isinstance(error, Conflict) and there == own.list_id:
            return False
        if there is not None and there != own.list_id:
            # Refused for what it says, and the next attempt may say something else: the id was never used.
            own.publisher.list_path(own.slug).unlink(missing_ok=True)
        raise


def id_at_hub(session: Session, own: OwnList) -> str | None:
    """The id under which the hub has a list of this name, "" if it has none, None if it cannot be asked."""
    try:
        return str(session.get_json(f"lists/{own.publisher.domain}/{own.slug}").get("id"))
    except NetworkError:
        return None
    except HashshareError:
        return ""


def _delegate(
    session: Session, own: OwnList, ask: AskPassphrase, *, now: datetime, watch: Watch | None, hosted: bool
) -> Proposed | None:
    """Propose the list's feed role; together with what waits for officers, as long as none has signed that."""
    mine = own.publisher
    stands = standing(session, mine)
    if stands.targets is not None and own.list_id in list_ids(stands.targets):
        return None
    feed = offered_key(session, own) if hosted else own_key(mine, "feed").public
    waiting = open_request(mine, stands, now=now)
    if waiting is not None:
        roles = _beside(mine, waiting, own, feed, now=now, hosted=hosted)
        return propose(session, mine, roles, stands=stands, ask=ask, now=now, instead=True, watch=watch)
    if stands.targets is None:
        raise UsageError(f"{mine.domain} has no root yet.", next_step=f"Run: hashshare publisher init {mine.domain}")
    roles = {"targets": _with_list(stands.targets, own, feed, now=now, amend=False, hosted=hosted)}
    return propose(session, mine, roles, stands=stands, ask=ask, now=now, watch=watch)


def _beside(
    mine: OwnPublisher, waiting: SigningRequest, own: OwnList, feed: Key, *, now: datetime, hosted: bool
) -> dict[str, bytes]:
    """What waits for officers and the list's role. Raises Conflict once somebody has signed without it."""
    targets = waiting.roles.get("targets")
    if targets is not None and own.list_id in list_ids(targets):
        return dict(waiting.roles)
    if any(need.signed for need in needs(waiting)):
        raise another_waits(mine, waiting)
    stood = targets or waiting.targets or b""
    amend = targets is not None
    return {**waiting.roles, "targets": _with_list(stood, own, feed, now=now, amend=amend, hosted=hosted)}


def _with_list(targets: bytes, own: OwnList, feed: Key, *, now: datetime, amend: bool, hosted: bool) -> bytes:
    return delegate_list(targets, list_id=own.list_id, keys=[feed], signers=[], now=now, amend=amend, hosted=hosted)

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
from hashshare.client.commits import Job, Watch, commit, wait
from hashshare.client.drafts import ListTerms
from hashshare.client.home import Home, read_json, split_list_name, write_atomic
from hashshare.client.publisher import (
    AskPassphrase,
    OwnList,
    OwnPublisher,
    create_keys,
    find_list,
    save_list,
    signer,
)
from hashshare.client.session import Session
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


@dataclass(frozen=True, slots=True)
class Initialised:
    """`made`: the roles whose keys were made just now. `job` is None when the hub had the root already."""

    publisher: OwnPublisher
    fingerprint: str
    made: tuple[str, ...]
    job: Job | None


def init_publisher(
    session: Session, home: Home, domain: str, *, ask: AskPassphrase, now: datetime, watch: Watch | None = None
) -> Initialised:
    """Make keys, root and targets, commit them, and trust them here.

    Raises NotEntitled unless the hub's operator gave us this domain, Conflict when it has another root.
    """
    mine = OwnPublisher(home, domain)
    with home.lock(f"publisher-{domain}"):
        accepted = _accepted_fingerprint(session, domain)
        if accepted and not mine.root_path.exists():
            raise _other_root(domain, accepted)
        made = create_keys(mine, ask)
        root, targets = _first_metadata(mine, hub_keys(session), ask, now=now, settled=bool(accepted))
        fingerprint = root_fingerprint(root)
        if accepted and accepted != fingerprint:
            raise _other_root(domain, accepted)
        job = None
        if not accepted:
            job = commit(session, domain, {"root": root, "targets": targets}, follows=0)
            job = wait(session, job.id, watch=watch)
        trust.pin(home, domain, fingerprint)
        trust.remember_publisher(home, domain, root)
    return Initialised(mine, fingerprint, tuple(made), job)


def _accepted_fingerprint(session: Session, domain: str) -> str:
    """The fingerprint of the root that the hub holds, "" while it has none."""
    try:
        answer = session.get_json(f"publishers/{domain}")
    except NotFound:
        return ""
    except NotEntitled as error:
        raise NotEntitled(
            f"{domain} is not a publisher of your organisation at this hub.",
            next_step="The hub's operator enters it after checking that you control the domain.",
        ) from error
    return str(answer.get("fingerprint") or "")


def _other_root(domain: str, accepted: str) -> Conflict:
    return Conflict(
        f"{domain} has a root already, and it was not made on this machine.",
        next_step="Work where its keys are, or restore the folder that holds them.",
        fingerprint=accepted,
    )


def hub_keys(session: Session) -> list[Key]:
    """The hub's two keys for snapshot and timestamp: one in use, one on standby."""
    descriptor = session.get_json("/.well-known/hashshare")
    return [_hub_key(entry) for entry in descriptor["keys"]]


def _hub_key(entry: Mapping[str, Any]) -> Key:
    kind, public = (entry.get("keytype"), entry.get("scheme")), entry["keyval"]["public"]
    if kind == ("ed25519", "ed25519"):
        return keys.tuf_key(bytes.fromhex(public))
    if kind == ("ecdsa", "ecdsa-sha2-nistp256"):
        return SSlibKey.from_crypto(load_pem_public_key(str(public).encode()))
    raise UsageError("The hub signs with a kind of key that this version of hashshare does not know.")


def _first_metadata(
    mine: OwnPublisher, named: list[Key], ask: AskPassphrase, *, now: datetime, settled: bool
) -> tuple[bytes, bytes]:
    """Root and targets version 1 as made before, or made now.

    Unless `settled` (the hub has them), a pair is made anew once it no longer fits: expired, or naming other hub keys.
    """
    if mine.root_path.exists() and mine.targets_path.exists():
        root, targets = mine.root_path.read_bytes(), mine.targets_path.read_bytes()
        if settled or _fits(root, targets, named, now=now):
            return root, targets
    root_signer, targets_signer = signer(mine, "root", ask), signer(mine, "targets", ask)
    root = create_root(
        root_keys=[root_signer.public_key],
        targets_keys=[targets_signer.public_key],
        hub_keys=named,
        signers=[root_signer],
        now=now,
    )
    targets = create_targets(signers=[targets_signer], now=now)
    write_atomic(mine.targets_path, targets)
    write_atomic(mine.root_path, root)
    return root, targets


def _fits(root: bytes, targets: bytes, named: list[Key], *, now: datetime) -> bool:
    file = read_role("root", root)
    keyids = set(file.signed.roles["timestamp"].keyids)
    fresh = min(file.expires, read_role("targets", targets).expires) > now
    return fresh and keyids == {key.keyid for key in named}


# --- lists -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Created:
    """A list made known to the hub. `job` is None when its feed role was delegated before."""

    list: OwnList
    job: Job | None


def create_list(
    session: Session,
    home: Home,
    terms: ListTerms,
    *,
    catalogue: Mapping[str, Any],
    ask: AskPassphrase,
    now: datetime,
    watch: Watch | None = None,
) -> Created:
    """Enter the list in the hub's catalogue and give it a feed role signed by the publisher's targets key.

    `catalogue`: title, description, terms, visibility. An unfinished attempt is continued under the id chosen then, so
    `terms.list_id` holds only the first time. Raises Conflict when the list exists under another id.
    """
    domain, slug = split_list_name(terms.name)
    mine = OwnPublisher(home, domain)
    with home.lock(f"publisher-{domain}"):
        own = _kept_list(mine, slug, terms)
        enter_in_catalogue(session, own, catalogue)
        return Created(own, _delegate(session, own, ask, now=now, watch=watch))


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
        there = _id_at_hub(session, own)
        if isinstance(error, Conflict) and there == own.list_id:
            return False
        if there is not None and there != own.list_id:
            # Refused for what it says, and the next attempt may say something else: the id was never used.
            own.publisher.list_path(own.slug).unlink(missing_ok=True)
        raise


def _id_at_hub(session: Session, own: OwnList) -> str | None:
    """The id under which the hub has a list of this name, "" if it has none, None if it cannot be asked."""
    try:
        return str(session.get_json(f"lists/{own.publisher.domain}/{own.slug}").get("id"))
    except NetworkError:
        return None
    except HashshareError:
        return ""


def _delegate(session: Session, own: OwnList, ask: AskPassphrase, *, now: datetime, watch: Watch | None) -> Job | None:
    mine, home = own.publisher, own.publisher.home
    trust.Repository(home, session, mine.domain).refresh()
    targets = (trust.metadata_dir(home, mine.domain) / "targets.json").read_bytes()
    if own.list_id in list_ids(targets):
        return None
    following = delegate_list(
        targets,
        list_id=own.list_id,
        keys=[signer(mine, "feed", ask).public_key],
        signers=[signer(mine, "targets", ask)],
        now=now,
    )
    version = read_role("targets", targets).version
    job = commit(session, mine.domain, {"targets": following}, follows=version)
    return wait(session, job.id, watch=watch)

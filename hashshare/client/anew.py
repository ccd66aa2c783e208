"""A publisher that lost its root begins anew under its own name, once the hub's operator allows it.

What is new is made in HOME/publisher/<domain>/anew: keys, root, targets, the request that travels to officers. All that
is here stays in use until the hub has accepted it; then the old keys are kept under dated names, the old root under
replaced/<its fingerprint>/. Lists go on, under the feed keys that they have, or one made here where none is.
Run again, or killed anywhere and run again, it carries on.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key

from hashshare.client import keyring
from hashshare.client.cards import keep_cards
from hashshare.client.ceremony import Proposed, finish, propose, submit
from hashshare.client.commits import Watch
from hashshare.client.home import Home, make_private_folder
from hashshare.client.identity import Founders, Initialised, first_metadata, hub_keys, publisher_record
from hashshare.client.officers import make_keys
from hashshare.client.publisher import AskPassphrase, OwnPublisher, find_list, own_key
from hashshare.client.repository import fetch_root
from hashshare.client.session import Session
from hashshare.client.signers import held_keys
from hashshare.client.standing import Standing, standing
from hashshare.client.waiting import load_request, open_request, waiting_requests
from hashshare.wire.errors import Conflict, UsageError
from hashshare.wire.repository import delegate_lists, list_ids, root_fingerprint
from hashshare.wire.repository.requests import SigningRequest
from hashshare.wire.repository.rotation import feed_keys, officer_keys


def begin_anew(
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
    """Another first root in the place of the one that stands, committed or as a request for the `founders`.

    Raises Conflict unless the hub's operator allows it, NotEntitled, UsageError where a list that is delegated is not
    known here.
    """
    mine = OwnPublisher(home, domain)
    new = mine.beginning
    with home.lock(f"publisher-{domain}"):
        record = publisher_record(session, domain)
        if not record.get("fingerprint"):
            raise UsageError(f"{domain} has no root at this hub yet.", next_step=f"hashshare publisher init {domain}")
        if _is_accepted(new, record):
            return _carried_on(session, mine, now=now)
        check_allowed(domain, record)
        before = standing(session, mine, root_alone=True)
        own_feed = keyring.key_here(mine, "feed")
        roles = [role for role in ("root", "targets") if founders is None] + ([] if own_feed else ["feed"])
        made = make_keys(new.keys_folder, roles, uris=uris or {}, ask=ask)
        if founders is not None:
            keep_cards(new, founders.cards)
        first = first_metadata(new, hub_keys(session), founders, now=now)
        first["targets"] = _with_lists(mine, first["targets"], before.targets, now=now)
        done = propose(session, new, first, stands=Standing(), ask=ask, now=now, watch=watch)
        fingerprint = "" if done.job is None else _settle(mine, now=now)
    return Initialised(mine, fingerprint, tuple(made), done)


def submit_beginning(
    session: Session, mine: OwnPublisher, copies: Sequence[SigningRequest], *, ask: AskPassphrase, now: datetime,
    watch: Watch | None = None,
) -> Proposed:  # fmt: skip
    """Hand in what new officers signed. The caller holds the lock. Raises as `ceremony.submit`, and Conflict."""
    record = publisher_record(session, mine.domain)
    stands = Standing()
    if root_fingerprint(copies[0].roles["root"]) == record.get("fingerprint") or _is_accepted(mine.beginning, record):
        stands = Standing((fetch_root(session, mine.domain),), copies[0].roles["targets"])
    else:
        check_allowed(mine.domain, record)
        standing(session, mine, root_alone=True)
    done = submit(session, mine.beginning, copies, ask=ask, now=now, watch=watch, stands=stands)
    if done.path is None:
        _settle(mine, now=now)
    return done


def is_beginning(mine: OwnPublisher, copies: Sequence[SigningRequest]) -> bool:
    """Whether what is handed in begins anew a publisher that was begun here before."""
    return mine.beginning.folder.is_dir() and all(not copy.chain for copy in copies)


def waiting_beginning(mine: OwnPublisher, *, now: datetime) -> SigningRequest | None:
    """The request for new officers that waits here."""
    return open_request(mine.beginning, Standing(), now=now)


def every_waiting(mine: OwnPublisher) -> list[tuple[Path, SigningRequest]]:
    """All requests that wait here, those of a new beginning, or for a restored hub, among them."""
    resent = [(path, load_request(path)) for path in sorted((mine.folder / "resent").glob("*.json"))]
    return [*waiting_requests(mine), *waiting_requests(mine.beginning), *resent]


def check_allowed(domain: str, record: Mapping[str, Any]) -> None:
    """Raises Conflict."""
    if not record.get("anew_until"):
        raise Conflict(
            f"The hub does not let {domain} begin anew. Nothing was changed.",
            next_step="Call the hub's operator, who has to find out that it is you who asks. They run: manage.py "
            f"begin_anew {domain} --root-now {record.get('fingerprint')}",
        )


def _is_accepted(new: OwnPublisher, record: Mapping[str, Any]) -> bool:
    path = new.root_path
    return path.exists() and root_fingerprint(path.read_bytes()) == record.get("fingerprint")


def _carried_on(session: Session, mine: OwnPublisher, *, now: datetime) -> Initialised:
    """The hub accepted it and this machine was stopped before it knew."""
    new = mine.beginning
    roles = {"root": new.root_path.read_bytes(), "targets": new.targets_path.read_bytes()}
    finish(session, new, SigningRequest(mine.domain, (), None, roles), now=now)
    return Initialised(mine, _settle(mine, now=now), (), None)


def _with_lists(mine: OwnPublisher, targets: bytes, before: bytes | None, *, now: datetime) -> bytes:
    """Targets that delegate every list as those before did, or to the key made here where this machine has none."""
    standing_keys = feed_keys(before) if before is not None else {}
    here = {find_list(mine.home, f"{mine.domain}/{slug}").list_id for slug in mine.slugs}
    unknown = standing_keys.keys() - here
    if unknown:
        raise UsageError(
            f"The list {min(unknown)} of {mine.domain} is not known on this machine. Nothing was changed.",
            next_step=f"Fetch what is published first: hashshare publisher recover {mine.domain} --root FINGERPRINT",
        )
    own = keyring.key_here(mine, "feed")
    given: dict[str, Sequence[Key]] = {
        list_id: keys if own is not None and own.keyid in {key.keyid for key in keys} else [_feed(mine).public]
        for list_id, keys in standing_keys.items()
    }
    if set(list_ids(targets)) == given.keys():
        return targets
    return delegate_lists(targets, keys=given, signers=[], now=now, amend=True)


def _feed(mine: OwnPublisher) -> Any:
    """The feed key of this machine, or the one that was made for the new beginning."""
    return keyring.key_here(mine, "feed") or own_key(mine.beginning, "feed")


def _settle(mine: OwnPublisher, *, now: datetime) -> str:
    """Put what is new in the place of what was, which is kept aside; the new root's fingerprint. Safe to repeat."""
    new = mine.beginning
    root = new.root_path.read_bytes()
    coming = {key.name: key for key in held_keys(new.keys_folder)}
    for role in ("root", "targets"):
        keyring.leave(mine, role, {key.keyid for key in officer_keys(root, role)}, now=now)
    for role, key in coming.items():
        keyring.leave(mine, role, {key.keyid}, now=now)
        keyring.copy_key(mine, role, key)
    if mine.root_path.exists() and root_fingerprint(mine.root_path.read_bytes()) != root_fingerprint(root):
        aside = make_private_folder(mine.folder / "replaced" / root_fingerprint(mine.root_path.read_bytes()))
        for path in (mine.folder / "officers", mine.folder / "signed-majors", mine.targets_path, mine.root_path):
            if path.exists():
                path.replace(aside / path.name)
    for path in (new.folder / "officers", new.targets_path):
        if path.exists() and not (mine.folder / path.name).exists():
            shutil.copytree(path, mine.folder / path.name) if path.is_dir() else shutil.copy2(path, mine.folder)
    shutil.copy2(new.root_path, mine.root_path)
    # Last, so that a kill before leaves everything that is needed to do it again.
    shutil.rmtree(new.folder)
    return root_fingerprint(root)

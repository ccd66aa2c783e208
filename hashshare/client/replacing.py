"""A publisher that had to start anew, its officers' keys being lost: the root that you name in place of the one held.

Never on a hub's word: `pin --replace` names the new root's fingerprint, from another channel. The root held stays in
use until everything under the new one verifies; then it is kept aside, in replaced/<its fingerprint>/, and what was
synced under it stays in use and can still be verified against it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from tuf.ngclient import Updater

from hashshare.client import trust
from hashshare.client.fetching import HubFetcher, tuf_errors_translated
from hashshare.client.home import Home, make_private_folder, naming, sync_folder, write_atomic
from hashshare.client.repository import CONFIG, fetch_root
from hashshare.client.session import Session
from hashshare.wire.errors import UsageError
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.repository.metadata import root_fingerprint


@dataclass(frozen=True, slots=True)
class Replacement:
    """`done` is false while the hub still serves the root that is to be replaced."""

    domain: str
    before: str
    after: str
    done: bool


def plan(home: Home, domain: str, fingerprint: str) -> trust.Publisher:
    """Note that the root of this fingerprint is to take the place of the one held. Raises UsageError for none held."""
    successor, known = parse_fingerprint(fingerprint), trust.publisher(home, domain)
    if known is None or not known.fingerprint or known.state == "refused":
        raise UsageError(
            f"No root of {domain} is in use here that could be replaced.",
            next_step=f"hashshare pin {domain} FINGERPRINT",
        )
    if successor == known.fingerprint:
        return trust.pin(home, domain, fingerprint)
    return trust.save_publisher(home, replace(known, successor=successor))


def carry_out(home: Home, session: Session, domain: str) -> Replacement | None:
    """Put the root that was named in its place, if the hub serves it and all under it verifies; None if none was named.

    Raises VerificationFailed for a root that is neither, the VerificationFailed tree for what is wrong under the new
    one, NetworkError; nothing has changed then.
    """
    known = trust.publisher(home, domain)
    if known is None or not known.successor:
        return None
    with home.lock(f"sync-{domain}"):
        root = fetch_root(session, domain)
        offered = root_fingerprint(root)
        if offered == known.fingerprint:
            return Replacement(domain, known.fingerprint, known.successor, done=False)
        if offered != known.successor:
            raise trust.differs(domain, offered=offered, trusted=known.successor, why="named to replace the one held")
        trust.check_root(root)
        staged = _verified(home, session, domain, root)
        _swap(home, known, root, staged)
        return Replacement(domain, known.fingerprint, known.successor, done=True)


def _verified(home: Home, session: Session, domain: str, root: bytes) -> Path:
    """Everything under the new root, fetched and checked by tuf.ngclient into a folder of its own."""
    staged = home.publisher_dir(domain) / "next"
    shutil.rmtree(staged, ignore_errors=True)
    make_private_folder(staged)
    with tuf_errors_translated(domain), naming(staged):
        Updater(
            str(staged),
            session.url(f"tuf/{domain}/metadata/"),
            fetcher=HubFetcher(session),
            config=CONFIG,
            bootstrap=root,
        ).refresh()
    return staged


def _swap(home: Home, known: trust.Publisher, root: bytes, staged: Path) -> None:
    """Copy aside what is held, then put the new in its place; the record of trust comes last, and until then a kill
    leaves a state that the next sync carries on from.
    """
    aside = trust.replaced_dir(home, known.domain) / known.fingerprint
    if root_fingerprint(trust.root_path(home, known.domain).read_bytes()) == known.fingerprint:
        shutil.rmtree(aside, ignore_errors=True)
        make_private_folder(aside)
        shutil.copy2(trust.root_path(home, known.domain), aside / "root.json")
        shutil.copytree(trust.metadata_dir(home, known.domain), aside / "metadata", symlinks=True)
    write_atomic(trust.root_path(home, known.domain), root)
    shutil.rmtree(trust.metadata_dir(home, known.domain), ignore_errors=True)
    staged.replace(trust.metadata_dir(home, known.domain))
    sync_folder(home.publisher_dir(known.domain))
    trust.save_publisher(home, trust.Publisher(known.domain, known.successor, known.successor))

"""What the hub has accepted of one's own publisher: what every change of its keys starts from."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from hashshare.client import trust
from hashshare.client.home import Home
from hashshare.client.publisher import OwnPublisher
from hashshare.client.repository import Repository
from hashshare.client.session import Session
from hashshare.wire.errors import ExpiredMetadata, NotEntitled, NotFound, VerificationFailed


@dataclass(frozen=True, slots=True)
class Standing:
    """What the hub has accepted: every root from version 1 on, and targets. Empty and None before the first commit."""

    chain: tuple[bytes, ...] = ()
    targets: bytes | None = None


def standing(session: Session, mine: OwnPublisher, *, root_alone: bool = False) -> Standing:
    """Fetch and verify what stands; what has expired stands all the same. Raises the VerificationFailed tree.

    `root_alone`: for a change of the root and nothing else, which is what mends a hub's signatures that the root does
    not cover, or no longer should: then roots are what counts, and targets are as last verified.
    """
    ignored = (ExpiredMetadata, NotFound, NotEntitled, *([VerificationFailed] if root_alone else []))
    with contextlib.suppress(*ignored):
        Repository(mine.home, session, mine.domain).refresh()
    return kept_standing(mine.home, mine.domain)


def kept_standing(home: Home, domain: str) -> Standing:
    """As last verified and kept here."""
    folder = trust.metadata_dir(home, domain)
    path = trust.root_path(home, domain)
    if not path.exists():
        return Standing()
    chain = [path.read_bytes()]
    while (following := folder / "root_history" / f"{len(chain) + 1}.root.json").exists():
        chain.append(following.read_bytes())
    targets = folder / "targets.json"
    return Standing(tuple(chain), targets.read_bytes() if targets.exists() else None)


def kept_root(home: Home, domain: str) -> bytes | None:
    """The newest root as last verified and kept here, None before the first."""
    chain = kept_standing(home, domain).chain
    return chain[-1] if chain else None

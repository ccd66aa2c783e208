"""Who may sign majors: the publisher's major role, given to its officers or, for a trial, to two keys made here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from securesystemslib.signer import Key
from tuf.api.metadata import Root, Targets

from hashshare.client.ceremony import Proposed, propose
from hashshare.client.home import Home
from hashshare.client.officers import make_keys
from hashshare.client.publisher import OwnPublisher
from hashshare.client.session import Session
from hashshare.client.signers import Ask, find_key
from hashshare.client.standing import standing
from hashshare.wire.errors import UsageError
from hashshare.wire.repository import delegate_major
from hashshare.wire.repository.metadata import MAJOR_THRESHOLD, ROOT, TARGETS, read_typed
from hashshare.wire.repository.shapes import delegates_major

TRIAL_KEYS: Final = ("major-1", "major-2")


@dataclass(frozen=True, slots=True)
class MajorKeys:
    """`proposed` is None when the role was given before; `made` are the names of keys made just now."""

    proposed: Proposed | None
    made: tuple[str, ...] = ()


def give_major_role(session: Session, home: Home, domain: str, *, ask: Ask, now: datetime) -> MajorKeys:
    """Let two of the keys that may sign targets sign majors together; where there is but one, two keys made here.

    Once given it stays; other keys are a matter of rotation. Raises UsageError before the publisher has a root.
    """
    mine = OwnPublisher(home, domain)
    with home.lock(f"publisher-{domain}"):
        stands = standing(session, mine)
        if stands.targets is None:
            raise UsageError(f"{domain} has no root yet.", next_step=f"Run: hashshare publisher init {domain}")
        if delegates_major(read_typed(TARGETS, stands.targets, Targets).signed):
            return MajorKeys(None)
        keys, threshold, made = _officers(stands.chain[-1]), MAJOR_THRESHOLD, list[str]()
        if len(keys) >= MAJOR_THRESHOLD:
            threshold = max(threshold, read_typed(ROOT, stands.chain[-1], Root).signed.roles[TARGETS].threshold)
        else:
            for name in TRIAL_KEYS:
                made += make_keys(mine.keys_folder, [name], uris={}, ask=ask)
            keys = [key.public for key in (find_key(mine.keys_folder, name) for name in TRIAL_KEYS) if key]
        targets = delegate_major(stands.targets, keys=keys, threshold=threshold, signers=[], now=now)
        done = propose(session, mine, {"targets": targets}, stands=stands, ask=ask, now=now)
    return MajorKeys(done, tuple(made))


def _officers(root: bytes) -> Sequence[Key]:
    """The officers' keys for targets."""
    signed = read_typed(ROOT, root, Root).signed
    return [signed.keys[keyid] for keyid in signed.roles[TARGETS].keyids]

"""Where a publisher's keys are changed: what stands, how a change is proposed, and what became of it.

Every change of keys is proposed like any other change (client.ceremony): committed at once where the keys here suffice,
else written as a request for officers. Which keys come and go is for `rotation` (feeds, the hub) and `exchanging`
(officers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from hashshare.client import keyring
from hashshare.client.ceremony import Proposed, propose
from hashshare.client.commits import Watch
from hashshare.client.publisher import AskPassphrase, OwnPublisher
from hashshare.client.session import Session
from hashshare.client.settling import await_other_release
from hashshare.client.signers import HeldKey
from hashshare.client.standing import Standing, standing
from hashshare.wire.errors import Conflict, UsageError
from hashshare.wire.repository.requests import Officer

Done = TypeVar("Done")

OFFICERS: Final = ("root", "targets")
"""The roles whose keys the root names for people."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """`removed` and `added` are key ids, `lists` those of a feed key. `proposed` is None when nothing had to change.

    `retired` are the replaced private keys that are still on this machine, to be destroyed once `proposed` is accepted.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    proposed: Proposed | None
    lists: tuple[str, ...] = ()
    retired: tuple[HeldKey, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether officers have to sign before it takes effect."""
        return self.proposed is not None and self.proposed.path is not None


@dataclass(frozen=True, slots=True)
class Stands:
    """What the hub has accepted of a publisher that has begun; `root` is the newest."""

    standing: Standing
    root: bytes
    targets: bytes


@dataclass(frozen=True, slots=True)
class Desk:
    """Who rotates, and how: what every rotation needs. `urgent`: a key was stolen."""

    session: Session
    mine: OwnPublisher
    ask: AskPassphrase
    now: datetime
    watch: Watch | None = None
    urgent: bool = False

    def stands(self, *, root_alone: bool = False) -> tuple[Stands, dict[str, keyring.Taken]]:
        """What the hub has accepted, after every key that it names has taken its place here: by role, those that did
        just now, since an earlier run was killed before. `root_alone`: see `standing.standing`.
        """
        found = standing(self.session, self.mine, root_alone=root_alone)
        if not found.chain or found.targets is None:
            raise UsageError(
                f"{self.mine.domain} has no root yet.", next_step=f"Run: hashshare publisher init {self.mine.domain}"
            )
        taken = keyring.take_over(self.mine, root=found.chain[-1], targets=found.targets, now=self.now)
        return Stands(found, found.chain[-1], found.targets), {one.role: one for one in taken}

    def propose(
        self, roles: Mapping[str, bytes], stands: Stands, officers: Sequence[Officer] = (), major: bytes | None = None
    ) -> Proposed:
        """An urgent change takes the place of another that waits for officers. `major`: what stands of that role."""
        act = partial(
            propose,
            self.session,
            self.mine,
            roles,
            stands=stands.standing,
            ask=self.ask,
            now=self.now,
            officers=officers,
            major=major,
            watch=self.watch,
        )
        try:
            return act()
        except Conflict as conflict:
            if not self.urgent or conflict.facts.get("job"):
                raise
            return act(instead=True)

    def locked(self, act: Callable[[], Done]) -> Done:
        """Under the publisher's lock; again when a commit that was in the way has ended, ours of a killed run too."""
        with self.mine.home.lock(f"publisher-{self.mine.domain}"):
            try:
                return act()
            except Conflict as conflict:
                if not conflict.facts.get("job"):
                    raise
                await_other_release(self.session, conflict)
                return act()

    # --- what became of it ---

    def rotated(
        self, removed: tuple[str, ...], added: tuple[str, ...], proposed: Proposed, *, lists: tuple[str, ...] = ()
    ) -> Rotated:
        return Rotated(removed, added, proposed, lists, tuple(keyring.retired_keys(self.mine)))

    def finished(self, taken: keyring.Taken) -> Rotated:
        """An earlier run was killed after the hub had accepted its change."""
        removed = (taken.retired.keyid,) if taken.retired else ()
        return Rotated(removed, (taken.key.keyid,), None, (), tuple(keyring.retired_keys(self.mine)))

    def nothing(self) -> Rotated:
        """Everything stands as it should."""
        return Rotated((), (), None, (), tuple(keyring.retired_keys(self.mine)))

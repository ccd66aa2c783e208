"""The hub's two keys as a publisher's root names them, against those that the hub has now. Pure.

Only the publisher's root decides what members believe of the hub. A key that changed there without the root following
is told in words, with whether it must follow at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hashshare.wire.repository import standby_hub
from hashshare.wire.repository.changes import key_name
from hashshare.wire.repository.rotation import officer_keys


@dataclass(frozen=True, slots=True)
class HubKeyChange:
    """`urgent`: members refuse what the hub signs until the root follows. All three texts are sentences."""

    says: str
    means: str
    urgent: bool
    domain: str

    @property
    def next_step(self) -> str:
        return f"hashshare publisher rotate hub {self.domain}"


def hub_key_change(domain: str, root: bytes, now: Sequence[str]) -> HubKeyChange | None:
    """What the publisher's next root must say of the hub's keys; None where it names just those. `now`: the key ids of
    the key in use and of the standby, in this order, as the hub names them. Those of a standby hub are not its own.
    """
    other = standby_hub(root)
    taken_over = other is not None and bool(set(other.keyids) & set(now))
    spare = () if other is None or taken_over else other.keyids
    named = [key.keyid for key in officer_keys(root, "timestamp") if key.keyid not in spare]
    in_use, standby = now
    gone = [keyid for keyid in named if keyid not in now]
    dropped = f" It also names {' and '.join(map(key_name, gone))}, which the hub has no longer." if gone else ""
    if in_use not in named:
        says = f"The hub signs with {key_name(in_use)}, which the root of {domain} does not name.{dropped}"
        means = "Members refuse whatever this hub signs for you, and keep what they hold with an alarm: your next root "
        means += "must name it, at once. First ask the hub's operator, by another channel, whether they changed it."
        return HubKeyChange(says, means, True, domain)
    if standby not in named:
        says = (
            f"The hub has another standby key, {key_name(standby)}, which the root of {domain} does not name.{dropped}"
        )
        means = "Nothing is amiss while the key in use is there; if that were lost, members would refuse the hub. Your "
        means += "next root must name both; if the old one was stolen, within days."
        return HubKeyChange(says, means, False, domain)
    if taken_over:
        says = f"This hub was the standby hub of {domain}, and the root still calls it so.{dropped}"
        return HubKeyChange(
            says, "Whoever has the keys of the hub before could hold your releases back.", False, domain
        )
    if gone:
        says = f"The root of {domain} names {' and '.join(map(key_name, gone))} for the hub, which has it no longer."
        return HubKeyChange(says, "Whoever has it could hold your releases back.", False, domain)
    return None

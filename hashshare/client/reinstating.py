"""Which withdrawn keys may come back at once, where somebody else withdrew them in this list's name."""

from __future__ import annotations

from hashshare.client.publication import Wish
from hashshare.client.store import Held, ListStore
from hashshare.wire.engine import Engine, paths
from hashshare.wire.errors import UsageError
from hashshare.wire.state import key_hex
from hashshare.wire.vocabulary import WITHDRAW


def reinstated(engine: Engine, store: ListStore, held: Held | None, wish: Wish) -> frozenset[bytes]:
    """The keys that `wish` names, and those that were withdrawn after version `wish.reinstate_since`.

    A merged segment that begins before that version counts whole. Raises UsageError for a version that is not held.
    """
    since = wish.reinstate_since
    if since is None:
        return wish.reinstate
    if held is None or not 0 < since <= held.version:
        newest = f"held at version {held.version}" if held else "without a release"
        raise UsageError(f"The list is {newest}; --reinstate-since names the last version that was right.")
    parts = [part for part in (*held.earlier, *held.deltas) if part.to_version > since and part.withdrawals]
    if not parts:
        return wish.reinstate
    files = paths([store.object_path(part.sha256) for part in parts])
    rows = engine.execute(f"SELECT DISTINCT unhex({key_hex()}) FROM read_parquet({files}) WHERE op = {WITHDRAW}")
    return wish.reinstate | {bytes(row[0]) for row in rows.fetchall()}

"""A publisher's run over files that have rotted: what is damaged is named, set aside and fetched again, and the run
goes on. A file that rots without changing its length is noticed by its digest, or by what the hub says of the release.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final, TypeVar

import duckdb

from hashshare.client import healing
from hashshare.client.publication import Listener
from hashshare.client.publisher import OwnList
from hashshare.client.releasing import BaseRefusedError
from hashshare.client.store import ListStore
from hashshare.wire.errors import Conflict, HashshareError, MissingObject, VerificationFailed, WrongDigest

Done = TypeVar("Done")

SUSPECT: Final = (VerificationFailed, BaseRefusedError, duckdb.Error)
"""What a damaged file may lead to, here or at the hub."""


def repeat_mended(own: OwnList, listener: Listener, act: Callable[[], Done]) -> Done:
    """What `act` returns, which syncs first; it is done again when it failed and held files are found damaged.

    Raises WrongDigest or MissingObject when they cannot be fetched again, else what `act` raises.
    """
    try:
        return act()
    except SUSPECT as error:
        damage = _damage(own, error)
        if damage is None:
            raise
    listener.waiting(f"{damage.message} Fetching again what is lacking.")
    try:
        return act()
    except Conflict:
        raise
    except HashshareError as error:
        if not _is_lacking(own):
            raise
        raise _unmended(own, damage, error) from error


def check_held(own: OwnList) -> None:
    """Compare every held file with its digest. Raises WrongDigest (set aside), MissingObject."""
    store = ListStore(own.publisher.home, own.list_id)
    held = store.held()
    if held is not None:
        healing.check_files(store.files(held.objects), name=held.name)


def _damage(own: OwnList, error: Exception) -> HashshareError | None:
    """What is wrong with the held files: as `error` says that found it, or as their digests say."""
    if isinstance(error, WrongDigest | MissingObject) and "damaged" in error.facts:
        return error
    try:
        check_held(own)
    except (WrongDigest, MissingObject) as found:
        return found
    except HashshareError:
        return None
    return None


def _is_lacking(own: OwnList) -> bool:
    store = ListStore(own.publisher.home, own.list_id)
    with contextlib.suppress(HashshareError):
        held = store.held()
        return held is not None and not all(store.has(part) for part in held.objects)
    return False


def _unmended(own: OwnList, damage: HashshareError, error: HashshareError) -> WrongDigest:
    facts: dict[str, Any] = {name: damage.facts.get(name, []) for name in ("damaged", "missing")}
    return WrongDigest(
        f"{damage.message} It could not be fetched again: {error.message} Nothing was published; what the hub serves "
        "stays served.",
        next_step=f"Run the command again, or: hashshare sync {own.name}. It fetches just what is lacking."
        + (f" {error.next_step}" if error.next_step else ""),
        **facts,
    )

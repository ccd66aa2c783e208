"""The organisation's keys as the hub knows them: which there are, a code for a second machine, ending one.

HOME/key.json remembers when this machine's own key ends, so that a warning needs no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hashshare.client.answers import decoded_object
from hashshare.client.home import Home, read_json, write_json
from hashshare.client.session import Session
from hashshare.wire.errors import HashshareError, NetworkError, UsageError
from hashshare.wire.keys import FINGERPRINT_PREFIX


def own_keys(session: Session) -> list[dict[str, Any]]:
    """Every key of the organisation, ended ones included: {id, name, state, not_after, ...}."""
    try:
        return [dict(row) for row in session.get_json("keys")["keys"]]
    except (KeyError, TypeError, ValueError) as error:
        raise NetworkError("The hub's answer about the keys makes no sense.") from error


def find_key(rows: Sequence[Mapping[str, Any]], text: str) -> Mapping[str, Any]:
    """The one key meant by its id, by the beginning of it, or by its name; keys that have ended only by their id.

    Raises UsageError for none and for several, as during the overlap of two keys of one name: it says which they are.
    """
    going = [row for row in rows if row.get("state") in ("active", "waiting")]
    start = text if text.startswith(FINGERPRINT_PREFIX) else FINGERPRINT_PREFIX + text
    found = [row for row in rows if row["id"] == start]
    found = found or [row for row in going if row["id"].startswith(start) or row["name"] == text]
    if not found:
        raise UsageError(f"{text!r} is no key of your organisation.", next_step="`hashshare key list` shows them.")
    if len(found) > 1:
        raise UsageError(
            f"{text!r} may be any of {len(found)} keys of your organisation: {', '.join(map(_told, found))}. "
            "Nothing was changed.",
            next_step="Give the id of the one you mean, or as much of its beginning as no other has.",
            keys=[row["id"] for row in found],
        )
    return found[0]


def _told(row: Mapping[str, Any]) -> str:
    """A key among others of its name: its id, whole, and since when it is good."""
    since = str(row.get("not_before") or row.get("created_at") or "")[:10]
    until = str(row.get("not_after") or "")[:10]
    return f"{row['id']} (since {since or 'ever'}{f', until {until}' if until else ''})"


def invite_machine(session: Session, *, name: str, holder: str = "") -> dict[str, Any]:
    """{code, expires_at}: with the code one more machine enrols, once, within a day."""
    body = {"name": name, **({"holder": holder} if holder else {})}
    return decoded_object(session.send("POST", "keys/invitations", json=body))


def end_key(
    session: Session,
    key_id: str,
    *,
    after_hours: int = 0,
    introduced: bool = False,
    keep_access_keys: bool = False,
    last: bool = False,
) -> dict[str, Any]:
    """{key, ended, left, access_keys, access_keys_left}: what became of the key, of what it had introduced, and of the
    access keys that it had made. Raises LastKey, NotEntitled, UsageError.
    """
    path = f"keys/{key_id.replace('+', '-').replace('/', '_')}/revocation"
    body = {"after_hours": after_hours, "introduced": introduced, "keep_access_keys": keep_access_keys, "last": last}
    return decoded_object(session.send("POST", path, json=body))


# --- this machine's own ------------------------------------------------------------------------------------------


def note_end(home: Home, key_id: str, not_after: object) -> None:
    """Remember when this machine's key ends; `not_after` as the hub says it, None for never."""
    write_json(
        home.account / "key.json", {"key_id": key_id, "not_after": not_after if isinstance(not_after, str) else ""}
    )


def note_own_end(home: Home, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same, of this machine's key among the hub's rows."""
    for row in rows:
        if row.get("id") == session.key_id:
            note_end(home, session.key_id, row.get("not_after"))


def known_end(home: Home, key_id: str) -> datetime | None:
    """When this machine's key ends, None if it does not or is not known to."""
    try:
        document = read_json(home.account / "key.json") or {}
        if document.get("key_id") != key_id or not document.get("not_after"):
            return None
        return datetime.fromisoformat(str(document["not_after"]))
    except (HashshareError, OSError, ValueError):
        return None

"""The poll: which version of what the hub offers. Nothing here is verified; the signed metadata decides."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hashshare.client.answers import decoded
from hashshare.client.home import Home, checked_list_id, read_json, split_list_name, write_json
from hashshare.client.session import Session
from hashshare.wire.documents import MAX_INTEGER
from hashshare.wire.errors import HashshareError, NetworkError, NotEntitled, UsageError
from hashshare.wire.objects import SHA256


@dataclass(frozen=True, slots=True)
class Head:
    """A list as the hub's poll names it (unverified).

    `root_version` and `root_fingerprint` of its publisher: 0 and "" where an older hub does not say.
    """

    name: str
    list_id: str
    publisher: str
    role_version: int
    version: int
    root_version: int = 0
    root_fingerprint: str = ""


def heads(session: Session, home: Home) -> list[Head]:
    """The poll: one request; 304 costs no body. Keeps the last answer in HOME/heads.json."""
    path = home.account / "heads.json"
    kept = _kept(path)
    usable = kept.get("hub_url") == session.hub_url and kept.get("key_id") == session.key_id
    headers = {"If-None-Match": str(kept["etag"])} if usable and kept.get("etag") else None
    response = session.get("heads", headers=headers)
    if response.status_code == 304 and usable:
        return read_heads(kept.get("body"))
    body = decoded(response)
    found = read_heads(body)
    etag = response.headers.get("ETag", "")
    with contextlib.suppress(OSError):
        # Without room to keep the answer, the next poll costs a body; the lists are synced all the same.
        write_json(path, {"hub_url": session.hub_url, "key_id": session.key_id, "etag": etag, "body": body})
    return found


def _kept(path: Path) -> dict[str, Any]:
    """The last answer; nothing when its file cannot be read."""
    try:
        return read_json(path) or {}
    except (HashshareError, OSError):
        return {}


def read_heads(body: Any) -> list[Head]:
    """The hub's words become paths and addresses, so they are checked like any other input. Raises NetworkError."""
    try:
        roots = {str(row["domain"]): _root(row) for row in body.get("publishers", ())}
        found = [
            Head(
                str(row["name"]),
                str(row["id"]),
                str(row["publisher"]),
                int(row["role_version"]),
                int(row["version"]),
                *roots.get(str(row["publisher"]), (0, "")),
            )
            for row in body["lists"]
        ]
        for head in found:
            checked_list_id(head.list_id)
            if split_list_name(head.name)[0] != head.publisher:
                raise UsageError(f"{head.name!r} is not a list of {head.publisher!r}.")
    except (KeyError, TypeError, ValueError, AttributeError, UsageError) as error:
        raise NetworkError(f"The hub's answer to the poll makes no sense ({error}).") from error
    return found


def _root(row: Mapping[str, Any]) -> tuple[int, str]:
    """Version and fingerprint of a publisher's root. Raises ValueError for what can be none."""
    version, fingerprint = row["root_version"], row["root_fingerprint"]
    if not isinstance(version, int) or not 0 <= version <= MAX_INTEGER or not SHA256.fullmatch(fingerprint):
        raise ValueError(f"root {str(version)[:20]} {str(fingerprint)[:20]!r}")
    return version, str(fingerprint)


def chosen(found: Sequence[Head], names: Sequence[str]) -> list[Head]:
    """The heads named (by full name, unambiguous slug or id), all when none is. Raises NotEntitled, UsageError."""
    if not names:
        return list(found)
    return [_choose(found, name) for name in dict.fromkeys(names)]


def _choose(found: Sequence[Head], name: str) -> Head:
    matches = [head for head in found if name in (head.name, head.name.partition("/")[2], head.list_id)]
    if not matches:
        raise NotEntitled(
            f"The hub shows no list {name!r} to your organisation.",
            next_step="`hashshare lists` shows the catalogue, `hashshare status` your subscriptions.",
        )
    if len(matches) > 1:
        raise UsageError(f"{name!r} may be any of {', '.join(head.name for head in matches)}.")
    return matches[0]

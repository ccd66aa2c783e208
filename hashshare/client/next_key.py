"""This machine's next key in place of its own, with no moment in which it has none that works.

1. The next key is made and kept (key-next.pem), and HOME/rotation.json says what is under way.
2. A request signed with the old key introduces it. Repeating that is harmless, so a lost answer costs nothing.
3. The next key must open a door. Only then does it become key.pem, by one rename; the old one stays as key-old.pem.
4. A request signed with the new key tells the hub when the old one ends; then the old one is removed here.

Whatever is killed in between is carried on by the next `key rotate` or `sync`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.client.answers import decoded
from hashshare.client.home import Home, read_json, sync_folder, write_json
from hashshare.client.organisation_keys import end_key, note_end
from hashshare.client.session import Session
from hashshare.wire import keys
from hashshare.wire.errors import HashshareError, NetworkError, NotAuthenticated, NotEntitled, TooManyRequests
from hashshare.wire.introductions import prove_key

FORMAT: Final = "hashshare-rotation/1"


@dataclass(frozen=True, slots=True)
class Plan:
    """The content of rotation.json: from the key `old` to the key `new`, called `name`, good for `days`.

    The old one opens doors for `overlap_hours` more once the new one is in use, for what runs with it at that moment.
    """

    old: str
    new: str
    name: str
    days: int
    overlap_hours: int


@dataclass(frozen=True, slots=True)
class Rotated:
    """`not_after`: the new key's end as the hub says it. `left`: why the hub could not be told the old one's end."""

    old: str
    new: str
    not_after: str
    overlap_hours: int
    left: HashshareError | None = None


def rotate(home: Home, *, name: str, days: int, overlap_hours: int) -> Rotated:
    """Begin, or carry on what an earlier run began (then with what that was told).

    Raises what the hub answers. Whatever happens, HOME/key.pem is a key that works; what the hub refuses is dropped.
    """
    with home.lock("key"):
        return _carry_on(home, unfinished(home) or _begin(home, name=name, days=days, overlap_hours=overlap_hours))


def resume(home: Home) -> Rotated | None:
    """Carry on what an earlier run began; None if there is nothing."""
    if unfinished(home) is None:
        return None
    with home.lock("key"):
        plan = unfinished(home)
        return _carry_on(home, plan) if plan else None


def unfinished(home: Home) -> Plan | None:
    """What an earlier run began and did not end. Raises HashshareError when its record is damaged."""
    document = read_json(_plan_path(home))
    if document is None:
        return None
    try:
        return Plan(**{field.name: document[field.name] for field in dataclasses.fields(Plan)})
    except KeyError as error:
        raise HashshareError(
            f"{_plan_path(home)} is damaged.", next_step="Remove it, then run `hashshare key rotate` again."
        ) from error


def _begin(home: Home, *, name: str, days: int, overlap_hours: int) -> Plan:
    if not _next_path(home).exists():
        keys.save(keys.generate(), _next_path(home))
    old, new = keys.load(home.key_path), keys.load(_next_path(home))
    plan = Plan(keys.fingerprint_of(old), keys.fingerprint_of(new), name, days, overlap_hours)
    write_json(_plan_path(home), {"format": FORMAT, **dataclasses.asdict(plan)})
    return plan


def _carry_on(home: Home, plan: Plan) -> Rotated:
    not_after = ""
    if keys.fingerprint_of(keys.load(home.key_path)) != plan.new:
        not_after = _accepted(home, plan)
        _switch(home)
    _settle_config(home, plan)
    if not_after:
        note_end(home, plan.new, not_after)
    try:
        with contextlib.suppress(NotEntitled):  # the hub knows it no more
            # In the same hands as before, and so is what it made.
            end_key(Session.open(home), plan.old, after_hours=plan.overlap_hours, keep_access_keys=True)
    except (NetworkError, TooManyRequests) as error:
        return Rotated(plan.old, plan.new, not_after, plan.overlap_hours, left=error)
    for path in (_old_path(home), _plan_path(home)):
        path.unlink(missing_ok=True)
    return Rotated(plan.old, plan.new, not_after, plan.overlap_hours)


def _accepted(home: Home, plan: Plan) -> str:
    """Have the hub accept the next key and see that it opens a door; its end as the hub says it ("" if unknown)."""
    following = keys.load(_next_path(home))
    not_after = ""
    try:
        not_after = str(_introduce(_session(home, keys.load(home.key_path)), following, plan).get("not_after") or "")
    except NotAuthenticated:
        # The old key may have ended after the hub accepted the next one, while nobody carried this on.
        with contextlib.suppress(NotAuthenticated):
            _session(home, following).send("POST", "tokens")
            return not_after
        raise
    except (NetworkError, TooManyRequests):
        raise
    except HashshareError:
        for path in (_plan_path(home), _next_path(home)):
            path.unlink(missing_ok=True)
        raise
    _session(home, following).send("POST", "tokens")
    return not_after


def _introduce(session: Session, following: Ed25519PrivateKey, plan: Plan) -> dict[str, Any]:
    body = {
        "public_key": b64encode(keys.public_bytes(following)).decode(),
        "proof": b64encode(prove_key(following, hub=session.hub_url, introducer=session.key_id)).decode(),
        "name": plan.name,
        "days": plan.days,
    }
    answer = decoded(session.send("POST", "keys", json=body))
    if not isinstance(answer, dict) or answer.get("id") != plan.new:
        raise NetworkError("The hub's answer about the new key makes no sense.")
    return answer


def _session(home: Home, key: Ed25519PrivateKey) -> Session:
    """Without the kept token, which is another key's."""
    return Session(home.config().hub_url, key=key)


def _switch(home: Home) -> None:
    """From the old key to the new one by a rename, so that key.pem is a whole key at every moment."""
    old = _old_path(home)
    old.unlink(missing_ok=True)
    os.link(home.key_path, old)
    _next_path(home).replace(home.key_path)
    sync_folder(home.account)


def _settle_config(home: Home, plan: Plan) -> None:
    config = home.config()
    if config.key_id != plan.new:
        home.save_config(dataclasses.replace(config, key_id=plan.new))


def _plan_path(home: Home) -> Path:
    return home.account / "rotation.json"


def _next_path(home: Home) -> Path:
    return home.account / "key-next.pem"


def _old_path(home: Home) -> Path:
    return home.account / "key-old.pem"

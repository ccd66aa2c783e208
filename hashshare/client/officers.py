"""An officer's own machine: two private keys, a card for the hotline, and what was signed so far. Never the network.

Everything lies in one folder, by default HOME/officer, which may be a stick:

    root.pem root.json targets.pem targets.json    the keys with their records (client.signers)
    anna-berg.card.json                            what the hotline gets
    signed.json                                    by publisher: its first root, and each version signed
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hashshare.client.home import make_private_folder, naming, read_json, write_atomic, write_json
from hashshare.client.signers import (
    Ask,
    HeldKey,
    find_key,
    held_keys,
    import_key,
    is_there,
    make_file_key,
    open_signer,
    record_key,
)
from hashshare.wire.documents import write_time
from hashshare.wire.errors import MalformedRequest, StaleRequest, UsageError, VerificationFailed
from hashshare.wire.repository import read_role
from hashshare.wire.repository.cards import MAX_CARD, OfficerCard, card_fingerprint, read_card
from hashshare.wire.repository.requests import NAME, SigningRequest, add_signatures, wanted
from hashshare.wire.repository.verification import longest_life

ROLES: Final = ("root", "targets")
JOURNAL: Final = "hashshare-signed/1"


def make_officer(folder: Path, name: str, *, uris: Mapping[str, str], ask: Ask) -> tuple[OfficerCard, Path]:
    """Make whatever is missing of an officer's two keys, or record those behind `uris` (by role).

    A key that was moved away from its record is not made anew; one whose record was removed too, to be replaced, is.
    The card and its file. Raises UsageError for another officer's folder.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"{name[:80]!r} is not a name such as 'Anna Berg'.")
    kept = _kept_card(folder)
    if kept is not None and kept.name != name:
        raise UsageError(f"{folder} holds the keys of {kept.name}.", next_step="Name another folder: --out FOLDER")
    make_keys(folder, [role for role in ROLES if not _on_card(kept, find_key(folder, role))], uris=uris, ask=ask)
    root, targets = (find_key(folder, role) for role in ROLES)
    if root is None or targets is None:
        raise UsageError(f"{folder} lost a key while it was made.", next_step="Run the command again.")
    card = OfficerCard(name, root.public, targets.public)
    path = folder / card.file_name
    # Last, so that what a card names was whole once.
    write_atomic(path, card.to_bytes())
    return card, path


def _kept_card(folder: Path) -> OfficerCard | None:
    path = next(iter(sorted(folder.glob("*.card.json"))), None)
    return None if path is None else load_card(path)


def _on_card(card: OfficerCard | None, key: HeldKey | None) -> bool:
    """Whether the key was finished: a command may have been killed between a record and its file."""
    return card is not None and key is not None and key.keyid in (card.root.keyid, card.targets.keyid)


def load_card(path: Path) -> OfficerCard:
    """Raises MalformedMetadata for anything but a card, OSError as usual."""
    with naming(path), path.open("rb") as file:
        return read_card(file.read(MAX_CARD + 1))


def card_json(card: OfficerCard) -> dict[str, str]:
    return {
        "officer": card.name,
        "fingerprint": card_fingerprint(card.officer),
        "root": card.root.keyid,
        "targets": card.targets.keyid,
    }


def make_keys(folder: Path, roles: Sequence[str], *, uris: Mapping[str, str], ask: Ask) -> list[str]:
    """See that each of `roles` has a key in `folder`: the one behind its URI, else a file; the roles of keys made."""
    for role, uri in uris.items():
        if find_key(folder, role) is None:
            found, public = import_key(uri, ask)
            record_key(folder, role, uri=found, public=public)
    # A command may have been killed between a record and its file.
    missing = [role for role in roles if not is_there(find_key(folder, role))]
    if missing:
        passphrase = ask(make_private_folder(folder))
        for role in missing:
            make_file_key(folder, role, passphrase=passphrase)
    return missing


# --- signing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """A key here, and the roles of the request that it would sign."""

    key: HeldKey
    roles: tuple[str, ...]


def uses(request: SigningRequest, keys: Sequence[HeldKey]) -> list[Use]:
    """Which keys here are wanted, for what."""
    asked = wanted(request)
    found = [Use(key, tuple(role for role, ids in asked.items() if key.keyid in ids)) for key in keys]
    return [use for use in found if use.roles]


def keys_here(
    folders: Sequence[Path], further: Sequence[HeldKey] = (), *, passed_over: Callable[[str], None] | None = None
) -> list[HeldKey]:
    """Every key in `folders` and `further` that can be tried, once. `passed_over`: see `held_keys`."""
    every = [*further, *(key for folder in folders for key in held_keys(folder, passed_over=passed_over))]
    return list({key.keyid: key for key in every if is_there(key)}.values())


def sign_request(request: SigningRequest, chosen: Sequence[Use], *, ask: Ask) -> SigningRequest:
    """The request with the signatures of these keys, as far as they are still wanted."""
    for use in chosen:
        if any(use.key.keyid in ids for ids in wanted(request).values()):
            request = add_signatures(request, [open_signer(use.key, ask)])
    return request


def check_life(request: SigningRequest, *, now: datetime) -> None:
    """Raises StaleRequest for what has expired, MalformedRequest for what would live longer than any hub accepts."""
    for role, body in request.roles.items():
        file = read_role(role, body)
        longest = longest_life(role)
        clock = f"by this machine's clock, which says {write_time(now)}"
        if file.expires <= now:
            raise StaleRequest(
                f"The {role} {file.version} to be signed expired at {write_time(file.expires)}, {clock}."
            )
        if file.expires > now + longest:
            raise MalformedRequest(
                f"The {role} {file.version} to be signed would be good until {write_time(file.expires)}, {clock}; "
                f"{longest.days} days are allowed.",
                next_step="Set the clock if it is wrong. If it is right, sign nothing: ask who made this request.",
            )


# --- what was signed before --------------------------------------------------------------------------------------


def check_journal(folder: Path, request: SigningRequest) -> list[str]:
    """Warnings about what was signed here before under the same version.

    Raises VerificationFailed when the publisher's first root is another than the one known here.
    """
    journal = _read(folder).get(request.publisher, {})
    first = request.chain[0] if request.chain else None
    known = journal.get("first_roots", [])
    if first is not None and known and _digest("root", first) not in known:
        raise VerificationFailed(
            f"This request is for another root of {request.publisher} than the one that was signed here before.",
            next_step="Sign nothing: compare the root fingerprint with the other officers by telephone.",
        )
    return [
        f"You signed another {role} {read_role(role, body).version} of {request.publisher} on {entry['at']}. "
        "Go on only if you know that it was dropped."
        for role, body in request.roles.items()
        for entry in journal.get("signed", [])
        if (entry["role"], entry["version"]) == (role, read_role(role, body).version)
        and entry["sha256"] != _digest(role, body)
    ]


def note_signed(folder: Path, request: SigningRequest, *, now: datetime) -> None:
    """Write down, before the signed file leaves, what it holds."""
    journal = _read(folder)
    entry = journal.setdefault(request.publisher, {"first_roots": [], "signed": []})
    first = request.chain[0] if request.chain else request.roles["root"]
    if (digest := _digest("root", first)) not in entry["first_roots"]:
        entry["first_roots"].append(digest)
    for role, body in request.roles.items():
        row = {"role": role, "version": read_role(role, body).version, "sha256": _digest(role, body)}
        if row not in [{name: old[name] for name in row} for old in entry["signed"]]:
            entry["signed"].append({**row, "at": write_time(now)})
    write_json(folder / "signed.json", {"format": JOURNAL, "publishers": journal})


def _read(folder: Path) -> dict[str, Any]:
    document = read_json(folder / "signed.json") or {"format": JOURNAL, "publishers": {}}
    if document.get("format") != JOURNAL:
        raise UsageError(f"{folder / 'signed.json'} was written by another version of hashshare.")
    return dict(document["publishers"])


def _digest(role: str, body: bytes) -> str:
    """Of what is signed, whoever has signed it."""
    return hashlib.sha256(read_role(role, body).metadata.signed_bytes).hexdigest()

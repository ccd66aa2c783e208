"""Whom this client believes: publishers and the roots that are held of them.

A root learned from the hub is *unconfirmed* until its fingerprint is pinned from another channel. A root once held is
never replaced by what a hub says; later versions are reached only through TUF's own chain of signatures.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tuf.api import exceptions as tuf_errors
from tuf.api.metadata import Root

from hashshare.client.home import Home, read_json, write_atomic, write_json
from hashshare.wire.errors import (
    BadSignature,
    MalformedMetadata,
    RootReplaced,
    VerificationFailed,
)
from hashshare.wire.fingerprints import parse_fingerprint
from hashshare.wire.repository.metadata import ROOT, read_typed, root_fingerprint


@dataclass(frozen=True, slots=True)
class Publisher:
    """`fingerprint`: hex sha256 of root version 1 as held, "" if none is. `expected`: what the user pinned, or "".
    `successor`: the root that the user named to take its place (client.replacing), or "".
    """

    domain: str
    fingerprint: str
    expected: str
    successor: str = ""

    @property
    def state(self) -> str:
        """Unconfirmed | confirmed | refused (held and pinned differ) | pinned (nothing held yet)"""
        if not self.fingerprint:
            return "pinned"
        if not self.expected:
            return "unconfirmed"
        return "confirmed" if self.expected == self.fingerprint else "refused"


def publisher(home: Home, domain: str) -> Publisher | None:
    document = read_json(home.publisher_dir(domain) / "trust.json")
    if document is None:
        return None
    return Publisher(domain, *(str(document.get(name, "")) for name in ("fingerprint", "expected", "successor")))


def publishers(home: Home) -> list[Publisher]:
    """Every publisher met or pinned, by domain."""
    folder = home.path / "publishers"
    domains = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    found = (publisher(home, domain) for domain in domains)
    return [known for known in found if known is not None]


def save_publisher(home: Home, known: Publisher) -> Publisher:
    document = {"domain": known.domain, "fingerprint": known.fingerprint, "expected": known.expected}
    if known.successor:
        document["successor"] = known.successor
    write_json(home.publisher_dir(known.domain) / "trust.json", document)
    return known


def root_path(home: Home, domain: str) -> Path:
    """Root version 1, the anchor."""
    return home.publisher_dir(domain) / "root.json"


def replaced_dir(home: Home, domain: str) -> Path:
    """A folder for each root that was replaced, named by its fingerprint: root.json and metadata/ as they were."""
    return home.publisher_dir(domain) / "replaced"


def metadata_dir(home: Home, domain: str) -> Path:
    """The verified metadata that tuf.ngclient keeps: {root,timestamp,snapshot,targets,<list id>}.json."""
    return home.publisher_dir(domain) / "metadata"


def check_root(root: bytes) -> None:
    """Raises MalformedMetadata, BadSignature unless these are the bytes of a root version 1 signed by itself."""
    file = read_typed(ROOT, root, Root)
    if file.version != 1:
        raise MalformedMetadata("This is not the first version of a root.")
    try:
        file.signed.verify_delegate(ROOT, file.metadata.signed_bytes, file.metadata.signatures)
    except tuf_errors.UnsignedMetadataError as error:
        raise BadSignature("The root is not signed by enough of its own keys.") from error


def remember_publisher(home: Home, domain: str, root: bytes) -> Publisher:
    """Keep `root` (version 1) of a publisher met for the first time; a known publisher's root is never replaced.

    Raises MalformedMetadata, BadSignature, or VerificationFailed if it is not the one held or pinned.
    """
    check_root(root)
    known = publisher(home, domain) or Publisher(domain, "", "")
    fingerprint = root_fingerprint(root)
    if known.expected and known.expected != fingerprint:
        raise differs(domain, offered=fingerprint, trusted=known.expected, why="pinned")
    if known.state == "refused":
        # What was held came from an impostor; nothing of it may survive the right root's arrival.
        forget_publisher(home, known)
    elif known.fingerprint and known.fingerprint != fingerprint:
        raise differs(domain, offered=fingerprint, trusted=known.fingerprint, why="first seen")
    if not root_path(home, domain).exists():
        write_atomic(root_path(home, domain), root)
    return save_publisher(home, Publisher(domain, fingerprint, known.expected, known.successor))


def differs(domain: str, *, offered: str, trusted: str, why: str) -> VerificationFailed:
    return VerificationFailed(
        f"The hub's root of {domain} is not the one that was {why} here.",
        next_step=f"Ask {domain} over another channel which fingerprint is right; tell them and the hub's operator.",
        publisher=domain,
        offered=offered,
        trusted=trusted,
    )


def root_replaced(domain: str, *, held: str, offered: str) -> RootReplaced:
    """For whoever meets a hub that serves `offered` in the place of the root that is held."""
    return RootReplaced(
        f"The hub serves another root of {domain} than the one that you trust, and nothing that you trust has signed "
        f"it. Yours: {held}. The hub's: {offered}.",
        next_step=f"Call {domain}, at a number that you had before: did it lose its keys and begin anew? If so, let it "
        f"read you the fingerprint of its new root: hashshare pin {domain} FINGERPRINT --replace. If not, the hub is "
        f"lying: tell {domain} and the hub's operator.",
        publisher=domain,
        held=held,
        offered=offered,
    )


def forget_publisher(home: Home, known: Publisher) -> None:
    """Drop the root, metadata and lists of a publisher whose root turned out to be false; the pin stays."""
    for path in (home.path / "lists").glob("*/current.json"):
        document = read_json(path) or {}
        if str(document.get("name", "")).partition("/")[0] == known.domain:
            shutil.rmtree(path.parent)
    shutil.rmtree(metadata_dir(home, known.domain), ignore_errors=True)
    root_path(home, known.domain).unlink(missing_ok=True)
    save_publisher(home, Publisher(known.domain, "", known.expected))


def pin(home: Home, domain: str, fingerprint: str) -> Publisher:
    """Record the fingerprint that the publisher gave over another channel.

    Raises VerificationFailed if the root held is another; the pin is kept all the same, so that from then on nothing
    under the false root is used and the right root can replace it.
    """
    expected = parse_fingerprint(fingerprint)
    known = publisher(home, domain)
    if known and known.state == "confirmed" and known.expected != expected:
        # A slip of the hand must not undo what was confirmed before.
        raise _mismatch(domain, held=known.fingerprint, pinned=expected, replaceable=True)
    updated = save_publisher(home, Publisher(domain, known.fingerprint if known else "", expected))
    if updated.state == "refused":
        raise _mismatch(domain, held=updated.fingerprint, pinned=expected)
    return updated


def _mismatch(domain: str, *, held: str, pinned: str, replaceable: bool = False) -> VerificationFailed:
    """`replaceable`: the root held was confirmed, so what is named may be that of a publisher that started anew."""
    anew = f" If the publisher itself says that it had to start anew: hashshare pin {domain} {pinned} --replace"
    return VerificationFailed(
        f"The root of {domain} that the hub gave is not the one you name.",
        next_step="If you typed it right, the hub or somebody between you and it is lying: tell the publisher."
        f"{anew if replaceable else ''}",
        publisher=domain,
        held=held,
        pinned=pinned,
    )


def usable_publisher(home: Home, domain: str) -> Publisher:
    """The publisher if something from it may be used. Raises VerificationFailed when its root is refused."""
    known = publisher(home, domain)
    if known is None or not known.fingerprint:
        raise VerificationFailed(f"No root of {domain} is held here.", next_step="hashshare sync")
    if known.state == "refused":
        raise _mismatch(domain, held=known.fingerprint, pinned=known.expected)
    return known

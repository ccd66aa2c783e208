"""Signing requests: new metadata of a publisher, carried to the officers whose signatures it lacks. Pure, no I/O.

A request (`hashshare-signing-request/1`, one JSON file) holds all that an officer needs offline to judge it: the chain
of roots from version 1 on, the targets that stand, the new metadata, and what the requester calls the officers. All
but those names is checked (`request_files`); what a person is told is computed from the metadata (`changes.describe`).

    request = SigningRequest("aurora.example", chain=(root_1,), targets=targets_1, roles={"targets": targets_2})
    request = add_signatures(request, signers)      # only where a signer's key is asked for and has not signed
    missing(request)                                # the thresholds that are not met; empty: ready to be committed
    body = request.to_bytes()                       # ... travels on a stick ...
    request = merge([read_request(body), read_request(other_copy)])     # request_files

Which signatures new metadata needs (TUF specification 5.3 and 5.6): a root those of the root before it and its own;
targets those of the newest root, the new one if there is one; a delegated role those that the newest targets name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from securesystemslib.signer import Signer
from tuf.api.metadata import Root

from hashshare.wire.documents import write_object
from hashshare.wire.errors import MalformedRequest
from hashshare.wire.repository.metadata import ROOT, TARGETS, RoleFile, read_role, read_typed, write_metadata
from hashshare.wire.repository.officers import add_signature

FORMAT: Final = "hashshare-signing-request/1"
MAX_NAME: Final = 64
NAME: Final = re.compile(rf"(?=.{{1,{MAX_NAME}}}\Z)\w[\w'.-]*( [\w'.-]+)*")
"""A person's name: words of letters, digits and a few marks."""


@dataclass(frozen=True, slots=True)
class Officer:
    """What the requester calls the holder of two keys, by key id. The name is nobody's proof."""

    name: str
    root: str
    targets: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "root": self.root, "targets": self.targets}


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """`chain`: every root that was accepted, version 1 first, empty for a publisher that begins. `targets`: those that
    stand. `roles`: new metadata by role name ("root", "targets", a delegated role), signed as far as it goes. With a
    new "major", `major` is the one that stands, if any, and `documents` what it names for the first time, by path.
    """

    publisher: str
    chain: tuple[bytes, ...]
    targets: bytes | None
    roles: Mapping[str, bytes]
    officers: tuple[Officer, ...] = ()
    major: bytes | None = None
    documents: Mapping[str, bytes] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        return write_object(
            {
                "format": FORMAT,
                "publisher": self.publisher,
                "chain": [_text(body) for body in self.chain],
                **({} if self.targets is None else {"targets": _text(self.targets)}),
                "roles": {role: _text(body) for role, body in self.roles.items()},
                "officers": [officer.to_json() for officer in self.officers],
                **({} if self.major is None else {"major": _text(self.major)}),
                **({"documents": {at: _text(it) for at, it in self.documents.items()}} if self.documents else {}),
            }
        )

    @property
    def root(self) -> bytes | None:
        """The root that stands, None before the first."""
        return self.chain[-1] if self.chain else None

    def newest(self, role: str) -> RoleFile[Any]:
        """Root or targets as they will be: the new one if the request has one. Raises MalformedRequest."""
        body = self.roles.get(role) or (self.root if role == ROOT else self.targets)
        if body is None:
            raise MalformedRequest(f"The request has no {role}; a publisher begins with both root and targets.")
        return read_role(role, body)


@dataclass(frozen=True, slots=True)
class Need:
    """One threshold over new metadata of `role`: that of the keys that `by` (such as "root 3") names for it.

    `signed` and `unsigned` are key ids.
    """

    role: str
    by: str
    threshold: int
    signed: tuple[str, ...] = field(default=())
    unsigned: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> int:
        """How many signatures are still to come."""
        return max(0, self.threshold - len(self.signed))


# --- signatures --------------------------------------------------------------------------------------------------


def needs(request: SigningRequest) -> tuple[Need, ...]:
    """Every threshold over the new metadata, met or not."""
    root, targets = request.newest(ROOT), request.newest(TARGETS)
    found: list[Need] = []
    for role, body in request.roles.items():
        file = read_role(role, body)
        if role == ROOT:
            standing = request.chain[-1:]
            found += [_need(read_typed(ROOT, before, Root), file) for before in standing]
            found.append(_need(root, file))
        else:
            found.append(_need(root if role == TARGETS else targets, file))
    return tuple(found)


def missing(request: SigningRequest) -> tuple[Need, ...]:
    """The thresholds that are not met; when there is none, the request is ready to be committed."""
    return tuple(need for need in needs(request) if need.missing)


def wanted(request: SigningRequest) -> dict[str, frozenset[str]]:
    """By role, the key ids of those that may still sign it: none where every threshold is met without them."""
    found: dict[str, frozenset[str]] = {}
    for need in missing(request):
        found[need.role] = found.get(need.role, frozenset()) | set(need.unsigned)
    return found


def add_signatures(request: SigningRequest, signers: Iterable[Signer]) -> SigningRequest:
    """The same request, signed by each signer wherever its key is wanted. Whatever a signer raises passes through."""
    roles = dict(request.roles)
    for signer in signers:
        for role, keyids in wanted(replace(request, roles=roles)).items():
            if signer.public_key.keyid in keyids:
                roles[role] = add_signature(role, roles[role], signer=signer)
    return replace(request, roles=roles)


def merge(copies: Sequence[SigningRequest]) -> SigningRequest:
    """One request with the valid signatures of all `copies` of it, which officers may have signed side by side.

    Raises MalformedRequest when they do not ask for the same. Metadata that gains nothing keeps its bytes.
    """
    first, *others = copies
    roles = dict(first.roles)
    for other in others:
        if (other.publisher, content_digest(other)) != (first.publisher, content_digest(first)):
            raise MalformedRequest("These files are not copies of one signing request.")
        for role, body in roles.items():
            roles[role] = _with_signatures_of(other, role, body)
    return replace(first, roles=roles)


def content_digest(request: SigningRequest) -> str:
    """Hex SHA-256 over what is signed and what it follows: equal for all copies, whoever has signed them.

    For officers to compare by telephone before they sign.
    """
    digest = hashlib.sha256(f"{FORMAT}\n{request.publisher}\n".encode())
    for body in (*request.chain, request.targets or b"", *([] if request.major is None else [request.major])):
        digest.update(hashlib.sha256(body).digest())
    for role in sorted(request.roles):
        signed = read_role(role, request.roles[role]).metadata.signed_bytes
        digest.update(hashlib.sha256(role.encode()).digest() + hashlib.sha256(signed).digest())
    return digest.hexdigest()


def _with_signatures_of(request: SigningRequest, role: str, body: bytes) -> bytes:
    """`body` with the signatures that `request` has under the same metadata and that count."""
    file, other = read_role(role, body), read_role(role, request.roles[role])
    counting = {keyid for need in needs(request) if need.role == role for keyid in need.signed}
    new = {keyid: other.metadata.signatures[keyid] for keyid in sorted(counting - file.metadata.signatures.keys())}
    if not new:
        return body
    file.metadata.signatures.update(new)
    return write_metadata(file.metadata)


def _need(delegator: RoleFile[Any], file: RoleFile[Any]) -> Need:
    result = delegator.signed.get_verification_result(file.role, file.metadata.signed_bytes, file.metadata.signatures)
    by = f"{delegator.role} {delegator.version}"
    return Need(file.role, by, result.threshold, tuple(sorted(result.signed)), tuple(sorted(result.unsigned)))


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")

"""Signing requests: new metadata of a publisher, carried to the officers whose signatures it lacks. Pure, no I/O.

A request (`hashshare-signing-request/1`, one JSON file) holds all that an officer needs offline to judge it: the chain
of roots from version 1 on, the targets that stand, the new metadata, and what the requester calls the officers. All
but those names is checked here, and what a person is told of it is computed from the metadata (`changes.describe`).

    request = SigningRequest("aurora.example", chain=(root_1,), targets=targets_1, roles={"targets": targets_2})
    request = add_signatures(request, signers)      # only where a signer's key is asked for and has not signed
    missing(request)                                # the thresholds that are not met; empty: ready to be committed
    body = request.to_bytes()                       # ... travels on a stick ...
    request = merge([read_request(body), read_request(other_copy)])

Which signatures new metadata needs (TUF specification 5.3 and 5.6): a root those of the root before it and its own;
targets those of the newest root, the new one if there is one; a delegated role those that the newest targets name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from securesystemslib.signer import Key, Signer
from tuf.api.metadata import Root, Targets

from hashshare.wire import keys, limits
from hashshare.wire.documents import Fields, read_object, write_object
from hashshare.wire.errors import MalformedRequest
from hashshare.wire.major import Major
from hashshare.wire.manifest import DOMAIN
from hashshare.wire.objects import SHA256, ObjectRef
from hashshare.wire.repository import shapes
from hashshare.wire.repository.metadata import MAJOR, ROOT, TARGETS, RoleFile, read_role, read_typed, write_metadata
from hashshare.wire.repository.officers import add_signature

FORMAT: Final = "hashshare-signing-request/1"
MAX_REQUEST: Final = 16 * limits.MIB
MAX_CHAIN: Final = 512
MAX_ROLES: Final = 64
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


# --- reading -----------------------------------------------------------------------------------------------------


def read_request(body: bytes) -> SigningRequest:
    """Read and check a request: a chain of roots each signed by the one before, targets signed by the last, new
    metadata of the next versions and of the shape that hubs accept. Signatures on the new metadata may be missing.

    Raises MalformedRequest, or what the metadata is refused for (MalformedMetadata, BadSignature).
    """
    document = Fields(
        read_object(body, limit=MAX_REQUEST, error=MalformedRequest, what="signing request"),
        where="signing request",
        error=MalformedRequest,
    )
    if document.text("format") != FORMAT:
        document.fail(f"format is not {FORMAT}")
    request = SigningRequest(
        publisher=document.text("publisher", pattern=DOMAIN, limit=253),
        chain=_chain(document),
        targets=document.optional("targets", lambda name: _bytes(document, _body(document, name)), None),
        roles=_bodies(document, "roles", MAX_ROLES),
        officers=tuple(_officer(fields) for fields in document.each("officers", limit=shapes.MAX_KEYS)),
        major=document.optional("major", lambda name: _bytes(document, _body(document, name)), None),
        documents=document.optional("documents", lambda name: _bodies(document, name, limits.MAX_MAJORS), {}),
    )
    if document.rest:
        document.fail(f"{min(document.rest)!r} is not known to this version")
    check_request(request)
    return request


def check_request(request: SigningRequest) -> None:
    """What `read_request` checks beyond the file's shape."""
    _check_chain(request.chain)
    if request.targets is not None:
        if request.root is None:
            raise MalformedRequest("The request has targets that stand, but no root.")
        _check_delegate(read_typed(ROOT, request.root, Root), read_typed(TARGETS, request.targets, Targets))
    if not request.roles:
        raise MalformedRequest("The request asks for nothing to be signed.")
    root, targets = request.newest(ROOT), request.newest(TARGETS)
    _check_next(ROOT, request.roles, request.root)
    _check_next(TARGETS, request.roles, request.targets)
    shapes.check_root(root.signed, hub_keys=())
    shapes.check_targets(targets.signed, hub_keys=())
    _check_key_ids(root.signed.keys.values())
    _check_key_ids(targets.signed.delegations.keys.values())
    delegated = (*shapes.delegated(targets.signed), *([MAJOR] if shapes.delegates_major(targets.signed) else []))
    for role, body in request.roles.items():
        if role not in (ROOT, TARGETS) and role not in delegated:
            raise MalformedRequest(f"The targets role does not delegate {role[:40]!r}.")
        _check_all_known(read_role(role, body))
    _check_major(request)


def _check_major(request: SigningRequest) -> None:
    """That every document which a new major role names for the first time is here, to be shown, and no other is."""
    body = request.roles.get(MAJOR)
    if body is None:
        if request.major is not None or request.documents:
            raise MalformedRequest("The request has documents of the major role, which it does not change.")
        return
    _check_next(MAJOR, request.roles, request.major)
    standing = shapes.major_documents(request.major) if request.major is not None else {}
    new = {ref.path: ref for place, ref in shapes.major_documents(body).items() if standing.get(place) != ref}
    if new.keys() != request.documents.keys():
        raise MalformedRequest("The request does not have just the documents that the major role newly names.")
    for path, ref in new.items():
        if ObjectRef.of(path, request.documents[path]) != ref or Major.parse(request.documents[path]).path != path:
            raise MalformedRequest(f"{path} is not the document that the major role names.")


def _check_chain(chain: Sequence[bytes]) -> None:
    """TUF specification 5.3.4: each root is signed by the one before it and by itself."""
    before: RoleFile[Root] | None = None
    for number, body in enumerate(chain, start=1):
        root = read_typed(ROOT, body, Root)
        if root.version != number:
            raise MalformedRequest(f"The request's chain of roots has version {root.version} in place of {number}.")
        for delegator in (before or root, root):
            _check_delegate(delegator, root)
        before = root


def _check_delegate(delegator: RoleFile[Root], file: RoleFile[Any]) -> None:
    result = delegator.signed.get_verification_result(file.role, file.metadata.signed_bytes, file.metadata.signatures)
    if not result.verified:
        raise MalformedRequest(
            f"The {file.role} {file.version} that the request follows has {len(result.signed)} of {result.threshold} "
            f"signatures of the keys that root {delegator.version} names for it."
        )


def _check_all_known(file: RoleFile[Any]) -> None:
    """The library keeps what it does not know. Nobody signs what cannot be told, so that is refused here."""
    signed = file.signed
    parts = [file.metadata, signed, *getattr(signed, "keys", {}).values(), *getattr(signed, "targets", {}).values()]
    roles = getattr(signed, "roles", {})
    if delegations := getattr(signed, "delegations", None):
        if file.role != TARGETS or delegations.succinct_roles is not None:
            raise MalformedRequest(f"The {file.role} metadata delegates what it may not.")
        parts += [delegations, *delegations.keys.values()]
        roles = delegations.roles or {}
    if any(part.unrecognized_fields for part in [*parts, *roles.values()]):
        raise MalformedRequest(
            f"The {file.role} metadata says something that this version of hashshare does not know.",
            next_step="Sign nothing of it. If whoever made it has a newer hashshare, install that first.",
        )


def _check_key_ids(named: Iterable[Key]) -> None:
    """People tell keys apart by their ids, so each must be the one that follows from the key."""
    for key in named:
        if key.keyid != keys.key_id(key):
            raise MalformedRequest("A key stands under an id that is not its own.")


def _check_next(role: str, roles: Mapping[str, bytes], standing: bytes | None) -> None:
    if role in roles:
        current = read_role(role, standing).version if standing is not None else 0
        offered = read_role(role, roles[role]).version
        if offered != current + 1:
            raise MalformedRequest(
                f"The request asks for {role} {offered}; {current + 1} is next after what it follows."
            )


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


# --- fields ------------------------------------------------------------------------------------------------------

_LONGEST: Final = 4 * (limits.MAX_METADATA // 3 + 1)
"""Characters of the longest metadata in base64."""


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")


def _body(fields: Fields, name: str) -> str:
    return fields.text(name, limit=_LONGEST)


def _bytes(fields: Fields, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        fields.fail("metadata is not base64")


def _chain(document: Fields) -> tuple[bytes, ...]:
    texts = document.take("chain")
    if not isinstance(texts, list) or len(texts) > MAX_CHAIN or not all(isinstance(text, str) for text in texts):
        document.fail(f"chain is not an array of at most {MAX_CHAIN} texts")
    return tuple(_bytes(document, text) for text in texts)


def _bodies(document: Fields, name: str, limit: int) -> dict[str, bytes]:
    fields = document.nested(name)
    if len(fields.rest) > limit:
        fields.fail(f"there are more than {limit}")
    return {role: _bytes(fields, _body(fields, role)) for role in tuple(fields.rest)}


def _officer(fields: Fields) -> Officer:
    name = fields.text("name", pattern=NAME)
    return Officer(name, fields.text("root", pattern=SHA256), fields.text("targets", pattern=SHA256))

"""Reading signing requests: whatever contradicts itself, or could not be told in words, is refused by name. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from securesystemslib.signer import Key
from tuf.api.metadata import DelegatedRole, Role, Root, Targets

from hashshare.wire import keys, limits
from hashshare.wire.documents import Fields, read_object
from hashshare.wire.errors import MalformedRequest
from hashshare.wire.major import Major
from hashshare.wire.manifest import DOMAIN
from hashshare.wire.objects import SHA256, ObjectRef
from hashshare.wire.repository import shapes
from hashshare.wire.repository.hosting import HOSTED, is_hosted
from hashshare.wire.repository.metadata import MAJOR, ROOT, TARGETS, RoleFile, read_role, read_typed
from hashshare.wire.repository.requests import FORMAT, NAME, Officer, SigningRequest
from hashshare.wire.repository.standby_hub import STANDBY_HUB

MAX_REQUEST: Final = 16 * limits.MIB
MAX_CHAIN: Final = 512
MAX_ROLES: Final = 64
MAX_SKIPPED: Final = 1_000
"""Versions of the major role that may have been lost with a hub and a machine."""


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
    """That every document which a new major role names for the first time is here, to be shown; those that stood before
    may be, too, where it is signed anew for others, and none that it does not name.
    """
    body = request.roles.get(MAJOR)
    if body is None:
        if request.major is not None or request.documents:
            raise MalformedRequest("The request has documents of the major role, which it does not change.")
        return
    _check_next(MAJOR, request.roles, request.major, most=MAX_SKIPPED)
    standing = shapes.major_documents(request.major) if request.major is not None else {}
    named = {ref.path: ref for ref in shapes.major_documents(body).values()}
    new = {ref.path for place, ref in shapes.major_documents(body).items() if standing.get(place) != ref}
    if not new <= request.documents.keys() <= named.keys():
        raise MalformedRequest("The request does not have just the documents that the major role names.")
    for path in request.documents:
        ref = named[path]
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
    unknown = [dict.fromkeys(part.unrecognized_fields.keys() - _shown(part)) for part in parts]
    unknown += [dict.fromkeys(part.unrecognized_fields.keys() - _told(part)) for part in roles.values()]
    if any(unknown):
        raise MalformedRequest(
            f"The {file.role} metadata says something that this version of hashshare does not know.",
            next_step="Sign nothing of it. If whoever made it has a newer hashshare, install that first.",
        )


def _shown(part: Any) -> set[str]:
    """What of the further fields of metadata's parts is shown to whoever signs, and was checked with its shape."""
    return {STANDBY_HUB} if isinstance(part, Root) else set()


def _told(role: Role) -> set[str]:
    """What of a role's further fields is shown to whoever signs."""
    hosts = isinstance(role, DelegatedRole) and role.name != MAJOR and is_hosted(role)
    return {HOSTED} if hosts else set()


def _check_key_ids(named: Iterable[Key]) -> None:
    """People tell keys apart by their ids, so each must be the one that follows from the key."""
    for key in named:
        if key.keyid != keys.key_id(key):
            raise MalformedRequest("A key stands under an id that is not its own.")


def _check_next(role: str, roles: Mapping[str, bytes], standing: bytes | None, *, most: int = 0) -> None:
    """`most`: how many versions may be skipped. Whether a hub takes it is the hub's to say: only after a restore."""
    if role in roles:
        current = read_role(role, standing).version if standing is not None else 0
        offered = read_role(role, roles[role]).version
        if not current < offered <= current + 1 + most:
            raise MalformedRequest(
                f"The request asks for {role} {offered}; {current + 1} is next after what it follows."
            )


# --- fields ------------------------------------------------------------------------------------------------------

_LONGEST: Final = 4 * (limits.MAX_METADATA // 3 + 1)
"""Characters of the longest metadata in base64."""


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

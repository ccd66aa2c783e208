"""Losses that a restored hub wants signed for, where the majors that once covered them are lost: two sign anew.

What the hub lost came in many releases and comes back in one, so its losses may be more than a feed key may cause
alone. The request names the very manifest that is held here and the number that the hub counts; once it is handed in,
the major goes to the hub with all the rest. HOME/publisher/<domain>/resent/<list-id>.json waits until then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Targets

from hashshare.client import trust
from hashshare.client.cards import known_officers
from hashshare.client.drafts import Upload
from hashshare.client.home import make_private_folder, write_atomic
from hashshare.client.publisher import OwnList, OwnPublisher
from hashshare.client.session import Session
from hashshare.client.signed_majors import keep_documents, keep_metadata, signed_major
from hashshare.client.standing import kept_standing
from hashshare.client.store import Held, ListStore
from hashshare.client.waiting import load_request
from hashshare.wire.errors import MajorRequired, MalformedRequest
from hashshare.wire.major import Major
from hashshare.wire.objects import ObjectRef, manifest_path
from hashshare.wire.repository import read_role, sign_major
from hashshare.wire.repository.metadata import MAJOR, TARGETS, metadata_name, read_typed
from hashshare.wire.repository.request_files import check_request
from hashshare.wire.repository.requests import SigningRequest, merge, missing
from hashshare.wire.repository.shapes import delegates_major


def ask_anew(session: Session, own: OwnList, held: Held, refused: MajorRequired, *, at_hub: int, now: Any) -> None:
    """Write the request for what the hub refused, unless it waits already, and say so. Raises MajorRequired always."""
    mine, path = own.publisher, request_file(own)
    stands = kept_standing(mine.home, mine.domain)
    if stands.targets is None or not delegates_major(read_typed(TARGETS, stands.targets, Targets).signed):
        refused.next_step = (
            f"{mine.domain} has given nobody the major role, so nobody can sign for it. The hub's operator can take "
            f"what the hub has (manage.py recover --accept {mine.domain}); members that saw more will say so."
        )
        raise refused
    lost = int(refused.facts.get("total") or refused.facts.get("lost") or 0)
    if lost < 1:
        raise refused  # a hub of before, that does not say what to sign for
    document = Major(own.list_id, own.name, held.version, lost, _manifest_ref(own, held))
    before = _standing(session, mine, at_hub=at_hub)
    request = SigningRequest(
        mine.domain,
        stands.chain,
        stands.targets,
        {MAJOR: sign_major(before, documents=[document], signers=[], now=now, above=_seen(mine))},
        known_officers(mine),
        major=before,
        documents={document.path: document.to_bytes()},
    )
    check_request(request)
    if not (path.exists() and dict(load_request(path).documents) == dict(request.documents)):
        make_private_folder(path.parent)
        write_atomic(path, request.to_bytes())
    refused.next_step = (
        f"The majors that once covered this are lost, so two who hold major keys sign for it anew. Carry {path} to "
        f"them (hashshare publisher sign FILE), then: hashshare publisher submit {path}"
    )
    refused.facts["request"] = str(path)
    raise refused


def request_file(own: OwnList) -> Path:
    return own.publisher.folder / "resent" / f"{own.list_id}.json"


def waiting_resent(mine: OwnPublisher, copies: Sequence[SigningRequest]) -> Path | None:
    """The request kept here that these are copies of."""
    for path in sorted((mine.folder / "resent").glob("*.json")):
        if dict(load_request(path).documents) == dict(copies[0].documents):
            return path
    return None


def keep_signed(mine: OwnPublisher, path: Path, copies: Sequence[SigningRequest]) -> SigningRequest:
    """Merge what was signed; once it is enough, it is among the majors that are sent to the hub, and nothing waits.

    Raises MalformedRequest for copies of something else.
    """
    request = merge([load_request(path), *copies])
    if set(request.roles) != {MAJOR}:
        raise MalformedRequest("This request is for more than a major.")
    write_atomic(path, request.to_bytes())
    if not missing(request):
        documents = [Upload(ObjectRef.of(at, body), body=body) for at, body in request.documents.items()]
        keep_documents(mine, documents)
        keep_metadata(mine, request.roles[MAJOR])
        path.unlink()
    return request


def _manifest_ref(own: OwnList, held: Held) -> ObjectRef:
    body = ListStore(own.publisher.home, own.list_id).manifest_path(held.manifest_sha256).read_bytes()
    return ObjectRef.of(manifest_path(own.list_id), body)


def _standing(session: Session, mine: OwnPublisher, *, at_hub: int) -> bytes | None:
    """The newest of what is kept here and what the hub has, which counts for nothing before officers have seen it."""
    own = signed_major(mine)
    if at_hub and (own is None or read_role(MAJOR, own).version < at_hub):
        return bytes(session.get(f"tuf/{mine.domain}/metadata/{metadata_name(MAJOR, at_hub)}").content)
    return own


def _seen(mine: OwnPublisher) -> int:
    """The version of the major role that the last verified snapshot names: members saw it, so the next is above."""
    path = trust.metadata_dir(mine.home, mine.domain) / "snapshot.json"
    with contextlib.suppress(Exception):
        return int(Metadata[Any].from_bytes(path.read_bytes()).signed.meta[f"{MAJOR}.json"].version)
    return 0

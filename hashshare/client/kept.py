"""A release that waits for two signatures: its files, what it follows, and the request that travels, kept beside it.

It goes out as it was signed or not at all, so nothing here is made again. HOME/publisher/<domain>/majors/<list-id>/ has
draft.json, the segments, and the signing request, `<slug>-major-<version>.json`.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hashshare.client.drafts import Draft, Upload
from hashshare.client.home import make_private_folder, sync_folder, write_atomic
from hashshare.client.publisher import OwnList, OwnPublisher, find_list
from hashshare.client.sealed import read_sealed, write_sealed
from hashshare.client.waiting import load_request
from hashshare.wire.errors import HashshareError
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository.requests import SigningRequest

FORMAT: Final = "hashshare-kept-release/1"


@dataclass(frozen=True, slots=True)
class Kept:
    """`follows` is the digest of the manifest after which `draft` was made, `request` the file to carry to signers."""

    draft: Draft
    follows: str
    request: Path


def kept_folder(own: OwnList) -> Path:
    return own.publisher.folder / "majors" / own.list_id


def request_file(own: OwnList, version: int) -> Path:
    return kept_folder(own) / f"{own.slug}-major-{version}.json"


def keep(own: OwnList, draft: Draft, request: SigningRequest, *, follows: str) -> Kept:
    """Keep `draft`, whose files go when the run ends, in place of what was kept before."""
    drop(own)
    folder = make_private_folder(kept_folder(own))
    rows: list[dict[str, Any]] = []
    for item in draft.objects:
        if item.file is None:
            raise HashshareError("A release that waits for signatures adopts no base.")
        shutil.copyfile(item.file, folder / item.ref.name)
        rows.append(item.ref.to_json())
    path = request_file(own, draft.manifest.version)
    write_atomic(path, request.to_bytes())
    document = {
        "format": FORMAT,
        "follows": follows,
        "manifest": draft.manifest.to_bytes().decode(),
        "objects": rows,
        "merged": draft.merged,
    }
    write_sealed(folder / "draft.json", document)
    sync_folder(folder)
    return Kept(draft, follows, path)


def read_kept(own: OwnList) -> Kept | None:
    """What waits; None if nothing does. Raises HashshareError for a damaged record, VerificationFailed."""
    folder = kept_folder(own)
    document = read_sealed(folder / "draft.json")
    if document is None or document.get("format") != FORMAT:
        return None
    manifest = Manifest.parse(document["manifest"].encode())
    refs = [ObjectRef(row["path"], row["length"], row["hashes"]["sha256"]) for row in document["objects"]]
    objects = tuple(Upload(ref, file=folder / ref.name) for ref in refs)
    draft = Draft(manifest, objects, merged=document["merged"])
    return Kept(draft, document["follows"], request_file(own, manifest.version))


def drop(own: OwnList) -> None:
    """Forget what waits; copies of its request can then no longer be submitted."""
    shutil.rmtree(kept_folder(own), ignore_errors=True)


def same_content(kept: Kept | None, draft: Draft, *, follows: str) -> bool:
    """Whether `draft` would publish just what waits already, but for the moment at which it was made."""
    if kept is None or kept.follows != follows:
        return False
    return [item.ref for item in kept.draft.objects] == [item.ref for item in draft.objects]


def waiting(own: OwnList) -> Kept | None:
    """What was kept; a damaged record is as good as none."""
    try:
        return read_kept(own)
    except HashshareError:
        return None


@dataclass(frozen=True, slots=True)
class WaitingRelease:
    """A release that is kept until two have signed for what it takes; `path` is the request to carry to them."""

    own: OwnList
    version: int
    path: Path
    request: SigningRequest


def waiting_releases(mine: OwnPublisher) -> list[WaitingRelease]:
    """By list. Raises what reading a request raises; a record that is damaged is passed over."""
    lists = [find_list(mine.home, f"{mine.domain}/{slug}") for slug in mine.slugs]
    found = [(own, waiting(own)) for own in lists]
    return [
        WaitingRelease(own, it.draft.manifest.version, it.request, load_request(it.request)) for own, it in found if it
    ]

"""Golden vectors of the major role: the document, the delegation, who may sign, when one is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hashshare.wire import keys, repository
from hashshare.wire.errors import HashshareError
from hashshare.wire.major import Major, needs_major
from hashshare.wire.objects import ObjectRef, manifest_path
from tests.vectors.cast import LIST_ID, NOW, key

CASES = ((100, 0), (101, 0), (101, 10_100), (102, 10_100), (31_204, 3_120_455), (31_205, 3_120_455))
"""Entries lost within the window, and held when it began."""


def document() -> Major:
    manifest = ObjectRef.of(manifest_path(LIST_ID), b"the bytes of a manifest")
    return Major(LIST_ID, "aurora.example/images", 7, 41_200, manifest, extra={"later": {"kept": True}})


def majors() -> dict[str, Any]:
    officers, feed, seconds = [key(n) for n in (11, 12, 13)], key(31), [key(n) for n in (41, 42, 43)]
    two = [keys.tuf_signer(officer) for officer in officers[:2]]
    first = repository.create_targets(signers=two, now=NOW)
    listed = repository.delegate_list(first, list_id=LIST_ID, keys=[_public(feed)], signers=two, now=NOW)
    targets = repository.delegate_major(listed, keys=[_public(it) for it in seconds], signers=two, now=NOW)
    signers = [keys.tuf_signer(second) for second in seconds[:2]]
    major = repository.sign_major(None, documents=[document()], signers=signers, now=NOW)
    files = (("targets", targets), ("major", major))
    return {
        "document": document().to_bytes().decode(),
        "target": document().ref.to_json(),
        "served_as": f"targets/{document().ref.stored_path}",
        "metadata": {repository.read_role(role, body).name: body.decode() for role, body in files},
        "needed": [{"lost": lost, "held": held, "needed": needs_major(lost=lost, held=held)} for lost, held in CASES],
        "refused": refused(),
    }


def refused() -> list[dict[str, str]]:
    text = document().to_bytes().decode()
    edits: dict[str, Callable[[str], str]] = {
        "an unknown format": lambda body: body.replace("major/1", "major/2"),
        "an unknown requirement": lambda body: body.replace('"requires":[]', '"requires":["quorum"]'),
        "a name given twice": lambda body: body.replace('"version":7', '"version":7,"version":7'),
        "nothing lost": lambda body: body.replace('"lost":41200', '"lost":0'),
        "another list's manifest": lambda body: body.replace(f"{LIST_ID}/manifest", f"{'0' * 16}/manifest"),
        "a second hash": lambda body: body.replace('"hashes":{', '"hashes":{"md5":"00",'),
    }
    cases = []
    for name, edit in edits.items():
        body = edit(text)
        try:
            Major.parse(body.encode())
        except HashshareError as refusal:
            cases.append({"case": name, "body": body, "problem": refusal.slug})
    assert len(cases) == len(edits)
    return cases


def _public(private: Any) -> Any:
    return keys.tuf_key(keys.public_bytes(private))

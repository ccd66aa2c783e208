"""The verification code meets random and mutated bytes: it accepts, or raises its own errors, never anything else.

Where it matters they are signed anew after the mutation, so that what lies behind the signature is met too.
`tests/wire/log/test_hostile_input.py` does the same for the logs, `tests/backup/test_random_bytes.py` for backups,
`test_signing_requests.py` for what officers carry, `test_damage.py` value by value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from securesystemslib.signer import SSlibKey
from tuf.ngclient import Updater

from hashshare.client.fetching import tuf_errors_translated
from hashshare.client.repository import CONFIG
from hashshare.client.trust import check_root
from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.errors import HashshareError, UsageError, VerificationFailed
from hashshare.wire.introductions import check_proof, prove_key
from hashshare.wire.log.successions import Succession, open_succession, sign_succession
from hashshare.wire.major import Major
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, manifest_path
from hashshare.wire.repository import Trusted, check_standing, verify_resent
from hashshare.wire.repository.cards import OfficerCard, read_card
from hashshare.wire.repository.shapes import feed_manifest, list_ids, major_documents
from hashshare.wire.resuming import resumed
from tests.vectors.cast import NOW, key
from tests.vectors.log import LOG_KEY, VERIFIER, Grown
from tests.wire.aurora import (
    LIST_ID,
    NOTHING,
    Aurora,
    ServedFrom,
    base_of,
    edited,
    major_of,
    manifest_of,
    segment_of,
    signers_of,
    two,
)

AURORA = Aurora()
AURORA.delegate_major()
INDEX, BASE = base_of(LIST_ID, version=1, entries=4, bodies=[b"one", b"two"])
BEFORE = manifest_of(base=BASE, entries=4)
MANIFEST = manifest_of(segment_of(LIST_ID, 1, 2), base=BASE, entries=5).to_bytes()
FEED = AURORA.publish(MANIFEST, version=1)
DOCUMENT = major_of(Manifest.parse(MANIFEST), lost=300)
AURORA.publish_major(DOCUMENT)

MAJOR = AURORA.served["metadata/1.major.json"]
LOG = Grown([b"a", b"b", b"c"])
SUCCESSION = sign_succession(
    Succession(VERIFIER.name, 3, LOG.checkpoint.root, f"{VERIFIER.name}/2", NOW), key=key(LOG_KEY)
).encode()
CARD = OfficerCard("Anna Berg", *(cast("SSlibKey", hand.key) for hand in AURORA.officers[:2]))
MEMBER = key(91)
PROOF = prove_key(MEMBER, hub="https://north.example", introducer="ab" * 32)


def resent(role: str) -> Callable[[bytes], object]:
    """A hub restored to the time before all of this, to which the publisher sends one role again; and what follows."""
    have = {"root": NOTHING, "targets": Trusted(AURORA.root, None, {})}.get(role, before_its_release())

    def judge(body: bytes) -> None:
        verify_resent(have, roles={role: body}, hub_keys=AURORA.hub_keys, now=AURORA.now)
        now_has = {"root": "root", "targets": "targets", "major": "major"}.get(role)
        after = replace(have, **({now_has: body} if now_has else {"feeds": {role: body}}))
        if after.root and after.targets:
            check_standing(after, hub_key=AURORA.hub_keys[0])

    return judge


def before_its_release() -> Trusted:
    return Trusted(AURORA.root, AURORA.targets, {})


def introduced(body: bytes) -> None:
    """The key and, after its 32 bytes, the proof that it is held."""
    check_proof(body[32:], public_key=body[:32], hub="https://north.example", introducer="ab" * 32)


READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "manifest": (MANIFEST, Manifest.parse),
    "manifest after a loss": (MANIFEST, lambda body: resumed(BEFORE, Manifest.parse(body))),
    "base index": (INDEX.to_bytes(), BaseIndex.parse),
    "major document": (DOCUMENT.to_bytes(), Major.parse),
    "first root": (AURORA.root, check_root),
    "fingerprint": (AURORA.root, repository.root_fingerprint),
    "root": (AURORA.root, lambda body: AURORA.commit_roles({"root": body})),
    "targets": (AURORA.targets, lambda body: AURORA.commit_roles({"targets": body})),
    "delegations": (AURORA.targets, list_ids),
    "feed": (FEED, lambda body: AURORA.commit_roles({LIST_ID: body})),
    "feed's manifest": (FEED, lambda body: feed_manifest(body, list_id=LIST_ID)),
    "major": (MAJOR, lambda body: AURORA.commit_roles({"major": body})),
    "major's documents": (MAJOR, major_documents),
    "resent root": (AURORA.root, resent("root")),
    "resent targets": (AURORA.targets, resent("targets")),
    "resent feed": (FEED, resent(LIST_ID)),
    "resent major": (MAJOR, resent("major")),
    "snapshot": (AURORA.served["metadata/1.snapshot.json"], lambda body: repository.read_role("snapshot", body)),
    "timestamp": (AURORA.served["metadata/timestamp.json"], lambda body: repository.read_role("timestamp", body)),
    "officer's card": (CARD.to_bytes(), read_card),
    "introduction": (keys.public_bytes(MEMBER) + PROOF, introduced),
    "introduction's proof": (PROOF, lambda body: introduced(keys.public_bytes(MEMBER) + body)),
    "log's succession": (SUCCESSION, lambda body: open_succession(body.decode("utf-8", "replace"), VERIFIER)),
    "succession's text": (
        SUCCESSION.partition(b"\n\n")[0] + b"\n",
        lambda body: Succession.parse(body.decode("utf-8", "replace")),
    ),
}
JUDGED_AS_NEXT = ("root", "targets", "feed", "major")
"""These are what stands, and so no next version."""


@st.composite
def mutated(draw: st.DrawFn, body: bytes) -> bytes:
    """The bytes with some flipped, cut out, doubled or replaced by others."""
    changed = bytearray(body)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(changed)))
        end = min(len(changed), start + draw(st.integers(0, 30)))
        piece = bytes(changed[start:end])
        new = draw(st.sampled_from([b"", piece + piece, piece[::-1], b"\xff", b"\0", b"1e999", b"[" * 400, b"\\ud800"]))
        changed[start:end] = draw(st.one_of(st.just(new), st.binary(max_size=12)))
    return bytes(changed)


def accepts_or_refuses(reader: Callable[[bytes], object], body: bytes) -> None:
    try:
        reader(body)
    except HashshareError as error:
        assert error.message


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300))
@example(b"")
@example(b"{}")
@example(b"[" * 100_000)
@example(b'{"signed":' + b"9" * 100_000 + b"}")
@example(b'{"signatures":[],"signed":{"_type":"root","version":1}}')
@example(b"\xef\xbb\xbf{}")
def test_random_bytes(what: str, body: bytes) -> None:
    with pytest.raises((VerificationFailed, UsageError)):  # of usage, where a key is no key
        READERS[what][1](body)


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mutated_bytes(what: str, data: st.DataObject) -> None:
    body, reader = READERS[what]
    accepts_or_refuses(reader, data.draw(mutated(body)))


# --- behind a right signature -------------------------------------------------------------------------------------

anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("9999-12-31T23:59:59Z")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def put(document: Any, path: list[int], value: Any) -> None:
    """Replace what stands at a place that the numbers lead to, however the document branches."""
    at, last = document, None
    for number in path:
        names = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not names:
            break
        last = (at, names[number % len(names)])
        at = at[last[1]]
    if last:
        last[0][last[1]] = value


@pytest.mark.parametrize("what", [what for what, (body, _) in READERS.items() if body.startswith(b"{")])
@settings(max_examples=150, deadline=None)
@given(path=st.lists(st.integers(0, 40), min_size=1, max_size=6), value=anything)
def test_anything_in_any_place_of_a_document(what: str, path: list[int], value: Any) -> None:
    body, reader = READERS[what]
    document = json.loads(body)
    put(document, path, value)
    accepts_or_refuses(reader, json.dumps(document).encode())


@pytest.mark.parametrize("again", [False, True], ids=["next", "resent"])
@pytest.mark.parametrize("what", ["root", "targets", "feed", "major"])
@settings(max_examples=150, deadline=None)
@given(path=st.lists(st.integers(0, 40), min_size=1, max_size=6), value=anything)
def test_whatever_officers_sign_is_judged(what: str, again: bool, path: list[int], value: Any) -> None:
    """The keys are right and what they sign is anything: the hub accepts it or says why not."""
    body, signers = {
        "root": (AURORA.root, two(AURORA)),
        "targets": (AURORA.targets, two(AURORA)),
        "feed": (FEED, [AURORA.feed.signer]),
        "major": (MAJOR, signers_of(AURORA.seconds[:2])),
    }[what]

    def edit(signed: dict[str, Any]) -> None:
        signed["version"] += not again
        put(signed, path, value)

    try:
        body = edited(body, edit, signers)
    except Exception:
        return  # the library itself cannot write such metadata, so nobody can sign it with it
    role = LIST_ID if what == "feed" else what
    accepts_or_refuses(resent(role) if again else lambda text: AURORA.commit_roles({role: text}), body)


@pytest.mark.parametrize("wanted", [manifest_path(LIST_ID), DOCUMENT.path])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_member_meets_mutated_metadata_and_objects(wanted: str, data: st.DataObject) -> None:
    """Through the unmodified library and what translates its errors: nothing but the tree's own comes out."""
    served = dict(AURORA.served)
    name = data.draw(st.sampled_from(sorted(served)))
    served[name] = data.draw(st.one_of(mutated(served[name]), st.binary(max_size=200)))
    with TemporaryDirectory() as folder:
        try:
            with tuf_errors_translated("aurora.example"):
                updater = Updater(
                    folder,
                    "https://north.example/metadata/",
                    target_base_url="https://north.example/targets/",
                    fetcher=ServedFrom(served),
                    config=CONFIG,
                    bootstrap=AURORA.root,
                )
                updater.refresh()
                target = updater.get_targetinfo(wanted)
                assert target
                updater.download_target(target, f"{folder}/object")
        except HashshareError:
            return
        body = Path(f"{folder}/object").read_bytes()
        assert body == {manifest_path(LIST_ID): MANIFEST, DOCUMENT.path: DOCUMENT.to_bytes()}[wanted]


def test_the_readers_accept_what_is_right() -> None:
    for what, (body, reader) in READERS.items():
        if what not in JUDGED_AS_NEXT:
            reader(body)
    assert json.loads(MANIFEST)["entries"] == 5
    assert ObjectRef.of(manifest_path(LIST_ID), MANIFEST) == feed_manifest(FEED, list_id=LIST_ID)

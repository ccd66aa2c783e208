"""The verification code meets random and mutated bytes: it accepts, or raises its own errors, never anything else.

Where it matters they are signed anew after the mutation, so that what lies behind the signature is met too.
`tests/wire/log/test_hostile_input.py` does the same for the logs, `test_damage.py` value by value.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tuf.ngclient import Updater

from hashshare.client.fetching import tuf_errors_translated
from hashshare.client.repository import CONFIG
from hashshare.client.trust import check_root
from hashshare.wire import repository
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.errors import HashshareError, VerificationFailed
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef, manifest_path
from hashshare.wire.repository.shapes import feed_manifest, list_ids
from tests.wire.aurora import LIST_ID, Aurora, ServedFrom, base_of, edited, manifest_of, segment_of, two

AURORA = Aurora()
INDEX, BASE = base_of(LIST_ID, version=1, entries=4, bodies=[b"one", b"two"])
MANIFEST = manifest_of(segment_of(LIST_ID, 1, 2), base=BASE, entries=5).to_bytes()
FEED = AURORA.publish(MANIFEST, version=1)

READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "manifest": (MANIFEST, Manifest.parse),
    "base index": (INDEX.to_bytes(), BaseIndex.parse),
    "first root": (AURORA.root, check_root),
    "fingerprint": (AURORA.root, repository.root_fingerprint),
    "root": (AURORA.root, lambda body: AURORA.commit_roles({"root": body})),
    "targets": (AURORA.targets, lambda body: AURORA.commit_roles({"targets": body})),
    "delegations": (AURORA.targets, list_ids),
    "feed": (FEED, lambda body: AURORA.commit_roles({LIST_ID: body})),
    "feed's manifest": (FEED, lambda body: feed_manifest(body, list_id=LIST_ID)),
    "snapshot": (AURORA.served["metadata/1.snapshot.json"], lambda body: repository.read_role("snapshot", body)),
    "timestamp": (AURORA.served["metadata/timestamp.json"], lambda body: repository.read_role("timestamp", body)),
}


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
    with pytest.raises(VerificationFailed):
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


@pytest.mark.parametrize("what", ["root", "targets", "feed"])
@settings(max_examples=200, deadline=None)
@given(path=st.lists(st.integers(0, 40), min_size=1, max_size=6), value=anything)
def test_whatever_officers_sign_is_judged(what: str, path: list[int], value: Any) -> None:
    """The keys are right and what they sign is anything: the hub accepts it or says why not."""
    bodies = {"root": AURORA.root, "targets": AURORA.targets, "feed": FEED}
    signers = [AURORA.feed.signer] if what == "feed" else two(AURORA)
    try:
        body = edited(bodies[what], lambda signed: put(signed, path, value), signers)
    except Exception:
        return  # the library itself cannot write such metadata, so nobody can sign it with it
    role = LIST_ID if what == "feed" else what
    accepts_or_refuses(lambda text: AURORA.commit_roles({role: text}), body)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_a_member_meets_mutated_metadata_and_objects(data: st.DataObject) -> None:
    """Through the unmodified library and what translates its errors: nothing but the tree's own comes out."""
    served = dict(AURORA.served)
    name = data.draw(st.sampled_from(sorted(served)))
    served[name] = data.draw(st.one_of(mutated(served[name]), st.binary(max_size=200)))
    path = manifest_path(LIST_ID)
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
                target = updater.get_targetinfo(path)
                assert target
                updater.download_target(target, f"{folder}/manifest")
        except HashshareError:
            return
        assert Path(f"{folder}/manifest").read_bytes() == MANIFEST


def test_the_readers_accept_what_is_right() -> None:
    for what, (body, reader) in READERS.items():
        if what not in ("root", "targets", "feed"):  # these are judged as the next version, which they are not
            reader(body)
    assert json.loads(MANIFEST)["entries"] == 5
    assert ObjectRef.of(manifest_path(LIST_ID), MANIFEST) == feed_manifest(FEED, list_id=LIST_ID)

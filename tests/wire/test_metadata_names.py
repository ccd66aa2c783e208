from __future__ import annotations

import hashlib

import pytest

from hashshare.wire import repository
from hashshare.wire.errors import MalformedMetadata
from tests.wire.aurora import LIST_ID, Aurora, signers_of


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("timestamp.json", ("timestamp", None)),
        ("1.root.json", ("root", 1)),
        ("12.snapshot.json", ("snapshot", 12)),
        (f"3.{LIST_ID}.json", (LIST_ID, 3)),
    ],
)
def test_it_reads_and_writes_names(name: str, role: tuple[str, int | None]) -> None:
    assert repository.parse_metadata_name(name) == role
    assert repository.metadata_name(role[0], role[1] or 0) == name


@pytest.mark.parametrize(
    "name", ["root.json", "0.root.json", "01.root.json", "1.timestamp.json", "../1.root.json", "1.root.json\n", "x"]
)
def test_it_knows_no_other_names(name: str) -> None:
    assert repository.parse_metadata_name(name) is None


def test_the_fingerprint_is_that_of_root_version_1() -> None:
    aurora = Aurora()
    fingerprint = repository.root_fingerprint(aurora.root)
    assert fingerprint == hashlib.sha256(aurora.root).hexdigest()
    assert repository.grouped(fingerprint).replace(" ", "") == fingerprint
    assert len(repository.grouped(fingerprint).split()) == 16
    rotated = repository.next_root(aurora.root, signers=signers_of(aurora.officers[:2]), now=aurora.now)
    with pytest.raises(MalformedMetadata):
        repository.root_fingerprint(rotated)

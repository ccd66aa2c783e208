"""Values that others published: the Certificate Transparency test tree, Go's note, keys and paths of C2SP."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.wire.errors import BadSignature, LogForked, WrongProof
from hashshare.wire.log import (
    Checkpoint,
    Frontier,
    Tree,
    Verifier,
    leaf_hash,
    open_note,
    root_of,
    sign_note,
    tile_path,
    verify_consistency,
    verify_inclusion,
)
from tests.wire.log.naive import Shelf

LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
"""github.com/transparency-dev/merkle, testonly/constants.go: the root at each size from 0."""

INCLUSIONS = {
    (0, 1): [],
    (0, 2): ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"],
    (1, 2): ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCIES = {
    (1, 1): [],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}

VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SKEY = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    f"{TEXT}\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""golang.org/x/mod/sumdb/note: the example of its documentation."""


def tree(size: int) -> Tree:
    shelf = Shelf()
    shelf.put(Frontier(0, shelf.read).extend(LEAVES[:size]))
    return Tree(size, shelf.read)


@pytest.mark.parametrize("size", range(9))
def test_roots(size: int) -> None:
    assert root_of(map(leaf_hash, LEAVES[:size])) == tree(size).root() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSIONS)
def test_inclusion_proofs(index: int, size: int) -> None:
    proof = [bytes.fromhex(hashed) for hashed in INCLUSIONS[index, size]]
    assert tree(size).inclusion_proof(index) == proof
    verify_inclusion(leaf_hash(LEAVES[index]), index=index, size=size, proof=proof, root=ROOTS[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCIES)
def test_consistency_proofs(old: int, new: int) -> None:
    proof = [bytes.fromhex(hashed) for hashed in CONSISTENCIES[old, new]]
    assert tree(new).consistency_proof(old) == proof
    verify_consistency(old, old_root=ROOTS[old], new_size=new, new_root=ROOTS[new], proof=proof)
    with pytest.raises((LogForked, WrongProof)):
        verify_consistency(old, old_root=ROOTS[old - 1], new_size=new, new_root=ROOTS[new], proof=proof)


def test_the_note_of_go() -> None:
    verifier = Verifier.parse(VKEY)
    assert (verifier.name, verifier.key_hash.hex(), verifier.to_text()) == ("PeterNeumann", "c74f20a3", VKEY)
    assert open_note(NOTE, verifier) == TEXT
    with pytest.raises(BadSignature):
        open_note(NOTE.replace("cryptography", "cryptographY"), verifier)


def test_the_same_key_signs_the_same_note() -> None:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(SKEY)[1:])
    assert sign_note(TEXT, name="PeterNeumann", key=key) == NOTE


@pytest.mark.parametrize(
    "vkey",
    [
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
    ],
)
def test_keys_in_use_elsewhere(vkey: str) -> None:
    """The example of signed-note, Go's checksum database, a test key of transparency-dev/formats: plus signs within."""
    assert Verifier.parse(vkey).to_text() == vkey


def test_the_checkpoint_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = Checkpoint.parse(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.to_text() == text


def test_the_paths_of_the_specification() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"

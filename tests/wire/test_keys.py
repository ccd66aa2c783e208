from __future__ import annotations

import base64
import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hashshare.wire import keys
from hashshare.wire.errors import UsageError


@pytest.mark.parametrize("passphrase", [None, b"open sesame"])
def test_it_keeps_a_key_in_a_file_of_its_owner(tmp_path: Path, passphrase: bytes | None) -> None:
    key, path = keys.generate(), tmp_path / "key.pem"
    keys.save(key, path, passphrase=passphrase)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.public_bytes(keys.load(path, passphrase=passphrase)) == keys.public_bytes(key)
    assert (b"ENCRYPTED" in path.read_bytes()) == (passphrase is not None)


def test_it_never_overwrites_a_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    keys.save(keys.generate(), path)
    with pytest.raises(FileExistsError):
        keys.save(keys.generate(), path)


def test_it_rejects_a_wrong_passphrase_and_other_files(tmp_path: Path) -> None:
    locked, other, text = tmp_path / "locked.pem", tmp_path / "other.pem", tmp_path / "text"
    keys.save(keys.generate(), locked, passphrase=b"right")
    elliptic = ec.generate_private_key(ec.SECP256R1())
    other.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    text.write_text("not a key")
    for path, passphrase in ((locked, b"wrong"), (locked, None), (other, None), (text, None)):
        with pytest.raises(UsageError):
            keys.load(path, passphrase=passphrase)


def test_the_fingerprint_is_as_openssh_writes_digests() -> None:
    raw = keys.public_bytes(keys.generate())
    name, _, digest = keys.fingerprint(raw).partition(":")
    assert name == "SHA256"
    assert base64.b64decode(digest + "=") == hashlib.sha256(raw).digest()


def test_tuf_sees_the_same_key() -> None:
    key = keys.generate()
    raw = keys.public_bytes(key)
    assert keys.tuf_key(raw).keyval == {"public": raw.hex()}
    signature = keys.tuf_signer(key).sign(b"message")
    assert signature.keyid == keys.tuf_key(raw).keyid
    keys.tuf_key(raw).verify_signature(signature, b"message")


@pytest.mark.parametrize(
    "raw", [b"", b"x" * 31, b"x" * 33, bytes(32), b"\x01" + bytes(31), b"\x01" + bytes(30) + b"\x80"]
)
def test_it_rejects_public_keys_that_prove_nothing(raw: bytes) -> None:
    with pytest.raises(UsageError):
        keys.public_key(raw)


def test_the_two_points_of_order_eight_are_opposite() -> None:
    """Guards the constants: y and -y of one pair sum to the field's prime."""
    eights = [y for y in keys._Y_OF_SMALL_ORDER if 1 < y < 2**255 - 20]
    assert sum(eights) == 2**255 - 19


def test_a_wrong_passphrase_is_said_as_such(tmp_path: Path) -> None:
    keys.save(keys.generate(), tmp_path / "feed.pem", passphrase=b"right")
    with pytest.raises(UsageError, match="passphrase does not open") as refused:
        keys.load(tmp_path / "feed.pem", passphrase=b"wrong")
    assert "HASHSHARE_PASSPHRASE" in refused.value.next_step

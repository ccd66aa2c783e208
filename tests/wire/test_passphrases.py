"""Keys under a passphrase: dear to guess, and open to other programs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hashshare.wire import keys
from hashshare.wire.pkcs8 import ITERATIONS

PASSPHRASE = "quiet wäter".encode()


def test_a_guess_costs_hundreds_of_thousands_of_rounds() -> None:
    key = keys.generate()
    body = keys.to_pem(key, passphrase=PASSPHRASE)
    opened = load_pem_private_key(body, PASSPHRASE)
    assert keys.public_bytes(opened) == keys.public_bytes(key)  # type: ignore[arg-type]
    assert ITERATIONS >= 600_000
    assert body != keys.to_pem(key, passphrase=PASSPHRASE)


@pytest.mark.skipif(not shutil.which("openssl"), reason="ANOTHER PROGRAM'S OPINION IS MISSING: there is no openssl")
def test_openssl_opens_it_and_sees_the_rounds(tmp_path: Path) -> None:
    path = tmp_path / "root.pem"
    key = keys.generate()
    keys.save(key, path, passphrase=PASSPHRASE)
    words = ["openssl", "pkey", "-in", str(path), "-passin", "env:WORDS", "-pubout", "-outform", "DER"]
    done = subprocess.run(words, env={"WORDS": PASSPHRASE.decode()}, capture_output=True, check=True, timeout=60)
    assert done.stdout[-32:] == keys.public_bytes(key)
    shown = subprocess.run(["openssl", "asn1parse", "-in", str(path)], capture_output=True, check=True, timeout=60)
    assert f":{ITERATIONS:06X}".encode() in shown.stdout
    wrong = subprocess.run(words, env={"WORDS": "loud water"}, capture_output=True, check=False, timeout=60)
    assert wrong.returncode != 0

"""A PKCS#11 token in software (SoftHSM 2), with ECDSA P-256 keys that never leave it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

LIBRARIES = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/libsofthsm2.so"),
    Path("/usr/local/lib/softhsm/libsofthsm2.so"),
)
REQUIRED = "HASHSHARE_TEST_HSM"
"""Set where SoftHSM has to be there, so that a machine that lost it does not pass by skipping."""

LABEL, PIN = "aurora", "271828"


@dataclass(frozen=True)
class Token:
    """`environment` is what a program needs to find it; keys are numbered from 1."""

    environment: dict[str, str]

    def uri(self, number: int) -> str:
        return f"hsm:{number}?label={LABEL}"


def make_token(folder: Path, *, keys: int) -> Token:
    """Skips the test, with a reason that nobody overlooks, where SoftHSM or python-pkcs11 is missing."""
    library = next((path for path in LIBRARIES if path.exists()), None)
    missing = None if library and shutil.which("softhsm2-util") else "SoftHSM (Debian: apt-get install softhsm2)"
    try:
        import pkcs11
        import pkcs11.util.ec
    except ImportError:
        missing = "python-pkcs11 (pip install hashshare[hsm])"
    if missing and os.environ.get(REQUIRED):
        pytest.fail(f"{REQUIRED} is set, but there is no {missing}.")
    if missing:
        pytest.skip(f"NO KEY IN HARDWARE IS TRIED IN THIS RUN: there is no {missing}")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(settings), "PYKCS11LIB": str(library), "HASHSHARE_PIN": PIN}
    os.environ.update(environment)  # the library reads it once, when it is loaded
    words = ["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN]
    subprocess.run(["softhsm2-util", *words], check=True, capture_output=True, timeout=60)
    curve = {pkcs11.Attribute.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1")}
    with pkcs11.lib(str(library)).get_token(token_label=LABEL).open(rw=True, user_pin=PIN) as session:
        for number in range(1, keys + 1):
            domain = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
            domain.generate_keypair(store=True, id=pkcs11.util.biginteger(number), label=f"key {number}")
    return Token(environment)

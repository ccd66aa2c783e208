"""Private keys under a passphrase that costs an attacker something to guess: PKCS#8, PBES2, PBKDF2, AES-256-CBC.

`cryptography` reads such files with any number of iterations, but writes them with 2,048, which a thief of the file
tries in no time. So the few bytes around the ciphertext (RFC 5958 section 3, RFC 8018 appendix A.4) are written here.
Any program that knows PKCS#8 opens them: `openssl pkey -in root.pem`.
"""

from __future__ import annotations

import base64
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

ITERATIONS: Final = 600_000
"""As OWASP's password storage cheat sheet asks of PBKDF2-HMAC-SHA256; a fifth of a second or so."""

_SEQUENCE, _OCTETS, _INTEGER = 0x30, 0x04, 0x02
_PBES2: Final = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2: Final = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256: Final = bytes.fromhex("300c06082a864886f70d02090500")
_AES_256_CBC: Final = bytes.fromhex("060960864801650304012a")


def encrypt_pkcs8(private_key_info: bytes, passphrase: bytes) -> bytes:
    """PEM of an EncryptedPrivateKeyInfo around the DER of a PrivateKeyInfo."""
    salt, vector = os.urandom(16), os.urandom(16)
    key = PBKDF2HMAC(SHA256(), length=32, salt=salt, iterations=ITERATIONS).derive(passphrase)
    padder, cipher = PKCS7(128).padder(), Cipher(AES(key), CBC(vector)).encryptor()
    sealed = cipher.update(padder.update(private_key_info) + padder.finalize()) + cipher.finalize()
    count = ITERATIONS.to_bytes(ITERATIONS.bit_length() // 8 + 1)
    derivation = _der(_SEQUENCE, _PBKDF2, _der(_SEQUENCE, _der(_OCTETS, salt), _der(_INTEGER, count), _HMAC_SHA256))
    encryption = _der(_SEQUENCE, _AES_256_CBC, _der(_OCTETS, vector))
    algorithm = _der(_SEQUENCE, _PBES2, _der(_SEQUENCE, derivation, encryption))
    return _pem("ENCRYPTED PRIVATE KEY", _der(_SEQUENCE, algorithm, _der(_OCTETS, sealed)))


def _der(tag: int, *parts: bytes) -> bytes:
    """A DER element (X.690 section 8.1) of at most 65,535 bytes."""
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x81, size]) if size < 0x100 else b"\x82" + size.to_bytes(2)
    return bytes([tag]) + length + content


def _pem(label: str, body: bytes) -> bytes:
    text = base64.b64encode(body).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()

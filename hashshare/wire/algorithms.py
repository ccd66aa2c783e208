"""Hash algorithms: their widths, their text forms and the digests that no list may hold.

A list's first algorithm is its key. Nothing here computes a hash of media; digests arrive as text or bytes.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hashshare.wire.errors import BadHash, UnknownAlgorithm
from hashshare.wire.limits import MAX_HASH_WIDTH

KEY_PREFIX: Final = 8
"""Bytes of the key that stand in a segment's integer column `p`; a hash is wider than that."""

PHOTODNA: Final = "photodna"

WIDTHS: Final = MappingProxyType({"md5": 16, "sha1": 20, "sha256": 32, "pdq": 32, PHOTODNA: 144})

_VENDOR = re.compile(r"x-[a-z0-9]+(?:-[a-z0-9]+)*-([1-9][0-9]{0,3})")
_MAX_NAME = 48


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A hash algorithm by its name on the wire; `width` is in bytes."""

    name: str
    width: int

    @property
    def hex_width(self) -> int:
        """Characters of the hexadecimal text form."""
        return 2 * self.width

    @property
    def base64_width(self) -> int | None:
        """Characters of the base64 text form, or None where only hexadecimal is read."""
        return 4 * ((self.width + 2) // 3) if self.name == PHOTODNA else None


@functools.cache
def algorithm(name: str) -> Algorithm:
    """The algorithm called `name`: a well-known one, or a vendor's `x-<vendor-words>-<width in bytes>`.

    Raises UnknownAlgorithm.
    """
    if name in WIDTHS:
        return Algorithm(name, WIDTHS[name])
    vendor = _VENDOR.fullmatch(name) if len(name) <= _MAX_NAME else None
    if vendor is None or not KEY_PREFIX < int(vendor[1]) <= MAX_HASH_WIDTH:
        raise UnknownAlgorithm(
            f"{name[:_MAX_NAME]!r} is not a hash algorithm known here.",
            next_step=f"Use one of {', '.join(WIDTHS)}, or a vendor's x-<words>-<width in bytes> such as x-acme-64.",
        )
    return Algorithm(name, int(vendor[1]))


def parse(text: str, algorithm: Algorithm) -> bytes:
    """The bytes of a hash written in hexadecimal of either case (PhotoDNA: also in base64).

    Surrounding white space is ignored. Raises BadHash.
    """
    text = text.strip()
    try:
        if len(text) == algorithm.hex_width and text.isascii():
            return binascii.unhexlify(text)
        if len(text) == algorithm.base64_width:
            return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise BadHash(f"A {algorithm.name} hash is {describe_text(algorithm)}; this is {describe_fault(text, algorithm)}.")


def render(digest: bytes, algorithm: Algorithm) -> str:
    """The canonical text of a hash, lower-case hexadecimal. Raises BadHash when the width is wrong."""
    if len(digest) != algorithm.width:
        raise BadHash(f"A {algorithm.name} hash has {algorithm.width} bytes, this one {len(digest)}.")
    return digest.hex()


def describe_text(algorithm: Algorithm) -> str:
    """How a hash of this algorithm is written, for messages."""
    hexadecimal = f"{algorithm.hex_width} hexadecimal digits"
    return f"{hexadecimal} or {algorithm.base64_width} of base64" if algorithm.base64_width else hexadecimal


def describe_fault(text: str, algorithm: Algorithm) -> str:
    """What is wrong with `text` as a hash of this algorithm, without repeating it at length."""
    if len(text) == algorithm.hex_width:
        stranger = next((character for character in text if character not in "0123456789abcdefABCDEF"), "?")
        return f"not hexadecimal ({stranger!r})"
    return f"{len(text)} characters long"


@functools.cache
def guard_list() -> MappingProxyType[str, frozenset[bytes]]:
    """Digests that would match harmless files everywhere, by algorithm name.

    The empty file under md5, sha1 and sha256, and all bits clear or set under every well-known algorithm (a blank
    image's PDQ hash, a fault's placeholder elsewhere). An operator's own additions are merged in by the hub.
    """
    blank = {name: {bytes(width), b"\xff" * width} for name, width in WIDTHS.items()}
    for name in ("md5", "sha1", "sha256"):
        blank[name].add(hashlib.new(name, b"", usedforsecurity=False).digest())
    return MappingProxyType({name: frozenset(digests) for name, digests in blank.items()})


def guarded(name: str) -> frozenset[bytes]:
    """The guard list of one algorithm, vendor ones included. Raises UnknownAlgorithm."""
    width = algorithm(name).width
    return guard_list().get(name, frozenset({bytes(width), b"\xff" * width}))

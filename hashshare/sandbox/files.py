"""Harmless files by number: plain patterns as small PNG pictures, and every fourth a text. Byte for byte the same in
every Python: the pictures are not compressed, since compressors differ and a digest must not.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SIDE: Final = 64
"""Pixels: a row of the picture is a filter byte and so many bytes, all of it one stored block of deflate (65,535)."""
NOTE: Final = "Synthetic and harmless: drawn by hashshare's sandbox, number {number}."


@dataclass(frozen=True, slots=True)
class HarmlessFile:
    """`name` such as picture-0017.png; digests in lower-case hex."""

    number: int
    name: str
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def md5(self) -> str:
        return hashlib.md5(self.body, usedforsecurity=False).hexdigest()

    @property
    def sha1(self) -> str:
        return hashlib.sha1(self.body, usedforsecurity=False).hexdigest()


def harmless_file(number: int) -> HarmlessFile:
    """Another number, another content: the number itself is written in it."""
    if number % 4 == 3:
        return HarmlessFile(number, f"text-{number:04d}.txt", f"{NOTE.format(number=number)}\n".encode())
    return HarmlessFile(number, f"picture-{number:04d}.png", _picture(number))


def _picture(number: int) -> bytes:
    pattern = PATTERNS[number % len(PATTERNS)]
    width = 3 + number % 13
    rows = b"".join(b"\0" + bytes(pattern(x, y, width) for x in range(SIDE)) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 3, 0, 0, 0)  # 8 bits a pixel, by palette
    chunks = (
        (b"IHDR", header),
        (b"tEXt", b"Comment\0" + NOTE.format(number=number).encode()),
        (b"PLTE", _palette(number)),
        (b"IDAT", _stored(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _slants(x: int, y: int, width: int) -> int:
    return (2 * x + y) // width % 2


def _checks(x: int, y: int, width: int) -> int:
    return (x // width + y // width) % 2


def _squares(x: int, y: int, width: int) -> int:
    middle = SIDE // 2
    return max(abs(x - middle), abs(y - middle)) // width % 2


def _slopes(x: int, y: int, width: int) -> int:
    return (x + y) // width % 2


PATTERNS: Final[tuple[Callable[[int, int, int], int], ...]] = (_slants, _checks, _squares, _slopes)


def _palette(number: int) -> bytes:
    """Two colours: a light and a dark one."""
    drawn = hashlib.sha256(f"hashshare sandbox {number}".encode()).digest()
    return bytes(160 + byte % 96 for byte in drawn[:3]) + bytes(byte % 96 for byte in drawn[3:6])


def _stored(body: bytes) -> bytes:
    """A zlib stream (RFC 1950) of one stored block (RFC 1951 section 3.2.4)."""
    length = struct.pack("<HH", len(body), len(body) ^ 0xFFFF)
    return b"\x78\x01\x01" + length + body + struct.pack(">I", zlib.adler32(body))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

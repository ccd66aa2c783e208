"""Fingerprints in a form that people read out, hear and type: four lines of four groups, each line with its own check.

    bb6c 3c00 a6ac 215b  92
    4587 aaa0 45af 4be3  41
    b30d 385e 33d7 4495  55
    0b12 5f7f 88df 09ae  41

The two decimal digits at the end of a line are its check by ISO/IEC 7064 MOD 97-10, as in an IBAN: over the line's
number (1 to 4) and its sixteen hexadecimal digits. It finds every wrong digit, every exchange of two neighbouring
digits, lines in the wrong order, and 96 of 97 other slips; and the listener knows at once which line to ask for again.
"""

from __future__ import annotations

import re
from typing import Final

from hashshare.wire.errors import UsageError

DIGITS: Final = 64
LINE: Final = 16
CHECK: Final = 2

_SEPARATORS: Final = re.compile(r"[\s:./-]")
_PREFIX: Final = re.compile(r"(?i)^\s*sha-?256:")


def spoken_lines(fingerprint: str) -> tuple[str, ...]:
    """The four lines of a fingerprint of 64 hexadecimal digits."""
    lines = [fingerprint[start : start + LINE] for start in range(0, DIGITS, LINE)]
    return tuple(f"{_groups(line)}  {_check(number, line)}" for number, line in enumerate(lines, start=1))


def spoken(fingerprint: str) -> str:
    """The same in one line."""
    return "  ".join(line.replace("  ", " ") for line in spoken_lines(fingerprint))


def parse_fingerprint(text: str) -> str:
    """64 lower-case hexadecimal digits, from what people type: with or without checks, in groups and lines or not, in
    either case, with SHA256: before it. Raises UsageError, which names the line whose check does not fit.
    """
    plain = _SEPARATORS.sub("", _PREFIX.sub("", text)).lower()
    if re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", plain):
        return plain
    if not re.fullmatch(rf"(?:[0-9a-f]{{{LINE}}}[0-9]{{{CHECK}}}){{{DIGITS // LINE}}}", plain):
        raise UsageError(
            f"A fingerprint is {DIGITS} hexadecimal digits, with two digits of check after every {LINE} or none.",
            next_step="Ask for it over another channel than the hub, line by line.",
        )
    lines = [plain[start : start + LINE + CHECK] for start in range(0, len(plain), LINE + CHECK)]
    for number, line in enumerate(lines, start=1):
        if _check(number, line[:LINE]) != line[LINE:]:
            raise UsageError(
                f"Line {number} of the fingerprint, {_groups(line[:LINE])}, does not fit its check {line[LINE:]}.",
                next_step=f"Have line {number} read again: it was misheard or mistyped.",
            )
    return "".join(line[:LINE] for line in lines)


def _groups(line: str) -> str:
    return " ".join(line[start : start + 4] for start in range(0, LINE, 4))


def _check(number: int, line: str) -> str:
    """ISO/IEC 7064 MOD 97-10: the number, line and check together leave 1 when divided by 97."""
    return f"{98 - (number * 16**LINE + int(line, 16)) * 100 % 97:02d}"

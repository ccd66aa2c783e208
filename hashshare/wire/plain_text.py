"""Text of others that a person will read: which characters steer a terminal, turn what is read, or are not seen.

A name with one of them can look like another's name, or like the line after it. So names are refused with them, and
whatever else others wrote is shown with replacement characters in their place.
"""

from __future__ import annotations

import json
import re
from typing import Final

from hashshare.wire.documents import Fields
from hashshare.wire.errors import UsageError

_ODD: Final = (
    r"\x7f-\x9f"  # DEL and C1: terminals take U+009B for the beginning of a command
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of writing (Unicode TR 9)
    # Not seen (Unicode, Default_Ignorable_Code_Point), joiners of emoji and selectors of variants among them.
    r"\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    r"\ud800-\udfff"  # of no encoding
)
_IN_TEXT: Final = re.compile(rf"[\x00-\x08\x0b-\x1f{_ODD}]")
_IN_A_LINE: Final = re.compile(rf"[\x00-\x1f\u2028\u2029{_ODD}]")


def printable(text: str) -> str:
    """With a replacement character for each that could steer a terminal, turn the order of what is read, or hide; tabs
    and line feeds stay.
    """
    return _IN_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def in_a_line(text: str) -> str:
    """The same, and nothing in it begins another line."""
    return _IN_A_LINE.sub("\N{REPLACEMENT CHARACTER}", text)


def escaped(document: str) -> str:
    """JSON that says the same, with such characters written as JSON's escapes."""
    return _IN_TEXT.sub(lambda found: json.dumps(found[0])[1:-1], document)


def unfit_for_a_name(text: str) -> str:
    """What is wrong with a name, as in "has a character …"; "" for one that people can tell from others."""
    found = _IN_A_LINE.search(text)
    if found is None:
        return ""
    return f"has a character that is not seen, or changes how others are (U+{ord(found[0]):04X})"


def check_name(text: str, *, what: str) -> None:
    """Raises UsageError, which calls it `what`."""
    if fault := unfit_for_a_name(text):
        raise UsageError(f"{what} {fault}.", next_step="Type it anew: it may have come along with what was pasted.")


def read_name(fields: Fields, name: str, *, least: int = 1, most: int = 200) -> str:
    """A field of a document of others, `least` to `most` characters; fails as its `fields` do."""
    text = fields.text(name, limit=most)
    if len(text) < least:
        fields.fail(f"{name} is empty")
    if fault := unfit_for_a_name(text):
        fields.fail(f"{name} {fault}")
    return text

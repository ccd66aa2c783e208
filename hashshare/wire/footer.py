"""Walks a Parquet footer before any library reads it, so that a few bytes cannot make one allocate gigabytes.

The footer is a Thrift struct in the compact protocol (thrift-compact-protocol.md, "Struct encoding"; parquet.thrift,
FileMetaData). Readers make room for a list as long as it says it is before they look at what is in it, and read its
elements as what they expect there, whatever it says they are. So here every list must be one that Parquet has in that
place, of the elements it has there, and their number is added up. What the fields mean is checked by `verification`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MAX_ELEMENTS: Final = 65_536
"""Elements of all lists together: some four times what the largest segment with the most columns has."""
MAX_FIELDS: Final = 500_000
"""Fields of all structs together, which bounds the time."""
MAX_DEPTH: Final = 16

_INTEGER, _LONG, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


class BadFooterError(ValueError):
    """What is wrong, in words."""


@dataclass(frozen=True, slots=True)
class _Struct:
    """What a struct may hold besides plain values: by field id, lists (type of element, its struct) and structs."""

    lists: Mapping[int, tuple[int, _Struct]] = field(default_factory=dict)
    structs: Mapping[int, _Struct] = field(default_factory=dict)


_PLAIN = _Struct()
_COLUMN = _Struct(
    lists={2: (_INTEGER, _PLAIN), 3: (_BINARY, _PLAIN), 8: (_STRUCT, _PLAIN), 13: (_STRUCT, _PLAIN)},
    structs={16: _Struct(lists={2: (_LONG, _PLAIN), 3: (_LONG, _PLAIN)})},
)
_ROW_GROUP = _Struct(lists={1: (_STRUCT, _Struct(structs={3: _COLUMN})), 4: (_STRUCT, _PLAIN)})
_FILE = _Struct(lists={2: (_STRUCT, _PLAIN), 4: (_STRUCT, _ROW_GROUP), 5: (_STRUCT, _PLAIN), 7: (_STRUCT, _PLAIN)})


def check_footer(footer: bytes) -> None:
    """Raises BadFooterError unless `footer` begins with a whole struct whose lists are Parquet's and within bounds."""
    _Walk(footer).struct(_FILE, MAX_DEPTH)


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._elements, self._fields = MAX_ELEMENTS, MAX_FIELDS

    def struct(self, shape: _Struct, depth: int) -> None:
        if not depth:
            raise BadFooterError("it is nested too deep")
        number = 0
        while head := self._byte():
            self._fields -= 1
            if self._fields < 0:
                raise BadFooterError("it has too many fields")
            number = number + (head >> 4) if head >> 4 else self._zigzag()
            if head & 15 == _LIST:
                self._list(shape.lists.get(number), depth)
            elif head & 15 == _STRUCT:
                self.struct(shape.structs.get(number, _PLAIN), depth - 1)
            elif head & 15 > 2:  # a field that is true or false is told by its type alone
                self._value(head & 15)

    def _list(self, expected: tuple[int, _Struct] | None, depth: int) -> None:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._varint()
        if expected is None or expected[0] != head & 15:
            raise BadFooterError("it has a list that Parquet does not have in that place")
        self._elements -= count
        if self._elements < 0 or count > len(self._data) - self._at:
            raise BadFooterError("its lists claim to be longer than a segment's can be")
        for _ in range(count):
            if expected[0] == _STRUCT:
                self.struct(expected[1], depth - 1)
            else:
                self._value(expected[0])

    def _value(self, kind: int) -> None:
        match kind:
            case 3:  # byte
                self._skip(1)
            case 4 | 5 | 6:  # i16, i32, i64
                self._varint()
            case 7:  # double
                self._skip(8)
            case 8:  # binary
                self._skip(self._varint())
            case _:
                raise BadFooterError(f"a field is of type {kind}, which no footer has")

    def _byte(self) -> int:
        self._skip(1)
        return self._data[self._at - 1]

    def _skip(self, count: int) -> None:
        self._at += count
        if self._at > len(self._data):
            raise BadFooterError("it ends in the middle of something")

    def _zigzag(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise BadFooterError("a number has too many bytes")

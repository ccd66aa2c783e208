"""Filters of the tables in the words of their subject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib.admin import EmptyFieldListFilter


class MomentFilter(EmptyFieldListFilter):
    """Divides rows by whether something has happened to them yet."""

    words: ClassVar[dict[str, str]]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            text = str(choice["display"])
            yield {**choice, "display": self.words.get(text, text)}


class RevokedFilter(MomentFilter):
    words = {"Empty": "Not revoked", "Not empty": "Revoked"}


class UsedFilter(MomentFilter):
    words = {"Empty": "Not used yet", "Not empty": "Used"}

"""The major document: with it a hotline's officers say that a large loss of entries is meant, and the rule when it is.

A stolen feed key can sign releases, but not a major: that takes two keys of the publisher's `major` role. The document
names one manifest by its digest and how many entries it takes back, and grants nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hashshare.wire import limits
from hashshare.wire.documents import Fields, read_object, write_object, write_time
from hashshare.wire.errors import MalformedMajor
from hashshare.wire.manifest import LIST_NAME
from hashshare.wire.objects import LIST_ID, ObjectRef, manifest_path

FORMAT: Final = "hashshare-major/1"
MAJOR_NAME: Final = re.compile(r"major-([1-9][0-9]{0,15})\.json")
MAJOR_PATH: Final = re.compile(rf"({LIST_ID.pattern})/{MAJOR_NAME.pattern}")

WINDOW: Final = timedelta(days=7)
FREE_ENTRIES: Final = 100
FREE_SHARE: Final = 100
"""Within the window, so many entries, or one in this many of those held when it began, may go without a major."""


def needs_major(*, lost: int, held: int) -> bool:
    """Whether `lost` entries in a window are too many of the `held` ones for a feed key alone: above 100 and 1 %."""
    return lost > FREE_ENTRIES and lost * FREE_SHARE > held


def major_path(list_id: str, *, version: int) -> str:
    """`version` is the content version of the release."""
    return f"{list_id}/major-{version}.json"


def parse_major_path(path: str) -> tuple[str, int] | None:
    """List id and content version; None for another path."""
    match = MAJOR_PATH.fullmatch(path)
    return (match[1], int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Major:
    """`lost` entries of a list may go with its release `version`, which is `manifest` and no other.

    An entry is lost when it is withdrawn, and when it ends sooner or has one of its hashes taken away (wire.losses).
    `held` is how many the list has before it, and `made_at` when it was asked for: for people; the hub holds `held`
    against the list. Documents of before they were said have neither.
    """

    list_id: str
    list_name: str
    version: int
    lost: int
    manifest: ObjectRef
    held: int | None = None
    made_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, body: bytes) -> Major:
        """From bytes whose digest was checked. Raises MalformedMajor."""
        document = read_object(body, limit=limits.MAX_MAJOR, error=MalformedMajor, what="major document")
        fields = Fields(document, where="major", error=MalformedMajor)
        if fields.text("format") != FORMAT:
            fields.fail(f"format is not {FORMAT}")
        if fields.texts("requires", limit=64):
            fields.fail("requires what this version of hashshare does not know")
        identity = fields.nested("list")
        list_id = identity.text("id", pattern=LIST_ID)
        return cls(
            list_id=list_id,
            list_name=identity.text("name", pattern=LIST_NAME, limit=320),
            version=fields.count("version", at_least=1),
            lost=fields.count("lost", at_least=1),
            manifest=ObjectRef.read(fields.nested("manifest"), path=manifest_path(list_id), limit=limits.MAX_MANIFEST),
            held=fields.optional("held", lambda name: fields.count(name, at_least=1), None),
            made_at=fields.optional("made_at", fields.moment, None),
            extra=fields.rest,
        )

    def to_bytes(self) -> bytes:
        """The document; `Major.parse(m.to_bytes()) == m`."""
        return write_object(
            {
                "format": FORMAT,
                "requires": [],
                "list": {"id": self.list_id, "name": self.list_name},
                "version": self.version,
                "lost": self.lost,
                "manifest": self.manifest.to_json(),
                **({} if self.held is None else {"held": self.held}),
                **({} if self.made_at is None else {"made_at": write_time(self.made_at)}),
                **self.extra,
            }
        )

    @property
    def path(self) -> str:
        return major_path(self.list_id, version=self.version)

    @property
    def ref(self) -> ObjectRef:
        return ObjectRef.of(self.path, self.to_bytes())

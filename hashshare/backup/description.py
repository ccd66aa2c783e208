"""What a backup says of itself, `backup.json`: of which hub, of when, made with what, and what belongs to it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from hashshare.wire.documents import Fields, read_object, write_time
from hashshare.wire.errors import BadBackup

FORMAT: Final = "hashshare-backup/1"
KIND: Final = re.compile(r"hashshare-backup/([1-9][0-9]{0,5})")
MAX_DESCRIPTION: Final = 256 * 1024
SHA256: Final = re.compile(r"[0-9a-f]{64}")
LINE: Final = re.compile(r"[^\x00-\x1f\x7f]{0,500}")
ID: Final = re.compile(r"[0-9a-f]{32}")
COPIED, NAMED = "copied", "named"


@dataclass(frozen=True, slots=True)
class Description:
    """`made_at` is before the moment of the database. `url` is the hub's public address. `postgresql` is the major
    version of the programs that dumped it, `migrations` the newest one of each application.

    `objects`: "copied" into the backup, or only "named" in SHA256SUMS. `files` and `size` (bytes) count what is in it.
    `sums` and `keys` are the SHA-256 of these two files.
    """

    id: str
    made_at: datetime
    name: str
    url: str
    software: str
    postgresql: int
    migrations: dict[str, str]
    objects: str
    files: int
    size: int
    sums: str
    keys: str = ""

    def bound(self) -> bytes:
        """What the sealed keys are bound to: all but their own digest."""
        return replace(self, keys="").to_bytes()

    def to_bytes(self) -> bytes:
        document = {
            "format": FORMAT,
            "id": self.id,
            "made_at": write_time(self.made_at),
            "hub": {"name": self.name, "url": self.url},
            "software": self.software,
            "postgresql": self.postgresql,
            "migrations": self.migrations,
            "objects": self.objects,
            "files": self.files,
            "bytes": self.size,
            "sums": self.sums,
            "keys": self.keys,
        }
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    @classmethod
    def parse(cls, body: bytes) -> Description:
        """Raises BadBackup for what is damaged, foreign, or of another format, which it names."""
        document = read_object(body, limit=MAX_DESCRIPTION, error=BadBackup, what="description of the backup")
        check_format(document.get("format"))
        fields = Fields(document, where="backup.json", error=BadBackup)
        fields.take("format")
        hub = Fields(_object(fields.take("hub")), where="backup.json: hub", error=BadBackup)
        migrations = _object(fields.take("migrations"))
        return cls(
            id=fields.text("id", pattern=ID),
            made_at=fields.moment("made_at"),
            name=hub.text("name", pattern=LINE),
            url=hub.text("url", pattern=LINE),
            software=fields.text("software", pattern=LINE),
            postgresql=fields.count("postgresql", at_least=1),
            migrations={str(app): str(name) for app, name in migrations.items()},
            objects=fields.text("objects", pattern=re.compile(f"{COPIED}|{NAMED}")),
            files=fields.count("files"),
            size=fields.count("bytes"),
            sums=fields.text("sums", pattern=SHA256),
            keys=fields.text("keys", pattern=SHA256),
        )


def check_format(text: Any) -> None:
    """Raises BadBackup, in words for what the operator should do."""
    if text == FORMAT:
        return
    if isinstance(text, str) and KIND.fullmatch(text):
        raise BadBackup(
            f"The backup is in the format {text}; this version of hashshare reads {FORMAT}.",
            next_step="Restore it with the hashshare that made it (`software` in backup.json), then upgrade.",
        )
    raise BadBackup("This is not a backup of hashshare.")


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > 1000:
        raise BadBackup("The description of the backup is damaged.")
    return value

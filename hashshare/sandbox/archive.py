"""The harmless files as a zip: what matches the sandbox list, what did for a while, what comes, and what never does."""

from __future__ import annotations

import csv
import functools
import io
import zipfile
from typing import Final

from hashshare.sandbox.contents import ADDED, FIRST, FOR_GOOD, NEVER, TAKEN, listed_from, withdrawn_at
from hashshare.sandbox.files import HarmlessFile, harmless_file

NAME: Final = "hashshare-sandbox.zip"
FOLDERS: Final = (
    ("listed", range(FOR_GOOD)),
    ("withdrawn", range(FOR_GOOD, FOR_GOOD + 4 * TAKEN)),
    ("arriving", range(FIRST, FIRST + 2 * ADDED)),
    ("never-listed", NEVER),
)

README: Final = f"""\
Synthetic and harmless files, drawn by the hub's own program, to integrate against its sandbox list.

listed/        {FOR_GOOD} files that are on the list at every version: each must match.
withdrawn/     on the list at first, withdrawn in versions 2 to 5: from then on none may match.
arriving/      come in versions 2 and 3, and go again later (expected.csv has each version).
never-listed/  never on the list: none may match.

On a machine that is enrolled and has synced the sandbox:

    hashshare scan .

expected.csv has the digests of each file, the first version that lists it and the first that does no more.
"""


@functools.cache
def sandbox_zip() -> bytes:
    """About 210 KB; the same bytes everywhere."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "README.txt", README.encode())
        _add(archive, "expected.csv", _expected().encode())
        for folder, numbers in FOLDERS:
            for file in map(harmless_file, numbers):
                _add(archive, f"{folder}/{file.name}", file.body)
    return body.getvalue()


def _add(archive: zipfile.ZipFile, name: str, body: bytes) -> None:
    about = zipfile.ZipInfo(f"hashshare-sandbox/{name}", date_time=(2026, 1, 1, 0, 0, 0))
    about.external_attr = 0o644 << 16
    archive.writestr(about, body)


def _expected() -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "sha256", "md5", "sha1", "listed_from_version", "withdrawn_at_version"])
    for folder, numbers in FOLDERS:
        for file in map(harmless_file, numbers):
            writer.writerow([f"{folder}/{file.name}", file.sha256, file.md5, file.sha1, *_versions(folder, file)])
    return text.getvalue()


def _versions(folder: str, file: HarmlessFile) -> tuple[object, object]:
    if folder == "never-listed":
        return "", ""
    return listed_from(file.number), withdrawn_at(file.number) or ""

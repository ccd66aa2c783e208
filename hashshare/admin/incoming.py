"""A file on its way from a browser: streamed to the disk, hashed while it comes, stopped at its limit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest

from hashshare.wire.errors import BadInput, TooLarge
from hashshare.wire.limits import MIB

FORM_ROOM: Final = 64 * 1024
"""Bytes that a form has besides its file."""

END: Final = "end"
"""The form's last field: where it is missing, the rest of the form did not arrive."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """`path` lasts as long as the request."""

    path: Path
    name: str
    digest: str


class HashingHandler(TemporaryFileUploadHandler):
    """Django's handler for large files, whatever their size, with their SHA-256. Raises StopUpload past `limit`."""

    def __init__(self, request: HttpRequest, *, limit: int) -> None:
        super().__init__(request)
        self.limit, self.stopped, self.digests = limit, False, dict[str, str]()
        self._seen = hashlib.sha256()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._seen = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > self.limit:
            self.stopped = True
            raise StopUpload(connection_reset=True)
        self._seen.update(raw_data)
        super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        self.digests[self.field_name or ""] = self._seen.hexdigest()
        return super().file_complete(file_size)


def limit_bytes() -> int:
    return int(settings.HASHSHARE_DRAFT_MIB) * MIB


def expect_file(request: HttpRequest) -> HashingHandler:
    """Before anything of the body is read. Raises TooLarge for a body that announces more than may come."""
    handler = HashingHandler(request, limit=limit_bytes())
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > handler.limit + FORM_ROOM:
        raise too_large()
    request.upload_handlers = [handler]
    return handler


def received_file(request: HttpRequest, handler: HashingHandler, *, field: str) -> Incoming:
    """Raises TooLarge, BadInput when no file came, or not all of it."""
    file = request.FILES.get(field)
    if handler.stopped:
        raise too_large()
    if END not in request.POST:
        raise BadInput("The file did not arrive whole, and what came was thrown away.", next_step="Upload it again.")
    if not isinstance(file, TemporaryUploadedFile):
        raise BadInput("No file was chosen.", next_step="Choose the CSV file first.")
    return Incoming(Path(file.temporary_file_path()), str(file.name), handler.digests[field])


def too_large() -> TooLarge:
    return TooLarge(
        f"A file may have at most {settings.HASHSHARE_DRAFT_MIB:,} MiB. Nothing of it was kept.",
        next_step="Upload it in parts as changes, or publish it with the command line.",
    )

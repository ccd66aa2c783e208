"""What is left out of the log because it happens all the time and means nothing."""

from __future__ import annotations

import logging
from http import HTTPStatus


class WorthALine(logging.Filter):
    """Leaves out that a publisher has no next root, which every TUF client asks for at every refresh."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = str(getattr(getattr(record, "request", None), "path", ""))
        missing = getattr(record, "status_code", None) == HTTPStatus.NOT_FOUND
        return not (missing and "/tuf/" in path and path.endswith(".root.json"))

"""Errors as RFC 9457 documents for jobs and commits: the same members as the API answers with."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hashshare.wire.errors import HashshareError


def problem_document(error: HashshareError) -> dict[str, Any]:
    """`type`, `title`, `status`, `detail`, `next_step` if there is one, then the error's facts."""
    document: dict[str, Any] = {
        "type": f"{settings.HASHSHARE_PUBLIC_URL}/problems/{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
    }
    if error.next_step:
        document["next_step"] = error.next_step
    return {**error.facts, **document}

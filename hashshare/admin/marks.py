"""How a state is shown: a word with a mark before it; the colour only repeats what the word says."""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hashshare.wire.fingerprints import spoken

DASH: Final = "\N{EN DASH}"

SHORT: Final = len("SHA256:") + 12
"""Characters of a key's fingerprint that tell it from the organisation's others."""

TONES: Final[dict[str, str]] = {
    **dict.fromkeys(("active", "published", "accepted", "done", "used", "applied", "purged", "sealed"), "good"),
    "settled": "good",
    "open": "bad",
    **dict.fromkeys(("in time", "on time", "in the log", "up to date"), "good"),
    **dict.fromkeys(("suspended", "rejected", "failed", "denied", "revoked", "overdue", "late"), "bad"),
    **dict.fromkeys(("withdrawn", "expired", "ended", "closed", "access ended", "soon", "standby not named"), "warn"),
    "new witness key": "warn",
    **dict.fromkeys(("behind", "never synced", "terms to accept", "terms changed", "to apply"), "warn"),
    **dict.fromkeys(("frozen", "verified", "self-reported"), "good"),
    "returned": "warn",
    "served": "good",
    "not published": "bad",
    **dict.fromkeys(("sent back", "thrown away"), "warn"),
    "hub key not named": "bad",
    **dict.fromkeys(("differs", "silent", "alarmed"), "bad"),
    "following": "good",
    "changed": "bad",
}
"""Tone by state word; every other state is one of waiting."""


def mark(state: str) -> SafeString:
    return format_html('<span class="state state-{}">{}</span>', TONES.get(state, "wait"), state)


def coded(text: str) -> SafeString:
    """What stands between backticks as code."""
    words = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", it) if place % 2 else it,) for place, it in words)
    )


def yes_or_no(is_so: bool) -> str:
    return "yes" if is_so else "no"


def number(value: int | None) -> str:
    """With thousands separators; a dash where there is none."""
    return DASH if value is None else f"{value:,}"


def duration(seconds: float | None) -> str:
    """In its two largest units, such as 2 d 4 h or 3 min 20 s; a dash where there is none."""
    if seconds is None:
        return DASH
    left, parts = int(seconds), list[str]()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(parts[:2]).strip() or "under 1 s"


def in_groups(digest: str) -> str:
    """A fingerprint as people read it aloud, with the checks that the command line shows; "" for none."""
    return spoken(digest) if digest else ""

"""How a state is shown: a word with a mark before it; the colour only repeats what the word says."""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

DASH: Final = "\N{EN DASH}"

TONES: Final[dict[str, str]] = {
    **dict.fromkeys(("active", "published", "accepted", "done", "used"), "good"),
    **dict.fromkeys(("suspended", "rejected", "failed", "denied", "revoked"), "bad"),
    **dict.fromkeys(("withdrawn", "expired", "ended", "closed"), "warn"),
}
"""Tone by state word; every other state is one of waiting."""


def mark(state: str) -> SafeString:
    return format_html('<span class="state state-{}">{}</span>', TONES.get(state, "wait"), state)


def number(value: int | None) -> str:
    """With thousands separators; a dash where there is none."""
    return DASH if value is None else f"{value:,}"


def in_groups(digest: str) -> str:
    """A fingerprint as people read it aloud: in groups of four."""
    return " ".join(digest[i : i + 4] for i in range(0, len(digest), 4))

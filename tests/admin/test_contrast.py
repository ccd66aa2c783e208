"""Each pair of text and ground of the tokens has the contrast that WCAG 2.2 asks for at level AA, light and dark."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
GROUNDS = ("ground", "surface", "wash")
TEXT = 4.5
NOT_TEXT = 3.0
"""Boundaries of controls and the marks of charts (WCAG 1.4.11)."""

ON_GROUNDS = ("text", "muted", "accent", "accent-strong", "good", "warn", "bad")
ON_WASHES = {
    "accent-wash": ("text", "accent", "accent-strong"),
    "good-wash": ("text", "good", "accent"),
    "warn-wash": ("text", "warn", "accent"),
    "bad-wash": ("text", "bad", "accent"),
    "accent": ("on-accent",),
    "accent-strong": ("on-accent",),
    "bad": ("on-bad",),
    "bad-strong": ("on-bad",),
}
MARKS = ("control", "series", *(f"series-{number}" for number in range(1, 7)))


def pairs() -> list[tuple[str, str, float]]:
    texts = [(text, ground, TEXT) for text, ground in product(ON_GROUNDS, GROUNDS)]
    texts += [(text, ground, TEXT) for ground, on_it in ON_WASHES.items() for text in on_it]
    return texts + [(mark, ground, NOT_TEXT) for mark, ground in product(MARKS, ("ground", "surface"))]


def tokens() -> dict[str, tuple[str, str]]:
    found = finders.find("hashshare/tokens.css")
    assert isinstance(found, str)
    return {name: (light, dark) for name, light, dark in TOKEN.findall(Path(found).read_text())}


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_high_enough_in_every_pair(scheme: str) -> None:
    colours = {name: pair[scheme == "dark"] for name, pair in tokens().items()}
    low = [
        f"{text} on {ground}: {contrast(colours[text], colours[ground]):.2f}, needs {least}"
        for text, ground, least in pairs()
        if contrast(colours[text], colours[ground]) < least
    ]
    assert low == []


def test_it_is_computed_as_the_specification_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def test_no_other_sheet_names_a_colour_of_its_own() -> None:
    """Else this test would not see it."""
    folder = Path(str(finders.find("hashshare/tokens.css"))).parent
    named = {
        f"{sheet.name}: {colour}"
        for sheet in folder.glob("*.css")
        for colour in re.findall(r":[^;{}]*(#[0-9a-fA-F]{3,8})\b", sheet.read_text())
        if sheet.name != "tokens.css"
    }
    assert named == set()

"""Who is in a demonstration. None of them exists; they are named after skies, stones and waters."""

from __future__ import annotations

from typing import Final, NamedTuple


class Role(NamedTuple):
    """One person who can sign in: `organisation` by slug, "" for the hub's own."""

    email: str
    name: str
    role: str
    organisation: str


PEOPLE: Final = (
    Role("operator@north.example", "Odile Marsh", "operator", ""),
    Role("ana@aurora.example", "Ana Lindqvist", "analyst", "aurora"),
    Role("bram@aurora.example", "Bram de Wit", "analyst", "aurora"),
    Role("cleo@cobalt.example", "Cleo Ferrari", "engineer", "cobalt"),
    Role("dana@delta.example", "Dana Weiss", "observer", "delta"),
)
"""A second analyst, because what one submits another approves."""

FIRST_NAMES: Final = (
    "Alma",
    "Bruno",
    "Chioma",
    "Dilan",
    "Elif",
    "Farid",
    "Greta",
    "Hana",
    "Ivo",
    "Jun",
    "Kofi",
    "Lena",
)
LAST_NAMES: Final = ("Arnold", "Brandt", "Costa", "Dahl", "Eze", "Fontaine", "Gallo", "Holm", "Ito", "Jansen", "Khan")

HOTLINES: Final = ("Aurora", "Borealis", "Cirrus", "Dawn", "Equinox")
MEMBERS: Final = (
    "Cobalt", "Granite", "Basalt", "Feldspar", "Gypsum", "Jasper", "Marble", "Obsidian", "Onyx", "Opal", "Pumice",
    "Quartz", "Sandstone", "Slate", "Topaz", "Amber", "Beryl", "Calcite", "Dolomite", "Flint", "Garnet", "Halite",
    "Ilmenite", "Jade", "Kyanite", "Limestone", "Malachite", "Nephrite", "Olivine", "Peridot", "Rutile",
)  # fmt: skip
PARTNERS: Final = ("Delta", "Estuary", "Fjord", "Lagoon", "Meander", "Strait")

COUNTRIES: Final = ("GB", "NL", "SE", "DE", "FR", "CA", "US", "AE", "JP", "BR", "ZA", "AU", "IE", "ES", "PL", "KR")
SECTORS: Final = ("Hosting", "Social media", "Cloud storage", "Messaging", "Search", "Network operator", "Games")


class Subject(NamedTuple):
    """What a list is about, and what it has."""

    slug: str
    title: str
    algorithms: tuple[str, ...]
    scheme: str
    columns: tuple[str, ...]


SUBJECTS: Final = (
    Subject(
        "images", "Known images", ("sha256", "md5", "sha1", "pdq"), "uk-abc",
        ("category", "age_band", "media", "origin", "first_seen"),
    ),
    Subject("video", "Known video", ("sha256", "md5"), "uk-abc", ("category", "age_band", "media", "first_seen")),
    Subject(
        "perceptual", "Perceptual hashes", ("pdq", "md5"), "interpol-baseline", ("category", "media", "pdq_quality")
    ),
    Subject("self-generated", "Self-generated images", ("sha256", "pdq"), "uk-abc", ("category", "age_band", "media")),
    Subject("legacy", "Older collections", ("md5", "sha1"), "interpol-baseline", ("category", "media")),
)  # fmt: skip

ACTIONS: Final = (
    ("take-hashes", "Take hashes of known images from a hotline, and apply them to what is uploaded"),
    ("remove-known", "Find and remove what is already there, within a year"),
    ("report-back", "Acknowledge withdrawals within 24 hours"),
    ("support-hotlines", "Support hotlines with staff or funds"),
)


def numbered(names: tuple[str, ...], count: int) -> list[str]:
    """So many names: the list once, then with numbers."""
    return [names[i % len(names)] + (f" {i // len(names) + 1}" if i >= len(names) else "") for i in range(count)]


def slug_of(name: str) -> str:
    return name.lower().replace(" ", "-")

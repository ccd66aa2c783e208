"""What the coalition statistics measure, each with the definition that is shown under its figure.

docs/statistics.md tells the same definitions. Pure: words only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Measure:
    """`kind` is "level" (the state at the end of the period), "count" (what happened within it) or "lag" (seconds)."""

    metric: str
    name: str
    unit: str
    kind: Literal["level", "count", "lag"]
    definition: str


_ALL: Final = (
    Measure(
        "members",
        "Members",
        "organisations",
        "level",
        "Companies and other organisations that receive lists and whose access is in force. Those that agreed to be "
        "named are counted exactly, the others rounded to 5.",
    ),
    Measure(
        "hotlines",
        "Hotlines",
        "organisations",
        "level",
        "Organisations that publish lists and whose access is in force.",
    ),
    Measure(
        "partners",
        "Governments and other partners",
        "organisations",
        "level",
        "Governments, international and non-governmental organisations that see these statistics.",
    ),
    Measure(
        "lists",
        "Lists",
        "lists",
        "level",
        "Hash lists with a published version that their hotline has not closed, private ones included.",
    ),
    Measure(
        "entries",
        "Entries in force",
        "entries",
        "level",
        "Entries on all lists together that were not withdrawn and have not expired. An item that is on two lists "
        "counts twice.",
    ),
    Measure(
        "hashes",
        "Hashes",
        "hashes",
        "level",
        "Hashes of the entries in force, by algorithm. One entry may have several, so hashes and entries are never "
        "added up.",
    ),
    Measure(
        "releases",
        "Releases",
        "releases",
        "count",
        "New versions of a list that were verified and published. Rejected ones do not count.",
    ),
    Measure(
        "upserts",
        "Added or changed",
        "entries",
        "count",
        "Entries that hotlines added, changed or took up again in published releases.",
    ),
    Measure(
        "withdrawals",
        "Withdrawn",
        "entries",
        "count",
        "Entries that hotlines took back in published releases, for whatever reason.",
    ),
    Measure(
        "expired",
        "Expired",
        "entries",
        "count",
        "Entries that ended by the date which their hotline had given them.",
    ),
    Measure(
        "overlap",
        "On lists of two hotlines",
        "entries",
        "level",
        "Entries whose key hash is on a list of each of the two hotlines, by the algorithm of the key. Lists with "
        "different keys are not compared.",
    ),
    Measure(
        "deliveries",
        "Deliveries",
        "deliveries",
        "count",
        "Times that a list's current version was handed to an organisation in full. Polls without news do not count. "
        "Those to organisations that have not agreed to be named are rounded to 5.",
    ),
    Measure(
        "members_expected",
        "Members with something to apply",
        "organisations",
        "level",
        "Members that have had access to a list with a published version for at least 24 hours.",
    ),
    Measure(
        "members_current",
        "Members current within 24 hours",
        "organisations",
        "level",
        "Of the members that have had access to a list with a published version for at least 24 hours, those that "
        "stated to have applied every version of their lists that is older than 24 hours.",
    ),
    Measure(
        "applied_median",
        "Publication to use, median",
        "",
        "lag",
        "From the publication of a version until a member's signed statement that it applied it: half of all took "
        "no longer. Over every version and entitled member, in the period in which the statement came; rounded up to "
        "minutes.",
    ),
    Measure(
        "applied_p90",
        "Publication to use, 90 %",
        "",
        "lag",
        "The same: nine of ten took no longer.",
    ),
    Measure(
        "withdrawal_applied_median",
        "Withdrawal to acknowledgement, median",
        "",
        "lag",
        "From the publication of a version that took entries back until a member's signed statement that it applied "
        "it: half of all took no longer.",
    ),
    Measure(
        "withdrawal_applied_p90",
        "Withdrawal to acknowledgement, 90 %",
        "",
        "lag",
        "The same: nine of ten took no longer.",
    ),
)

MEASURES: Final[dict[str, Measure]] = {measure.metric: measure for measure in _ALL}
"""By metric, in the order of the page."""

PARTS: Final[dict[str, str]] = {
    "algorithm": "By the algorithm of the hash.",
    "category": "By the category that the hotline gave, each in its own classification scheme; schemes are not "
    "converted into each other.",
    "age_band": "By the apparent age band that the hotline gave.",
    "media": "By the kind of media that the hash was made of. Only hashes are shared, never media.",
    "origin": "By the origin that the hotline gave.",
    "reason": "As the hotline said, in the four words that members see: incorrect, superseded, expired, other.",
    "country": "By the country in which the organisation is based.",
    "sector": "By the sector that the member belongs to.",
    "hotline": "By the domain name under which the hotline publishes.",
}
"""What is said of a division, behind the definition of what is divided."""

TOO_FEW: Final = "Not shown: fewer than five members that have not agreed to be named stand behind it."
NOT_STATED: Final = "not stated"

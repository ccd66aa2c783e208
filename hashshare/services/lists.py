"""Creating lists. What a list declares here is what its manifests must say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from hashshare.models import HashList
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import home_publisher
from hashshare.wire import errors
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import PLACE
from hashshare.wire.plain_text import check_name

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
TUF_ID = re.compile(r"[0-9a-f]{16}")
POLICIES = ("none", "named", "federation")
MIN_POLL, MAX_POLL = 10, 86_400
MIN_DEADLINE, MAX_DEADLINE = 1, 8_760
"""Hours: a year at most."""
MAX_TERMS = 200_000


def create_list(
    *,
    caller: Caller,
    publisher: str,
    slug: str,
    tuf_id: str,
    title: str,
    algorithms: Sequence[str],
    scheme: str,
    now: datetime,
    description: str = "",
    columns: Sequence[str] = (),
    terms: str = "",
    visibility: str = HashList.Visibility.CATALOGUE,
    redistribution: Mapping[str, Any] | None = None,
    poll_seconds: int = 300,
    deadline_hours: int = 24,
) -> HashList:
    """A draft list of the caller's publisher. The same list created again answers the row that stands.

    Raises NotEntitled (not the caller's publisher), UsageError, UnknownAlgorithm, Conflict (slug or id taken).
    """
    caller.require_write()
    owner = home_publisher(caller=caller, domain=publisher)
    fmt = ListFormat(tuple(algorithms), scheme, tuple(columns))
    declared = HashList(
        publisher=owner,
        slug=slug,
        tuf_id=tuf_id,
        title=title.strip()[:200],
        description=description,
        algorithms=list(fmt.algorithms),
        scheme=fmt.scheme,
        columns=list(fmt.columns),
        terms=terms,
        terms_digest=terms_digest(terms),
        visibility=visibility,
        redistribution=checked_redistribution(redistribution or {"policy": "none"}),
        poll_seconds=poll_seconds,
        deadline_hours=deadline_hours,
        created_at=now,
    )
    check_words(declared)
    try:
        with transaction.atomic():
            declared.save(force_insert=True)
    except IntegrityError as error:
        return the_same(declared, error)
    return declared


def check_words(row: HashList) -> None:
    """Raises UsageError."""
    if not SLUG.fullmatch(row.slug):
        raise errors.UsageError("A list's name has lower-case letters, digits and hyphens, 63 at most.")
    if not TUF_ID.fullmatch(row.tuf_id):
        raise errors.UsageError("A list's id has 16 lower-case hexadecimal digits, chosen at random.")
    if not row.title:
        raise errors.UsageError("A list needs a title.")
    check_name(row.title, what="The title")
    if row.visibility not in HashList.Visibility.values:
        raise errors.UsageError(f"The visibility is one of {', '.join(HashList.Visibility.values)}.")
    if not MIN_POLL <= row.poll_seconds <= MAX_POLL:
        raise errors.UsageError(f"The poll interval is {MIN_POLL} to {MAX_POLL} seconds.")
    if not MIN_DEADLINE <= row.deadline_hours <= MAX_DEADLINE:
        raise errors.UsageError(f"The deadline for withdrawals is {MIN_DEADLINE} to {MAX_DEADLINE} hours.")
    if len(row.terms) > MAX_TERMS:
        raise errors.UsageError(f"The terms have at most {MAX_TERMS} characters.")


def checked_redistribution(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Raises UsageError unless it is {"policy", "peers"?, "not_in"?}."""
    if policy.get("policy") not in POLICIES or set(policy) - {"policy", "peers", "not_in"}:
        raise errors.UsageError(f"The redistribution policy is one of {', '.join(POLICIES)}.")
    for name in ("peers", "not_in"):
        words = policy.get(name, [])
        if not isinstance(words, list) or not all(map(is_name, words)) or len(words) > 256:
            raise errors.UsageError(f"redistribution.{name} is a list of names.")
    return dict(policy)


def is_name(word: object) -> bool:
    return isinstance(word, str) and PLACE.fullmatch(word) is not None


def terms_digest(terms: str) -> str:
    """Lower-case hex SHA-256 of the terms' UTF-8 text: what a subscriber accepts."""
    return hashlib.sha256(terms.encode()).hexdigest()


def the_same(declared: HashList, cause: IntegrityError) -> HashList:
    """The existing row if it is this very list, as when the first answer got lost."""
    standing = HashList.objects.select_related("publisher").filter(publisher=declared.publisher, slug=declared.slug)
    row = standing.filter(tuf_id=declared.tuf_id).first()
    same = ("algorithms", "scheme", "columns", "terms_digest", "visibility", "redistribution", "title")
    if row is None or any(getattr(row, name) != getattr(declared, name) for name in same):
        raise errors.Conflict("A list of that name or id exists already.") from cause
    return row

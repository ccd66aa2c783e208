"""The catalogue, a list's description, and the heads that clients poll."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from hashshare.models import HashList, Metadata, Organisation, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.compiled import CompiledQuery
from hashshare.selectors.entitlements import key_in_force, readable_by, readable_lists, visible_list, visible_lists


@dataclass(frozen=True, slots=True)
class Head:
    """`name` is `publisher/slug`, `id` the TUF role; a list without a release is not among the heads.

    `root_version` is that of the publisher's newest root, `root_fingerprint` of its first: a root that changes alone
    moves no list.
    """

    name: str
    id: str
    publisher: str
    role_version: int
    version: int
    published_at: datetime
    root_version: int
    root_fingerprint: str


@dataclass(frozen=True, slots=True)
class ListDetail:
    """A list with the caller's newest subscription to it, if any; `own` if the caller publishes it."""

    list: HashList
    subscription: Subscription | None
    own: bool


def published(marks: Mapping[str, Any]) -> QuerySet[HashList, tuple[Any, ...]]:
    """What is told of every list with a release that the organisation may read."""
    return _told(readable_by(marks["organisation"], now=marks["now"]))


def published_to_hub(*, caller: Caller, now: datetime) -> QuerySet[HashList, tuple[Any, ...]]:
    """The same of the lists that may cross to the hub, whose conditions are the peer's own; and of none by a token
    whose key is no longer in force.
    """
    rows = readable_lists(caller=caller, now=now)
    if caller.via == "token":
        rows = rows.filter(key_in_force(fingerprint=caller.key_id, organisation=caller.organisation.pk, now=now))
    return _told(rows)


def _told(lists: QuerySet[HashList]) -> QuerySet[HashList, tuple[Any, ...]]:
    rows = lists.filter(role_version__gt=0)
    roots = Metadata.objects.filter(publisher=OuterRef("publisher"), role="root").order_by("-version")
    rows = rows.annotate(root_version=Subquery(roots.values("version")[:1]))
    return rows.order_by("publisher__domain", "slug").values_list(
        *("publisher__domain", "slug", "tuf_id", "role_version", "version", "published_at"),
        *("root_version", "publisher__root_fingerprint"),
    )


MARKS: dict[str, Any] = {"organisation": uuid.UUID(int=1), "now": datetime(1, 1, 1, tzinfo=UTC)}
HEADS = CompiledQuery(published, **MARKS)
HEADS_BY_TOKEN = CompiledQuery(
    lambda marks: published(marks).filter(key_in_force(**marks)), fingerprint="\ue000", **MARKS
)


def heads(*, caller: Caller, now: datetime) -> list[Head]:
    """Every published list that the caller may read, in one query (a hub's in two) and without a write.

    None for a caller by a token whose key is no longer in force: the one query asks for that too.
    """
    who: dict[str, Any] = {"organisation": caller.organisation.pk, "now": now}
    rows: Iterable[tuple[Any, ...]]
    if caller.organisation.kind == Organisation.Kind.HUB:
        rows = published_to_hub(caller=caller, now=now)
    else:
        rows = HEADS_BY_TOKEN.rows(fingerprint=caller.key_id, **who) if caller.via == "token" else HEADS.rows(**who)
    return [
        Head(f"{domain}/{slug}", tuf_id, domain, role_version, version, published_at, root_version or 0, fingerprint)
        for domain, slug, tuf_id, role_version, version, published_at, root_version, fingerprint in rows
    ]


def heads_tag(rows: list[Head]) -> str:
    """A strong entity tag's text (without quotes) for exactly these heads."""
    # No field can hold a line break, so no two sets of heads make the same text.
    text = "".join(
        f"{row.name} {row.id}\n{row.role_version} {row.version} {row.published_at}\n"
        f"{row.root_version} {row.root_fingerprint}\n"
        for row in rows
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def list_ids_of(*, organisation: uuid.UUID) -> list[uuid.UUID]:
    """Of the lists that it publishes."""
    return list(HashList.objects.filter(publisher__organisation=organisation).order_by().values_list("pk", flat=True))


def catalogue(*, caller: Caller, query: str = "") -> list[ListDetail]:
    """Lists whose description the caller may see; `query` is looked for in name, title and description."""
    rows = visible_lists(caller=caller).order_by("publisher__domain", "slug")
    for word in query.split()[:8]:
        rows = rows.filter(
            Q(publisher__domain__icontains=word)
            | Q(slug__icontains=word)
            | Q(title__icontains=word)
            | Q(description__icontains=word)
        )
    return with_subscriptions(caller, list(rows))


def list_detail(*, caller: Caller, domain: str, slug: str) -> ListDetail:
    """Raises NotEntitled."""
    return with_subscriptions(caller, [visible_list(caller=caller, domain=domain, slug=slug)])[0]


def with_subscriptions(caller: Caller, rows: list[HashList]) -> list[ListDetail]:
    subscriptions = Subscription.objects.select_related("organisation", "list__publisher")
    mine = subscriptions.filter(organisation=caller.organisation, list__in=rows).order_by("requested_at")
    newest = {subscription.list_id: subscription for subscription in mine}
    return [
        ListDetail(row, newest.get(row.pk), own=row.publisher.organisation_id == caller.organisation.pk) for row in rows
    ]

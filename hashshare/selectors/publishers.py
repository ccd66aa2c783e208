"""Publishers and their roots, for first contact. What is learned here is unconfirmed until pinned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from hashshare.models import Metadata, Publisher
from hashshare.selectors.beginnings import open_beginning
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import visible_lists
from hashshare.wire import errors


@dataclass(frozen=True, slots=True)
class PublisherRoot:
    """`root` is root metadata version 1 as signed; `fingerprint` its SHA-256 in hex; `name` the hotline's.

    `mirrored_from`: the hub that it is copied from, empty where it is at home here.
    `anew_until`: its own hotline may put another first root in its place until then; None for everybody else.
    """

    domain: str
    name: str
    fingerprint: str
    root: bytes
    anew_until: datetime | None = None
    mirrored_from: str = ""


def publishers(*, caller: Caller) -> list[PublisherRoot]:
    """Those with a list that the caller can see, and its own, as far as they have a root."""
    lists = visible_lists(caller=caller).filter(publisher=OuterRef("pk"))
    mine = Q(organisation=caller.organisation)
    rows = Publisher.objects.filter(mine | Exists(lists)).exclude(root_fingerprint="").values_list("pk", flat=True)
    roots = Metadata.objects.select_related("publisher__organisation", "publisher__mirrored_from")
    roots = roots.filter(role="root", version=1, publisher__in=rows).order_by("publisher__domain")
    return [
        PublisherRoot(
            root.publisher.domain,
            root.publisher.organisation.name,
            root.publisher.root_fingerprint,
            root.content,
            mirrored_from=root.publisher.mirrored_from.name if root.publisher.mirrored_from else "",
        )
        for root in roots
    ]


def publisher(*, caller: Caller, domain: str, now: datetime) -> PublisherRoot:
    """Raises NotEntitled for one that is not among `publishers`, NotFound for an own one without a root."""
    found = next((row for row in publishers(caller=caller) if row.domain == domain), None)
    if found is not None:
        return replace(found, anew_until=anew_until(caller, domain, now))
    if Publisher.objects.filter(organisation=caller.organisation, domain=domain).exists():
        raise errors.NotFound(f"{domain} has no root yet.", next_step=f"Run: hashshare publisher init {domain}")
    raise errors.NotEntitled


def anew_until(caller: Caller, domain: str, now: datetime) -> datetime | None:
    own = Publisher.objects.filter(organisation=caller.organisation, domain=domain).first()
    beginning = open_beginning(own, now=now) if own is not None else None
    return beginning.ends_at if beginning is not None else None

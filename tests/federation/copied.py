"""A list of Aurora's as a hub has it that copies it from North: rows, as the mirror job leaves them."""

from __future__ import annotations

import secrets
from typing import Any

from federation.models import MirroredList, MirroredPublisher, TakenTerms
from hashshare.models import HashList, Organisation, Publisher, Subscription
from hashshare.services.lists import terms_digest
from hashshare.services.subscriptions import request_subscription
from hashshare.wire.manifest import Redistribution
from tests import builders as b
from tests.federation.builders import Hub, agreed, north

TERMS = "For detection only."


def copied_from(
    origin: Hub,
    policy: Redistribution | None = None,
    *,
    domain: str = "aurora.example",
    slug: str = "images",
    **facts: Any,
) -> HashList:
    """Under an agreement; its publisher is asked for each member, unless the list's `members` say something else."""
    publisher = Publisher.objects.filter(domain=domain).first() or _publisher(origin, domain)
    made = HashList.objects.create(
        publisher=publisher,
        slug=slug,
        tuf_id=secrets.token_hex(8),
        title="Known images",
        algorithms=["sha256"],
        terms=TERMS,
        terms_digest=terms_digest(TERMS),
        redistribution=(policy or Redistribution("federation")).to_record(),
        state=HashList.State.ACTIVE,
        version=3,
        role_version=3,
        published_at=b.now(),
    )
    MirroredList.objects.create(list=made, mirror=MirroredPublisher.objects.get(publisher=publisher))
    if facts:
        TakenTerms.objects.create(list=made, **facts)
    return made


def _publisher(origin: Hub, domain: str) -> Publisher:
    hotline = Organisation.objects.create(
        slug=domain.replace(".", "-"),
        name=domain.partition(".")[0].title(),
        kind="hotline",
        country="NL",
        state=Organisation.State.MIRRORED,
    )
    made = Publisher.objects.create(
        domain=domain, organisation=hotline, mirrored_from=origin.organisation, root_fingerprint="0" * 64
    )
    MirroredPublisher.objects.create(publisher=made, peer=origin.peer, root="0" * 64, path=[origin.name])
    return made


def scene(policy: Redistribution | None = None, **facts: Any) -> tuple[Hub, HashList]:
    """North, an agreement with it, and the copy."""
    origin = north()
    agreed(origin, "in")
    return origin, copied_from(origin, policy, **facts)


def asks(who: b.Party, found: HashList) -> Subscription:
    row, _ = request_subscription(
        caller=who.caller,
        domain=found.publisher.domain,
        slug=found.slug,
        terms_digest=found.terms_digest,
        now=b.now(),
    )
    return row

"""Hub South in a process and a database of its own, for tests in which this process is hub North.

    manage.py shell -c "from tests.federation.south_at_work import begin; begin()"
    manage.py shell -c "from tests.federation.south_at_work import work; work()"     with what North has, on stdin

It answers at no port: its member speaks to its API within the process, and it speaks to North over HTTP.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.utils import timezone

from federation.documents import HubDescriptor
from federation.models import Agreement, Peer, ReportCursor
from federation.services.reporting import send_reports
from hashshare.models import HashList, Organisation, Publisher, Release, Subscription
from hashshare.services.keys import add_key
from hashshare.wire.documents import write_object
from hashshare.wire.log import Acknowledgement, sign_acknowledgement
from tests.api.parties import CLIENT, HUB, enrolled


def begin() -> None:
    """Tell what it is."""
    print(CLIENT.get("/.well-known/hashshare", SERVER_NAME="127.0.0.1").content.decode())


def work() -> None:
    """Cobalt applies what North published; then North is told, until there is nothing more to tell."""
    given = json.load(sys.stdin)
    peer = known(given["descriptor"])
    images = copied(peer, given["list"], given["releases"])
    Agreement.objects.create(peer=peer, direction="in", publisher=images.publisher.domain)
    cobalt = enrolled("member", "Cobalt", country="PT")
    subscribed(images, cobalt.organisation)
    newest = given["releases"][-1]
    stated = Acknowledgement(
        organisation=cobalt.organisation.slug,
        hub=HUB,
        list_name=images.name,
        list_id=images.tuf_id,
        version=newest["version"],
        purged=newest["version"],
        manifest_sha256=newest["manifest_digest"],
        at=timezone.now(),
    )
    document = sign_acknowledgement(stated, key=cobalt.key)
    answer = cobalt.signed("POST", "acknowledgements", body=document, headers={"Content-Type": "application/json"})
    told = [send_reports(now=timezone.now()) for _ in range(2)]
    trouble = ReportCursor.objects.get().trouble
    print(json.dumps({"acknowledged": answer.status_code, "told": told, "trouble": trouble, "said": document.decode()}))


def known(said: dict[str, Any]) -> Peer:
    """The hub of that descriptor, accepted."""
    read = HubDescriptor.parse(write_object(said))
    organisation = Organisation.objects.create(
        slug="peer", name=read.hub, kind="hub", country="SE", state="active", named_since=timezone.now()
    )
    add_key(organisation=organisation, public_key=read.peer_key, name="peer key", now=timezone.now())
    return Peer.objects.create(
        name=read.hub,
        url=read.url,
        title=read.title,
        descriptor=said,
        fingerprint=read.fingerprint,
        peer_key=read.peer_key,
        witness_key=read.witness_key,
        log_key=read.log_key,
        state=Peer.State.ACTIVE,
        organisation=organisation,
        accepted_at=timezone.now(),
    )


def copied(peer: Peer, facts: dict[str, Any], releases: list[dict[str, Any]]) -> HashList:
    """The rows that mirroring makes."""
    hotline = Organisation.objects.create(slug="aurora", name="Aurora", kind="hotline", country="NL", state="mirrored")
    domain = facts.pop("domain")
    publisher = Publisher.objects.create(domain=domain, organisation=hotline, mirrored_from=peer.organisation)
    made = HashList.objects.create(publisher=publisher, state="active", **facts)
    for release in releases:
        Release.objects.create(list=made, state="published", published_at=timezone.now(), **release)
    return made


def subscribed(images: HashList, organisation: Organisation) -> None:
    """Since before anything was published."""
    at = images.releases.earliest("published_at").published_at
    names = dict.fromkeys(("requested_at", "terms_accepted_at", "entitled_at"), at)
    Subscription.objects.create(list=images, organisation=organisation, state="active", **names)

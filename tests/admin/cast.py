"""The people of the pages' tests, and rows of every table for two organisations that must not see each other."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Model
from django.test import Client
from django.utils import timezone

from federation.models import (
    Agreement,
    Cosigning,
    Finding,
    MemberRequest,
    Peer,
    RemoteHub,
    ReportCursor,
    WatchedLog,
    WitnessedLog,
)
from hashshare.admin.sessions import BACKEND, verified
from hashshare.models import (
    AccessKey,
    Acknowledgement,
    Beginning,
    Commit,
    Commitment,
    DailyStatistic,
    Deed,
    Delivery,
    ExpiryWarning,
    GuardedDigest,
    HashList,
    HostedKey,
    Invitation,
    Job,
    Log,
    Metadata,
    Organisation,
    OrganisationKey,
    Person,
    Publisher,
    Release,
    Reminder,
    Restoration,
    StatementAction,
    StatisticPeriod,
    StoredObject,
    Subscription,
)
from hashshare.selectors.callers import Caller
from hashshare.selectors.people import VERIFIED
from hashshare.services.access_keys import create_access_key
from hashshare.services.deeds import note_deed
from hashshare.services.invitations import enrol, invite_organisation, invite_person
from hashshare.services.logs import log_of
from hashshare.services.people import create_person
from tests.federation.builders import agreed, hub, introduced
from tests.federation.builders_witness import witnessed
from tests.vectors import generate

PASSWORD = "a sentence nobody guesses"


def person(role: str, organisation: Organisation | None = None) -> Person:
    host = f"{organisation.slug}.example" if organisation else "north.example"
    return create_person(email=f"{role}@{host}", role=role, organisation=organisation, password=PASSWORD)


def browser(who: Person) -> Client:
    """Signed in as `who`, as if by password and second factor a moment ago."""
    client = Client()
    sign_in(client, who)
    return client


def sign_in(client: Client, who: Person) -> None:
    client.force_login(who, backend=BACKEND)
    session = client.session
    session[VERIFIED] = verified(who, now=timezone.now())
    session.save()


def organisation(name: str, kind: str, *, domain: str = "", country: str = "NL") -> Organisation:
    """Invited and enrolled with a key."""
    now = timezone.now()
    domains = [domain] if domain else []
    invitation, code = invite_organisation(kind=kind, name=name, country=country, domains=domains, now=now)
    enrol(code=code, public_key=secrets.token_bytes(32), key_name=f"{name} host", now=now)
    assert invitation.organisation is not None
    invitation.organisation.refresh_from_db()
    return invitation.organisation


@dataclass(frozen=True, slots=True)
class Rows:
    """A row of every table that belongs to the hotline's list and, where there is one, to its subscriber."""

    hotline: Organisation
    member: Organisation
    of: dict[type[Model], Model]


def rows(hotline: Organisation, member: Organisation, domain: str) -> Rows:
    now = timezone.now()
    publisher = Publisher.objects.get(domain=domain)
    found = hash_list(publisher)
    job = Job.objects.create(kind="verify_release", organisation=hotline, state="done", worker=f"worker of {domain}")
    key = OrganisationKey.objects.filter(organisation=hotline).get()
    commit = Commit.objects.create(
        publisher=publisher, list=found, job=job, roles={found.tuf_id: "{}"}, state="accepted", submitted_by=key
    )
    access_key, _ = create_access_key(caller=Caller(member, "signature", "x"), name=f"cron {domain}", days=9, now=now)
    invitation, _ = invite_person(role="engineer", organisation=member, email=f"new@{member.slug}.example", now=now)
    published = release(found, commit, now)
    engineer = person("engineer", member)
    return Rows(
        hotline,
        member,
        {
            Organisation: hotline,
            OrganisationKey: key,
            AccessKey: access_key,
            Invitation: invitation,
            Person: engineer,
            Commitment: commitment(member, engineer, now),
            Publisher: publisher,
            Beginning: Beginning.objects.create(
                publisher=publisher,
                before="0" * 64,
                allowed_by="ada@north.example",
                reason=f"{domain} telephoned",
                ends_at=now + timedelta(days=30),
            ),
            HashList: found,
            HostedKey: HostedKey.objects.create(
                list=found, number=1, keyid=secrets.token_hex(32), public_key=secrets.token_bytes(32)
            ),
            Job: job,
            Commit: commit,
            Release: published,
            Log: log_of(publisher, now=now),
            Metadata: metadata(publisher, now),
            StoredObject: StoredObject.objects.create(
                list=found, name="base-1-0001.parquet", digest=secrets.token_hex(32), length=1234
            ),
            Subscription: Subscription.objects.create(list=found, organisation=member),
            Delivery: Delivery.objects.create(
                list=found, organisation=member, version=1, manifest_digest=secrets.token_hex(32), bytes=99
            ),
            Acknowledgement: Acknowledgement.objects.create(
                list=found, organisation=member, version=1, purged=1, manifest_digest=published.manifest_digest
            ),
            Reminder: Reminder.objects.create(release=published, organisation=member, recipients=1),
            ExpiryWarning: ExpiryWarning.objects.create(
                publisher=publisher,
                role=found.tuf_id,
                version=1,
                step="half",
                audience="organisation",
                subject=found.name,
                expires_at=now + timedelta(days=7),
                recipients=1,
            ),
        },
    )


def for_operators(author: Person, about: Organisation) -> dict[type[Model], Model]:
    """A row of each table that belongs to no organisation."""
    north = introduced(hub())
    witnessed(north, "corona.example")
    found = HashList.objects.filter(publisher__organisation=about).first() or HashList.objects.earliest("slug")
    return {
        Peer: north.peer,
        **{model: model._default_manager.get() for model in (Finding, Cosigning, WitnessedLog, WatchedLog)},
        ReportCursor: ReportCursor.objects.create(list=found, peer=north.peer),
        RemoteHub: RemoteHub.objects.create(list=found, peer=north.peer, mode="counts"),
        Agreement: agreed(north, "in", "corona.example"),
        MemberRequest: MemberRequest.objects.create(
            hub=about,
            list=found,
            origin=uuid.uuid4(),
            slug="ember",
            name="Ember",
            country="SE",
            kind="member",
            terms_digest=found.terms_digest,
            requested_at=timezone.now(),
        ),
        GuardedDigest: GuardedDigest.objects.create(algorithm="md5", digest=secrets.token_hex(16), note="empty page"),
        Restoration: Restoration.objects.create(
            backup="0" * 32, made_at=timezone.now(), recovered_at=timezone.now(), jump=1
        ),
        DailyStatistic: DailyStatistic.objects.create(day=timezone.now().date(), metric="members", value=4),
        StatisticPeriod: StatisticPeriod.objects.create(
            kind="week", start=date(2026, 11, 16), label="2026-W47", as_of=date(2026, 11, 22), made_at=timezone.now()
        ),
        StatementAction: StatementAction.objects.create(key="share-hashes", text="Match uploads against the lists."),
        Deed: note_deed(person=author, what="Suspend", about=about, reason="court order 17", now=timezone.now()),
    }


def hash_list(publisher: Publisher) -> HashList:
    return HashList.objects.create(
        publisher=publisher,
        slug="images",
        tuf_id=secrets.token_hex(8),
        title=f"Images of {publisher}",
        scheme="uk-abc",
        algorithms=["sha256"],
        terms_digest=hashlib.sha256(b"").hexdigest(),
        state="active",
        version=1,
    )


def commitment(signatory: Organisation, author: Person, now: datetime) -> Commitment:
    action, _ = StatementAction.objects.get_or_create(key="report", defaults={"text": "Report what is found."})
    return Commitment.objects.create(
        signatory=signatory,
        action=action,
        state="signed",
        source=f"https://{signatory.slug}.example/",
        dated=now.date(),
        entered_by=author,
    )


def release(found: HashList, commit: Commit, now: datetime) -> Release:
    return Release.objects.create(
        list=found,
        commit=commit,
        version=1,
        role_version=1,
        state="published",
        manifest_digest=secrets.token_hex(32),
        entries=1200,
        published_at=now,
    )


def metadata(publisher: Publisher, now: datetime) -> Metadata:
    body = generate.metadata()["root"]
    return Metadata.objects.create(
        publisher=publisher,
        role="root",
        version=1,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        expires_at=now + timedelta(days=365),
    )

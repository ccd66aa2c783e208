"""What a peer reports of its members is kept when it is signed, addressed, new and true of what was published here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from federation.models import (
    Agreement,
    HubTerms,
    Peer,
    RemoteAcknowledgement,
    RemoteCount,
    RemoteHub,
    RemoteMember,
    TakenReport,
)
from federation.reports import NamedMember, Statement, sign_report
from federation.selectors.elsewhere import elsewhere
from federation.services.reports import take_report
from hashshare.models import Leaf
from hashshare.services.subscriptions import decide_subscription
from hashshare.wire import errors, keys
from tests import builders as b
from tests.federation.builders import Hub, agreed, hub, north, south
from tests.federation.builders_evidence import (
    HOUR,
    RemoteCobalt,
    as_party,
    count,
    counts,
    given,
    report,
    send,
    version_2,
    withdrawing_feed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def from_south(db: None) -> Hub:
    """South takes Aurora's lists from here and tells of its members what they sign."""
    made = south()
    agreed(made, "out")
    return made


@pytest.fixture
def images(from_south: Hub) -> b.Feed:
    return withdrawing_feed(as_party(from_south))


@pytest.fixture
def cobalt(from_south: Hub) -> RemoteCobalt:
    return RemoteCobalt(from_south)


def nothing_kept() -> bool:
    kept = (RemoteHub, RemoteCount, RemoteMember, RemoteAcknowledgement)
    relayed = Leaf.objects.filter(kind="relayed").count()
    return not relayed and not any(model._default_manager.exists() for model in kept)


def test_it_keeps_numbers_members_and_what_these_signed(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    spoken = cobalt.statement(images, purged=1)
    taken = send(
        from_south,
        report(
            from_south,
            images,
            hubs=(counts(count(entitled=2, applied=1)),),
            members=(cobalt.named(name="Cobalt"), RemoteCobalt(from_south, "granite").named()),
            statements=(spoken,),
        ),
    )
    assert (taken.sequence, taken.previous) == (1, 0)
    (row,) = RemoteCount.objects.all()
    assert (row.version, row.entitled, row.applied, row.purged, row.overdue) == (2, 2, 1, 0, 0)
    assert dict(RemoteMember.objects.values_list("organisation", "name")) == {"cobalt": "Cobalt", "granite": ""}
    (kept,) = RemoteAcknowledgement.objects.all()
    assert (kept.statement, kept.version, kept.purged) == (spoken.document, 2, 1)
    assert (kept.key, bytes(kept.public_key)) == (keys.fingerprint_of(cobalt.key), spoken.key)


def test_the_same_report_again_is_answered_alike_and_an_older_one_is_refused(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    first = report(from_south, images, hubs=(counts(count(entitled=5)),))
    document = sign_report(replace(first, sequence=3), key=from_south.key)
    answers = [take_report(caller=from_south.caller, document=document, now=b.now()) for _ in range(2)]
    assert [(it.sequence, it.previous) for it in answers] == [(3, 0)] * 2
    for sequence in (1, 3):
        with pytest.raises(errors.StaleReport) as refusal:
            send(from_south, replace(first, sequence=sequence, hubs=(counts(count(entitled=6)),)))
        assert refusal.value.facts == {"sequence": 3}
    assert RemoteCount.objects.get().entitled == 5
    later = send(from_south, replace(first, sequence=9, hubs=(counts(count(entitled=7)),)))
    assert (later.sequence, later.previous, RemoteCount.objects.get().entitled) == (9, 3, 7)
    with pytest.raises(errors.StaleReport):
        take_report(caller=from_south.caller, document=document, now=b.now())
    assert RemoteCount.objects.get().entitled == 7


def test_reports_of_different_lists_have_numbers_of_their_own(from_south: Hub, images: b.Feed) -> None:
    other = b.feed(images.publisher, "videos")
    other.publish(other.first([b.entry()]))
    given(from_south, other)
    assert send(from_south, report(from_south, images, 5)).sequence == 5
    assert send(from_south, report(from_south, other, 1)).sequence == 1


def test_a_report_that_another_key_signed_is_refused(images: b.Feed, from_south: Hub) -> None:
    peer = north()
    given(peer, images)
    made = report(from_south, images, hubs=(counts(count()),))
    for key in (peer.key, keys.generate(), from_south.witness):
        with pytest.raises(errors.BadSignature):
            send(from_south, made, key=key)
    with pytest.raises(errors.BadSignature):  # South's own, brought by North
        take_report(caller=peer.caller, document=sign_report(made, key=from_south.key), now=b.now())
    with pytest.raises(errors.MalformedReport, match=r"from south\.example, but north\.example sends it"):
        send(peer, made)
    assert nothing_kept() and not TakenReport.objects.exists()


def test_a_report_for_another_hub_is_refused(images: b.Feed, from_south: Hub) -> None:
    with pytest.raises(errors.MalformedReport, match=r"for west\.example"):
        send(from_south, report(from_south, images, receiver="west.example"))


def test_a_report_about_a_list_that_it_does_not_have_is_refused(images: b.Feed, from_south: Hub) -> None:
    other = b.feed(images.publisher, "videos")
    other.publish(other.first([b.entry()]))
    for made in (report(from_south, other), report(from_south, images, list_name=other.row.name)):
        with pytest.raises(errors.NotEntitled):
            send(from_south, made)


def test_a_list_that_it_had_may_still_be_reported_of(images: b.Feed, from_south: Hub) -> None:
    decide_subscription(
        caller=images.publisher.caller,
        domain="aurora.example",
        slug="images",
        organisation=from_south.organisation.slug,
        decision="revoke",
        now=b.now(),
    )
    Agreement.objects.update(ended_at=b.now())
    assert send(from_south, report(from_south, images, hubs=(counts(count()),))).sequence == 1


def test_a_suspended_peer_tells_nothing(images: b.Feed, from_south: Hub) -> None:
    for state in ("suspended", "ended"):
        Peer.objects.update(state=state)
        with pytest.raises(errors.NotAPeer):
            send(from_south, report(from_south, images))


def test_only_a_peer_reports(images: b.Feed, from_south: Hub) -> None:
    stranger = b.party("hub", "West")
    given(stranger, images)
    document = sign_report(report(from_south, images), key=from_south.key)
    with pytest.raises(errors.NotAPeer):
        take_report(caller=stranger.caller, document=document, now=b.now())


def test_names_are_refused_where_numbers_were_agreed(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    Agreement.objects.update(evidence="counts")
    named = report(from_south, images, hubs=(counts(count()),), members=(cobalt.named(),))
    with pytest.raises(errors.MalformedReport, match="numbers alone"):
        send(from_south, named)
    Agreement.objects.all().delete()
    with pytest.raises(errors.MalformedReport, match="numbers alone"):
        send(from_south, named)
    for hidden in (replace(named, mode="counts"), report(from_south, images, mode="counts", hubs=named.hubs)):
        with pytest.raises(errors.MalformedReport, match="agreed to numbers alone"):
            send(from_south, hidden)
    assert nothing_kept()
    numbers = report(from_south, images, mode="counts", hubs=(counts(count(), mode="counts"),))
    assert send(from_south, numbers).sequence == 1


def test_less_than_was_agreed_is_taken(images: b.Feed, from_south: Hub) -> None:
    send(from_south, report(from_south, images, mode="counts", hubs=(counts(count(), mode="counts"),)))
    assert RemoteHub.objects.get().mode == "counts"


@pytest.mark.parametrize(
    "changes",
    [
        {"entitled": 1, "applied": 2},
        {"entitled": 3, "applied": 1, "purged": 2},
        {"entitled": 3, "applied": 2, "overdue": 2},
        {"entitled": 3, "applied": 1, "median_seconds": None, "p95_seconds": None},
        {"entitled": 3, "applied": 1, "median_seconds": 9, "p95_seconds": 3},
        {"entitled": 3, "applied": 0, "median_seconds": 9, "p95_seconds": 9},
    ],
)
def test_numbers_that_contradict_one_another_are_refused(
    images: b.Feed, from_south: Hub, changes: dict[str, int]
) -> None:
    with pytest.raises(errors.MalformedReport):
        send(from_south, report(from_south, images, hubs=(counts(count(**changes)),)))
    assert nothing_kept()


def test_a_version_that_was_never_published_is_refused(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    known = {"hubs": (counts(count()),), "members": (cobalt.named(),)}
    with pytest.raises(errors.UnknownRelease):
        send(from_south, report(from_south, images, hubs=(counts(count(version=3)),)))
    for wrong in (cobalt.statement(images, 3), cobalt.statement(images, manifest_sha256="a" * 64)):
        with pytest.raises(errors.UnknownRelease):
            send(from_south, report(from_south, images, statements=(wrong,), **known))  # type: ignore[arg-type]
    assert nothing_kept()
    # Operators see that it was refused, until one is taken.
    row = TakenReport.objects.get()
    assert (row.sequence, row.refused["type"].rpartition("/")[2]) == (0, "unknown-release")
    assert send(from_south, report(from_south, images)).refused is None
    assert TakenReport.objects.get().refused is None


def test_a_statement_that_its_member_did_not_sign_is_refused(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    spoken, other = cobalt.statement(images), keys.public_bytes(keys.generate())
    forged = (
        replace(spoken, key=other),
        replace(spoken, document=spoken.document.replace('"sig":"', '"sig":"AAAA')),
        Statement((), b.now(), other, cobalt.statement(images).document),
    )
    for wrong in forged:
        made = report(from_south, images, hubs=(counts(count()),), members=(cobalt.named(),), statements=(wrong,))
        with pytest.raises((errors.BadSignature, errors.MalformedAcknowledgement)):
            send(from_south, made)
    assert nothing_kept()


def test_a_statement_about_another_list_or_hub_is_refused(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    wrong = {
        "about another list": cobalt.statement(images, list_name="aurora.example/videos"),
        "about another list, aurora": cobalt.statement(images, list_id="0" * 16),
        "which is not south.example": cobalt.statement(images, hub="https://north.example"),
    }
    for words, statement in wrong.items():
        made = report(from_south, images, hubs=(counts(count()),), members=(cobalt.named(),), statements=(statement,))
        with pytest.raises(errors.MalformedReport, match=words):
            send(from_south, made)
    assert nothing_kept()


def test_a_statement_of_somebody_who_was_not_named_as_a_member_is_refused(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    made = report(from_south, images, hubs=(counts(count()),), statements=(cobalt.statement(images),))
    with pytest.raises(errors.MalformedReport, match="cobalt"):
        send(from_south, made)
    with pytest.raises(errors.MalformedReport, match="not told of"):
        send(from_south, replace(made, hubs=(), members=(cobalt.named(),)))
    assert nothing_kept()


def test_statements_that_were_taken_before_are_not_taken_twice(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    made = report(
        from_south,
        images,
        hubs=(counts(count(applied=1)),),
        members=(cobalt.named(),),
        statements=(cobalt.statement(images), cobalt.statement(images)),
    )
    send(from_south, made)
    send(from_south, replace(made, sequence=2, statements=(cobalt.statement(images),)))
    assert RemoteAcknowledgement.objects.count() == Leaf.objects.filter(kind="relayed").count() == 1


def test_a_hub_cannot_claim_that_its_member_spoke_in_the_future(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt
) -> None:
    late, now = cobalt.statement(images, received_at=b.now() + 9 * HOUR), b.now() + timedelta(seconds=1)
    made = report(from_south, images, hubs=(counts(count()),), members=(cobalt.named(),), statements=(late,))
    send(from_south, made, now=now)
    assert RemoteAcknowledgement.objects.get().received_at == now


def test_a_member_whose_access_ended_is_known_as_such(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    made = report(from_south, images, hubs=(counts(count()),), members=(cobalt.named(),))
    send(from_south, made)
    ended = cobalt.named(until=b.now(), access=False)
    send(from_south, replace(made, sequence=2, members=(ended,)))
    row = RemoteMember.objects.get()
    assert (row.access, row.until is not None) == (False, True)


def test_hubs_behind_the_peer_are_kept_under_their_path(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    east = hub("east.example")
    theirs, path = RemoteCobalt(east), ("east.example",)
    made = report(
        from_south,
        images,
        hubs=(counts(count(applied=1)), counts(count(entitled=3, applied=1), path=path)),
        members=(cobalt.named(), theirs.named(path=path)),
        statements=(cobalt.statement(images), theirs.statement(images, path=path)),
    )
    send(from_south, made)
    assert {tuple(row.path): row.counts.get().entitled for row in RemoteHub.objects.all()} == {(): 1, path: 3}
    assert {str(row.member.hub) for row in RemoteAcknowledgement.objects.all()} == {"south.example", "east.example"}
    passed_off = replace(theirs.statement(images, purged=1), path=())
    with pytest.raises(errors.MalformedReport, match=r"not south\.example"):
        send(from_south, replace(made, sequence=2, statements=(passed_off,)))


@pytest.mark.parametrize(
    "path", [("127.0.0.1:8000",), ("east.example", "127.0.0.1:8000"), ("south.example",), ("east.example",) * 2]
)
def test_a_path_that_leads_in_a_circle_is_refused(images: b.Feed, from_south: Hub, path: tuple[str, ...]) -> None:
    with pytest.raises(errors.MalformedReport):
        send(from_south, report(from_south, images, hubs=(counts(count(), path=path),)))
    assert nothing_kept()


def test_there_are_bounds(
    images: b.Feed, from_south: Hub, cobalt: RemoteCobalt, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tuple(f"h{number}.example" for number in range(9))
    many = tuple(RemoteCobalt(from_south, f"m{number}", cobalt.key).named() for number in range(1001))
    hubs = tuple(counts(path=(f"h{number}.example",)) for number in range(65))
    for changes in ({"hubs": (counts(path=far),)}, {"members": many}, {"hubs": hubs}):
        with pytest.raises(errors.MalformedReport):
            send(from_south, report(from_south, images, **changes))
    with pytest.raises(errors.MalformedReport, match="bytes"):
        take_report(caller=from_south.caller, document=b" " * ((1 << 20) + 1), now=b.now())
    monkeypatch.setattr("federation.services.reports.MOST_HUBS", 3)
    with pytest.raises(errors.TooLarge):
        send(from_south, report(from_south, images, hubs=hubs[:4]))
    monkeypatch.setattr("federation.services.reports.MOST_MEMBERS", 3)
    with pytest.raises(errors.TooLarge):
        send(from_south, report(from_south, images, hubs=(counts(),), members=many[:4]))
    assert nothing_kept()


def test_a_name_is_no_longer_than_names_are(from_south: Hub, images: b.Feed) -> None:
    member = NamedMember((), "cobalt", "C" * 201, "DE", b.now(), None, access=True)
    with pytest.raises(errors.MalformedReport):
        send(from_south, report(from_south, images, hubs=(counts(),), members=(member,)))


def test_the_publisher_may_want_numbers_alone_of_a_hub(images: b.Feed, from_south: Hub, cobalt: RemoteCobalt) -> None:
    subscription = images.row.subscriptions.get(organisation=from_south.organisation)
    terms = HubTerms.objects.create(subscription=subscription, members="hub", evidence="counts")
    named = report(from_south, images, hubs=(counts(count()),), members=(cobalt.named(),))
    with pytest.raises(errors.MalformedReport, match="numbers alone"):
        send(from_south, named)
    terms.evidence = ""
    terms.save()
    assert send(from_south, named).sequence == 1


def test_numbers_and_times_beyond_all_measure_break_nothing(images: b.Feed, from_south: Hub) -> None:
    """Neither the tables nor the hotline's own page, which counts deadlines from when the hub says that it served."""
    for absurd in (count(entitled=2**40), count(applied=1, p95_seconds=2**50)):
        with pytest.raises(errors.MalformedReport, match="beyond all measure"):
            send(from_south, report(from_south, images, hubs=(counts(absurd),)))
    cobalt = RemoteCobalt(from_south)
    ahead = count(served_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    send(from_south, report(from_south, images, hubs=(counts(ahead),), members=(cobalt.named(),)))
    assert RemoteCount.objects.get().served_at <= b.now()
    (standing,) = elsewhere([version_2(images)], b.now(), True)[version_2(images).pk]
    assert [(it.organisation, it.state) for it in standing.members] == [("cobalt", "waiting")]

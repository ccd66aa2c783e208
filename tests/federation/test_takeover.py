"""When a hub dies: the one that mirrors a publisher takes over if its root names that, and nobody rolls back."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from federation.documents import ToldDecision
from federation.models import Agreement, MirroredList, MirroredPublisher, Peer
from federation.policy import Success
from federation.selectors.crossing import judge_giving
from federation.selectors.relaying import untold
from federation.services.mirroring import run_mirror_job
from federation.services.relaying import follow_decision
from federation.services.takeover import SIGNS_EVERY, Origin, await_publisher, hand_over, origin_of, take_over
from hashshare.hub_keys import hub_keys
from hashshare.models import Deed, HashList, Job, Leaf, ListCount, Metadata, Organisation, Publisher, Subscription
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.lists import heads
from hashshare.selectors.metadata import metadata_file
from hashshare.services.commits import submit_commit
from hashshare.services.counting import count_entries
from hashshare.services.invitations import enrol
from hashshare.services.publication import keep_metadata
from hashshare.services.statistics.daily import roll_up_statistics
from hashshare.services.timestamps import refresh_timestamps
from hashshare.wire import errors, keys, repository
from hashshare.wire.log import TakenOver
from hashshare.wire.repository import StandbyHub, read_role
from tests import builders as b
from tests.client.members.aurora import Aurora, items
from tests.client.members.north import Fault
from tests.federation.builders import north as another_hub
from tests.federation.builders import south
from tests.federation.mirrored import Following, reader, row_of

DOMAIN = "aurora.example"
WHY = "Its machine room burnt down; spoke with Anna by telephone"


def names_us(aurora: Aurora) -> None:
    """Her root names this hub as its standby hub; takes effect with the next release or refresh."""
    signer = keys.tuf_signer(aurora.officer)
    us = StandbyHub(hub_name(), hub_keys().both)
    root = repository.next_root(aurora.root, standby_hub=us, signers=[signer], now=b.now())
    aurora.metadata["2.root.json"] = root


@pytest.fixture
def mirrored(north: Following, aurora: Aurora) -> Following:
    """A copy of Aurora's 20 entries, under a root that names this hub."""
    names_us(aurora)
    aurora.release(items(20))
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    return north


def dead(north: Following) -> Origin:
    """Nothing answers any more at North's address."""
    north.north.faults = [Fault("/", status=500, times=10**6)]
    return Origin(north.name)


def taken(north: Following, **options: Any) -> Any:
    return take_over(domain=DOMAIN, reason=WHY, origin=dead(north), now=timezone.now(), **options)


def newest(role: str) -> Any:
    row = Metadata.objects.filter(publisher__domain=DOMAIN, role=role).order_by("-version").first()
    assert row is not None
    return read_role(role, row.content)


# --- refused -----------------------------------------------------------------------------------------------------


def test_a_root_that_does_not_name_this_hub_is_no_leave(north: Following, aurora: Aurora) -> None:
    aurora.release(items(3))
    north.follow()
    before = newest("timestamp").body
    with pytest.raises(errors.NotStandbyHub, match="does not name this hub's key"):
        taken(north)
    assert newest("timestamp").body == before
    assert Publisher.objects.get().mirrored_from is not None


def test_a_root_that_names_only_a_key_we_have_no_longer_is_no_leave(
    mirrored: Following, settings: Any, tmp_path: Path
) -> None:
    settings.HASHSHARE_KEYS = tmp_path / "other"
    with pytest.raises(errors.NotStandbyHub):
        taken(mirrored)


def test_what_is_no_copy_cannot_be_taken_over(db: None) -> None:
    b.publisher()
    with pytest.raises(errors.UsageError, match="not copied from another hub"):
        origin_of(DOMAIN)
    with pytest.raises(errors.UsageError, match="not copied from another hub"):
        take_over(domain=DOMAIN, reason=WHY, origin=Origin("north.example"), now=b.now())


def test_a_hub_that_is_alive_is_not_taken_over_unless_that_is_meant(mirrored: Following) -> None:
    alive, now = origin_of(DOMAIN), timezone.now()
    assert alive.signed_at is not None and alive.signs(now)
    with pytest.raises(errors.StillServed):
        take_over(domain=DOMAIN, reason=WHY, origin=alive, now=now)
    take_over(domain=DOMAIN, reason=WHY, origin=alive, now=now, though_alive=True)
    assert "was alive" in Deed.objects.get(what="Take a publisher over").noted


def test_a_hub_that_answers_and_signs_no_more_counts_as_dead(mirrored: Following, aurora: Aurora) -> None:
    aurora.timestamp_life = timedelta(days=1) - SIGNS_EVERY - timedelta(minutes=1)
    aurora.stamp()
    assert not origin_of(DOMAIN).signs(timezone.now())


def test_a_timestamp_of_another_key_is_no_sign_of_life(mirrored: Following, aurora: Aurora) -> None:
    aurora.online = keys.generate()
    aurora.stamp()
    assert origin_of(DOMAIN).signed_at is None


def test_it_asks_for_a_reason(mirrored: Following) -> None:
    with pytest.raises(errors.UsageError, match="Say why"):
        take_over(domain=DOMAIN, reason=" ", origin=dead(mirrored), now=timezone.now())


def test_a_mirror_never_signs_though_the_root_names_it(mirrored: Following) -> None:
    before = newest("timestamp").body
    refresh_timestamps(now=timezone.now() + timedelta(hours=20))
    assert newest("timestamp").body == before


# --- taken over --------------------------------------------------------------------------------------------------


def test_it_signs_at_once_above_whatever_the_hub_before_signed(mirrored: Following, aurora: Aurora) -> None:
    before = newest("timestamp").version
    done = taken(mirrored)
    stamp, snapshot = newest("timestamp"), newest("snapshot")
    assert stamp.version > before + 1_000 * 3600 and snapshot.version == stamp.version == done.floor + 1
    assert stamp.metadata.signatures.keys() == {hub_keys().online.public_key.keyid}
    assert stamp.expires > timezone.now() + timedelta(hours=23)
    assert newest("targets").body == aurora.targets and newest(aurora.list_id).body == aurora.feed


def test_what_the_hub_before_signed_later_than_the_copy_is_below(mirrored: Following, aurora: Aurora) -> None:
    for _ in range(50):
        aurora.seal()
    taken(mirrored)
    assert newest("timestamp").version > aurora.timestamps


def test_members_go_on_and_timestamps_stay_fresh(mirrored: Following, aurora: Aurora) -> None:
    caller = reader(b.member(), aurora)
    taken(mirrored)
    now = timezone.now()
    (head,) = heads(caller=caller, now=now)
    assert (head.name, head.version) == (aurora.name, aurora.version)
    assert refresh_timestamps(now=now + timedelta(hours=1)) == 1
    served = metadata_file(caller=caller, domain=DOMAIN, filename="timestamp.json", now=now).content
    assert read_role("timestamp", served).version == newest("timestamp").version


def test_the_mirror_ends_and_what_the_peer_offers_is_refused(mirrored: Following, aurora: Aurora) -> None:
    taken(mirrored)
    assert Publisher.objects.get().mirrored_from is None
    assert MirroredPublisher.objects.get().state == MirroredPublisher.State.ENDED
    assert not MirroredList.objects.exists()
    mirrored.north.faults = []
    aurora.release(items(1))
    before = newest("timestamp").body
    mirrored.follow()
    assert (newest("timestamp").body, row_of(aurora).version) == (before, aurora.version - 1)
    assert HashList.objects.get().closed_at is None


def test_a_copy_that_was_on_its_way_is_not_served(mirrored: Following, aurora: Aurora) -> None:
    aurora.release(items(1))
    (waiting,) = mirrored.poll()
    taken(mirrored)
    mirrored.north.faults = []
    run_mirror_job(job_id=waiting.pk, worker="worker", task_id="")
    waiting.refresh_from_db()
    assert waiting.state == Job.State.FAILED
    assert row_of(aurora).version == aurora.version - 1


def test_its_hotline_is_invited_and_commits_here_from_then_on(mirrored: Following, aurora: Aurora) -> None:
    hotline = Organisation.objects.get(kind="hotline")
    with pytest.raises(CommandError, match="at another hub"):
        call_command("invite", organisation=hotline.slug)
    taken(mirrored)
    hotline.refresh_from_db()
    assert hotline.state == Organisation.State.INVITED
    code = io.StringIO()
    call_command("invite", organisation=hotline.slug, stdout=code, stderr=io.StringIO())
    machine = keys.generate()
    enrolled = enrol(code=code.getvalue().strip(), public_key=keys.public_bytes(machine), key_name="", now=b.now())
    caller = Caller(enrolled.organisation, "signature", enrolled.key.fingerprint)
    signer = keys.tuf_signer(aurora.officer)
    targets = repository.renew_targets(aurora.targets, signers=[signer], now=b.now())
    job = submit_commit(caller=caller, domain=DOMAIN, roles={"targets": targets}, if_match=2, now=timezone.now())
    assert b.worked(job).state == Job.State.DONE
    assert newest("targets").body == targets


def test_the_public_log_and_the_history_tell_of_it(mirrored: Following) -> None:
    taken(mirrored)
    (leaf,) = Leaf.objects.filter(kind=Leaf.Kind.TAKEOVER)
    told = TakenOver.read(bytes(leaf.entry or b""))
    assert told is not None
    assert (told.publisher, told.before, told.after) == (DOMAIN, mirrored.name, hub_name())
    assert Deed.objects.get(what="Take a publisher over").reason == WHY


def test_its_entries_and_figures_are_counted_as_before(mirrored: Following) -> None:
    taken(mirrored)
    now = timezone.now()
    count_entries(now=now)
    assert ListCount.objects.get().entries == 20
    assert roll_up_statistics(day=now.date(), now=now) > 0


def test_the_hub_before_is_asked_about_members_no_more_and_decides_nothing(mirrored: Following, aurora: Aurora) -> None:
    reader(b.member(), aurora)
    asked = Subscription.objects.get()
    assert [it.id for it in untold(mirrored.peer)] == [asked.pk]
    taken(mirrored)
    assert untold(mirrored.peer) == []
    told = ToldDecision(1, asked.pk, aurora.name, "revoked", timezone.now(), None, "no")
    assert follow_decision(mirrored.peer, told, now=timezone.now()) is False
    asked.refresh_from_db()
    assert asked.state == Subscription.State.ACTIVE


def test_it_may_go_back_to_the_hub_before_as_from_home(mirrored: Following, aurora: Aurora) -> None:
    taken(mirrored)
    Agreement.objects.create(peer=mirrored.peer, direction="out", publisher=DOMAIN)
    assert judge_giving(row_of(aurora), mirrored.peer, now=timezone.now()) == Success()
    MirroredPublisher.objects.update(path=[mirrored.name])
    assert judge_giving(row_of(aurora), mirrored.peer, now=timezone.now()) == Success()


def test_a_second_time_is_refused(mirrored: Following) -> None:
    taken(mirrored)
    floor = Publisher.objects.get().version_floor
    with pytest.raises(errors.UsageError, match="at home here already"):
        taken(mirrored)
    assert Publisher.objects.get().version_floor == floor


def test_a_list_that_never_crossed_stays_in_the_snapshot(mirrored: Following, aurora: Aurora) -> None:
    """A role that leaves a snapshot makes every member refuse it."""
    other = "0123456789abcdef"
    officer = keys.tuf_signer(aurora.officer)
    aurora.targets = repository.delegate_list(
        aurora.targets, list_id=other, keys=[aurora._key(aurora.feed_key)], signers=[officer], now=b.now()
    )
    aurora.metadata["3.targets.json"] = aurora.targets
    feed = repository.sign_release(
        list_id=other, manifest=b"{}", version=4, signers=[keys.tuf_signer(aurora.feed_key)], now=b.now()
    )
    aurora.role_version += 1
    aurora.feed = repository.renew_feed(
        aurora.feed, list_id=aurora.list_id, signers=[keys.tuf_signer(aurora.feed_key)], now=b.now()
    )
    aurora.metadata[f"{aurora.role_version}.{aurora.list_id}.json"] = aurora.feed
    aurora.snapshots += 1
    aurora.snapshot = repository.sign_snapshot(
        targets=aurora.targets,
        feeds={aurora.list_id: aurora.feed, other: feed},
        version=aurora.snapshots,
        signer=keys.tuf_signer(aurora.online),
        now=b.now(),
    )
    aurora.metadata[f"{aurora.snapshots}.snapshot.json"] = aurora.snapshot
    aurora.stamp()
    (job,) = mirrored.follow()
    assert job.state == Job.State.DONE, job.problem
    named = newest("snapshot").signed.meta
    assert taken(mirrored).absent == (other,)
    after = newest("snapshot").signed.meta
    assert after.keys() == named.keys() and after[f"{other}.json"] == named[f"{other}.json"]


# --- what was published after the last copy ----------------------------------------------------------------------


def test_nothing_is_signed_while_the_publisher_is_awaited(mirrored: Following, aurora: Aurora) -> None:
    caller, before = reader(b.member(), aurora), newest("timestamp").body
    taken(mirrored, await_publisher=True)
    assert newest("timestamp").body == before
    with pytest.raises(errors.HubRestored):
        metadata_file(caller=caller, domain=DOMAIN, filename="timestamp.json", now=timezone.now())


def test_it_may_be_awaited_afterwards_too(mirrored: Following) -> None:
    with pytest.raises(errors.UsageError):
        await_publisher(domain=DOMAIN, reason=WHY, now=timezone.now())
    taken(mirrored)
    await_publisher(domain=DOMAIN, reason=WHY, now=timezone.now())
    assert Publisher.objects.get().awaited_since is not None


# --- handed over -------------------------------------------------------------------------------------------------


@pytest.fixture
def home(db: None) -> b.Publisher:
    """Aurora is at home here, and her root names South."""
    owner = b.publisher()
    standby = StandbyHub("south.example", tuple(keys.tuf_signer(keys.generate()).public_key for _ in range(2)))
    officer = keys.tuf_signer(owner.officer)
    root = repository.next_root(owner.root, standby_hub=standby, signers=[officer], now=b.now())
    job = owner.commit({"root": root}, if_match=1)
    assert job.state == Job.State.DONE, job.problem
    return owner


def test_a_hub_that_hands_over_signs_and_takes_no_more(home: b.Publisher) -> None:
    hub = south()
    before = newest("timestamp").body
    mirror = hand_over(domain=DOMAIN, peer=hub.name, reason=WHY, now=timezone.now())
    assert (mirror.peer.name, mirror.root) == (hub.name, Publisher.objects.get().root_fingerprint)
    refresh_timestamps(now=timezone.now() + timedelta(hours=20))
    assert newest("timestamp").body == before
    officer = keys.tuf_signer(home.officer)
    with pytest.raises(errors.Mirrored):
        home.submit({"targets": repository.renew_targets(home.targets, signers=[officer], now=b.now())}, if_match=1)
    (leaf,) = Leaf.objects.filter(kind=Leaf.Kind.TAKEOVER)
    told = TakenOver.read(bytes(leaf.entry or b""))
    assert told is not None and (told.before, told.after) == (hub_name(), hub.name)


def test_it_is_handed_only_to_the_standby_hub_in_the_root(home: b.Publisher) -> None:
    other = another_hub()
    with pytest.raises(errors.NotStandbyHub):
        hand_over(domain=DOMAIN, peer=other.name, reason=WHY, now=timezone.now())


def test_it_is_handed_only_to_a_peer_in_force(home: b.Publisher) -> None:
    with pytest.raises(errors.NotAPeer):
        hand_over(domain=DOMAIN, peer="south.example", reason=WHY, now=timezone.now())
    hub = south()
    Peer.objects.update(state=Peer.State.SUSPENDED)
    with pytest.raises(errors.NotAPeer):
        hand_over(domain=DOMAIN, peer=hub.name, reason=WHY, now=timezone.now())


def test_that_its_lists_come_in_from_there_is_agreed_by_it(home: b.Publisher) -> None:
    hub = south()
    hand_over(domain=DOMAIN, peer=hub.name, reason=WHY, now=timezone.now())
    (agreement,) = Agreement.objects.all()
    assert (agreement.peer.name, agreement.direction, agreement.publisher) == (hub.name, "in", DOMAIN)
    assert agreement.evidence == "documents"


def test_a_hub_that_came_back_can_be_given_it_back(mirrored: Following, aurora: Aurora) -> None:
    """Taken over here, and later handed back: the same row follows again."""
    taken(mirrored)
    officer = keys.tuf_signer(aurora.officer)
    row = Publisher.objects.get()
    back = StandbyHub(mirrored.name, (aurora._key(aurora.online), aurora._key(aurora.standby)))
    named = aurora.metadata["2.root.json"]
    root = repository.next_root(named, hub_keys=hub_keys().both, standby_hub=back, signers=[officer], now=b.now())
    keep_metadata(row, read_role("root", root), timezone.now())
    hand_over(domain=DOMAIN, peer=mirrored.name, reason=WHY, now=timezone.now())
    assert MirroredPublisher.objects.get().state == MirroredPublisher.State.FOLLOWING


# --- the commands ------------------------------------------------------------------------------------------------


def test_the_command_wants_the_domain_typed(mirrored: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    dead(mirrored)
    monkeypatch.setattr("builtins.input", lambda _: "borealis.example")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("take_over", DOMAIN, reason=WHY, stderr=io.StringIO())
    assert Publisher.objects.get().mirrored_from is not None
    monkeypatch.setattr("builtins.input", lambda _: DOMAIN)
    out = io.StringIO()
    call_command("take_over", DOMAIN, reason=WHY, stdout=out, stderr=io.StringIO())
    assert "is at home here from now on" in out.getvalue() and "manage.py invite --organisation" in out.getvalue()


def test_the_command_names_what_is_wrong(mirrored: Following) -> None:
    with pytest.raises(CommandError, match="is alive and signs"):
        call_command("take_over", DOMAIN, reason=WHY, yes=DOMAIN, stderr=io.StringIO())
    with pytest.raises(CommandError, match="not copied"):
        call_command("take_over", "borealis.example", reason=WHY, yes="borealis.example", stderr=io.StringIO())


def test_the_command_says_that_a_suspended_hub_was_not_asked(
    mirrored: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be alive and sign: silence that is our own doing is no sign of death."""
    Peer.objects.update(state=Peer.State.SUSPENDED)
    monkeypatch.setattr("builtins.input", lambda _: "")
    told = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("take_over", DOMAIN, reason=WHY, stderr=told)
    assert "was not asked" in told.getvalue() and "may be alive" in told.getvalue()
    with pytest.raises(CommandError, match="was not asked, and may be alive"):
        call_command("take_over", DOMAIN, reason=WHY, yes=DOMAIN, stderr=told)
    assert Publisher.objects.get().mirrored_from is not None
    call_command("take_over", DOMAIN, reason=WHY, yes=DOMAIN, force_while_alive=True, stdout=told, stderr=told)
    assert Publisher.objects.get().mirrored_from is None


def test_the_command_awaits_the_publisher_afterwards(mirrored: Following) -> None:
    taken(mirrored)
    out = io.StringIO()
    call_command("take_over", DOMAIN, reason=WHY, yes=DOMAIN, await_publisher=True, stdout=out, stderr=io.StringIO())
    assert "is awaited" in out.getvalue() and Publisher.objects.get().awaited_since is not None


def test_hand_over_by_command(home: b.Publisher) -> None:
    hub = south()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("hand_over", DOMAIN, to=hub.name, yes="another.example", reason=WHY)
    out = io.StringIO()
    call_command("hand_over", DOMAIN, to=hub.name, yes=DOMAIN, reason=WHY, evidence="counts", stdout=out)
    assert Publisher.objects.get().mirrored_from == hub.organisation
    assert (Agreement.objects.get().evidence, "numbers alone" in out.getvalue()) == ("counts", True)


def test_the_fingerprint_for_hotlines_is_shown(db: None) -> None:
    out = io.StringIO()
    call_command("standby_fingerprint", stdout=out)
    name, *lines = out.getvalue().splitlines()
    assert name == hub_name() and len(lines) == 4

"""A mirrored publisher is served here byte for byte as at home: every file that a member asks for."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from federation.selectors.offers import path_of
from federation.services.agreements import agree
from federation.services.asking import ask_all
from federation.services.polling import ask_anew
from hashshare.models import HashList, Job, Leaf, Organisation, Release
from hashshare.peering_keys import hub_name
from hashshare.selectors.lists import heads
from hashshare.selectors.metadata import metadata_file
from hashshare.wire import errors
from hashshare.wire.log.leaves import publication_entry
from tests.builders import member, now
from tests.client.members.aurora import Aurora, items
from tests.federation.mirrored import Following, metadata_here, objects_here, reader, row_of, served_now
from tests.federation.offering import offered


def test_it_serves_every_file_as_it_is_at_home(north: Following, aurora: Aurora) -> None:
    known = items(20)
    aurora.release(known)
    aurora.release(items(3), known[:2])
    (job,) = north.follow()
    assert (job.state, job.problem) == (Job.State.DONE, None)
    caller = reader(member(), aurora)
    names = ["timestamp.json", "1.root.json", f"{aurora.snapshots}.snapshot.json", "2.targets.json"]
    names.append(f"{aurora.role_version}.{aurora.list_id}.json")
    for name in names:
        found = metadata_file(caller=caller, domain=aurora.domain, filename=name, now=now())
        assert found.content == aurora.metadata[name], name
    served = objects_here(aurora)
    assert served and all(aurora.objects[path] == body for path, body in served.items())
    assert {path.partition(".")[2] for path in served} == {
        "manifest.json",
        "base-1.json",
        "delta-1-2.parquet",
        "delta-2-3.parquet",
    }


def test_it_is_an_ordinary_list_to_members(north: Following, aurora: Aurora) -> None:
    aurora.release(items(20))
    north.follow()
    row = row_of(aurora)
    assert (row.state, row.version, row.role_version) == (HashList.State.ACTIVE, aurora.version, aurora.role_version)
    assert (row.entries, row.title, row.terms) == (20, "Images", "For detection only.")
    organisation = row.publisher.organisation
    assert (organisation.name, organisation.country, organisation.state) == (
        "Aurora",
        "NO",
        Organisation.State.MIRRORED,
    )
    (head,) = heads(caller=reader(member(), aurora), now=now())
    assert (head.name, head.version, head.root_fingerprint) == (aurora.name, aurora.version, aurora.fingerprint)
    release = Release.objects.get(list=row)
    assert (release.version, release.commit, release.state) == (aurora.version, None, Release.State.PUBLISHED)


def test_it_follows_each_release_and_supersedes_what_only_older_ones_named(north: Following, aurora: Aurora) -> None:
    known = items(20)
    aurora.release(known)
    north.follow()
    aurora.release(items(5), known[:1])
    aurora.merge(1, 3)
    aurora.renew_base()
    aurora.release(items(1))
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    assert row_of(aurora).version == 4
    names = {path.partition(".")[2] for path in served_now(aurora)}
    assert names == {"manifest.json", "base-3.json", "base-3-0000.parquet", "delta-1-3.parquet", "delta-3-4.parquet"}
    assert all(aurora.objects[path] == body for path, body in objects_here(aurora).items())
    release = Release.objects.get(list=row_of(aurora), version=4)
    assert release.withdrawals == 1


def test_it_does_nothing_while_nothing_is_new(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    north.follow()
    before = len(north.north.requests)
    assert north.poll() == []
    (asked,) = north.north.requests[before:]
    assert asked[1] == "/api/v1/heads"


def test_it_logs_the_digests_of_what_it_took(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    north.follow()
    entries = {bytes(leaf.entry or b"") for leaf in Leaf.objects.filter(kind=Leaf.Kind.PUBLICATION)}
    for name in ("1.root.json", "2.targets.json", f"{aurora.role_version}.{aurora.list_id}.json"):
        assert publication_entry(aurora.metadata[name]) in entries


def test_it_copies_a_root_that_changes_alone(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    north.north.named_roots = True
    north.follow()
    aurora.rotate_root()
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    assert metadata_here(aurora)["2.root.json"] == aurora.metadata["2.root.json"]


def test_it_serves_majors(north: Following, aurora: Aurora) -> None:
    known = items(400)
    aurora.release(known)
    aurora.delegate_major()
    aurora.refresh()
    north.follow()
    aurora.release([], known[:200])
    aurora.sign_major(200)
    aurora.sign_again()
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    assert metadata_here(aurora)["1.major.json"] == aurora.metadata["1.major.json"]
    assert f"major-{aurora.version}.json" in {path.partition(".")[2] for path in served_now(aurora)}


def test_it_refuses_what_a_member_would_refuse_and_keeps_the_last_good_state(north: Following, aurora: Aurora) -> None:
    known = items(400)
    aurora.release(known)
    north.follow()
    before, metadata = row_of(aurora), metadata_here(aurora)
    aurora.release([], known[:200])
    (job,) = north.follow()
    assert job.state == Job.State.FAILED
    assert job.problem is not None
    assert job.problem["type"].endswith("/large-loss")
    after = row_of(aurora)
    assert (after.version, after.role_version) == (before.version, before.role_version)
    assert metadata_here(aurora) == metadata
    assert north.mirror(aurora).trouble == job.problem


def test_it_takes_nothing_that_was_not_agreed(north: Following, aurora: Aurora) -> None:
    north.peer.agreements.all().delete()
    aurora.release(items(5))
    assert north.follow() == []
    assert not HashList.objects.filter(tuf_id=aurora.list_id).exists()


def test_it_takes_what_was_there_before_it_was_agreed(north: Following, aurora: Aurora) -> None:
    """Its heads were read before, and have not changed since."""
    north.peer.agreements.all().delete()
    aurora.release(items(5))
    assert north.follow() == []
    agree(peer=north.name, direction="in", publisher=aurora.domain, now=now())
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem


def test_it_asks_again_what_was_on_its_way_when_it_was_told_to_ask(
    north: Following, aurora: Aurora, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told_meanwhile(*questions: Any) -> Any:
        answers = ask_all(*questions)
        ask_anew(peer=north.peer)
        return answers

    aurora.release(items(5))
    monkeypatch.setattr("federation.services.polling.ask_all", told_meanwhile)
    north.poll()
    assert north.peer.offers_at is None
    monkeypatch.undo()
    north.poll()
    assert north.peer.offers_at is not None


def test_members_of_nobody_read_nothing(north: Following, aurora: Aurora) -> None:
    aurora.release(items(5))
    north.follow()
    with pytest.raises(errors.NotEntitled):
        metadata_file(caller=member().caller, domain=aurora.domain, filename="timestamp.json", now=now())


def test_it_takes_what_came_over_another_hub_and_offers_it_with_the_longer_path(
    north: Following, aurora: Aurora
) -> None:
    """North is no home of Aurora's here, but has her from elsewhere: her signatures are the same."""
    said = {"publishers": [offered(aurora, "home.example", north.name)]}
    north.north.more["peers/offers"] = partial(dict, said)
    aurora.release(items(5))
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    assert metadata_here(aurora)["timestamp.json"] == aurora.metadata["timestamp.json"]
    assert path_of(row_of(aurora).publisher) == ("home.example", north.name, hub_name())

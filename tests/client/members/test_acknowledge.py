"""After a sync that brought something new the hub is told, once; what cannot be told now is told by the next sync."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from hashshare.client.acknowledged import told
from hashshare.client.acknowledging import statement_sha256
from hashshare.wire import keys
from hashshare.wire.log import verify_acknowledgement
from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import Cobalt
from tests.client.members.north import Fault, North


@pytest.fixture
def first(cobalt: Cobalt, aurora: Aurora) -> Cobalt:
    """Version 2 is on offer, of a publisher that is confirmed."""
    aurora.release(items(20))
    cobalt.call("pin", aurora.domain, aurora.fingerprint)
    return cobalt


def posts(north: North) -> int:
    """How many acknowledgements were sent since the last time."""
    sent = [path for path in north.paths("POST") if "acknowledgements" in path]
    north.requests.clear()
    return len(sent)


def test_it_states_what_is_held_signed_by_the_organisations_key(first: Cobalt, aurora: Aurora, north: North) -> None:
    [row] = first.call("sync", "--json").json["lists"]
    assert row["acknowledgement"] == {"state": "acknowledged", "sent": True}
    [leaf] = [leaf for leaf in north.logs[aurora.domain].leaves if leaf.kind == "acknowledgement"]
    stated, key = verify_acknowledgement(leaf.statement.encode(), public_keys=[leaf.public_key])
    held = first.store(aurora).held()
    assert held is not None
    assert (stated.organisation, stated.hub, stated.list_name) == ("cobalt", north.url, aurora.name)
    assert (stated.version, stated.purged, stated.manifest_sha256) == (2, 2, held.manifest_sha256)
    assert key == first.home.config().key_id == keys.fingerprint(leaf.public_key)
    assert list(told(first.store(aurora)).unseen) == [statement_sha256(leaf.statement)]


def test_it_says_so_in_its_line(first: Cobalt, aurora: Aurora) -> None:
    assert first.call("sync").out.rstrip().endswith("verified   acknowledged")
    assert "acknowledged" not in first.call("sync").out


def test_a_poll_with_nothing_new_stays_one_request(first: Cobalt, north: North) -> None:
    first.call("sync")
    north.requests.clear()
    [row] = first.call("sync", "--json").json["lists"]
    assert [path for _, path, _ in north.requests] == ["/api/v1/heads"]
    assert row["acknowledgement"] == {"state": "acknowledged", "sent": False}


def test_it_states_again_what_was_purged_further(first: Cobalt, aurora: Aurora, north: North) -> None:
    first.call("sync")
    some = next(iter(aurora.live.values()))
    aurora.release(withdrawals=[some])
    first.call("sync")
    aurora.renew_base()
    aurora.release(items(1))
    first.call("sync")
    rows = [json.loads(leaf.opening.row) for leaf in north.logs[aurora.domain].leaves if leaf.kind == "acknowledgement"]
    assert [(row["version"], row["purged"]) for row in rows] == [(2, 2), (3, 2), (4, 4)]


def test_it_remembers_the_log_and_asks_for_the_proof_from_there(first: Cobalt, aurora: Aurora, north: North) -> None:
    log = north.logs[aurora.domain]
    log.pad(5)
    log.seal()
    first.call("sync")
    [seen] = first.call("status", "--offline", "--json").json["logs"]
    assert (seen["publisher"], seen["origin"], seen["size"]) == (aurora.domain, log.origin, 5)
    log.pad(3)
    log.seal()
    aurora.release(items(1))
    first.call("sync")
    assert [path for path in north.paths("POST") if "acknowledgements" in path][-1].endswith("?size=5")
    [seen] = first.call("status", "--offline", "--json").json["logs"]
    assert (seen["size"], seen["refused"]) == (10, None)


FAULTS = {
    "the hub fails": Fault("acknowledgements", status=500, times=9),
    "the hub is busy": Fault("acknowledgements", status=429, headers={"Retry-After": "9999"}, times=9),
    "the line breaks": Fault("acknowledgements", cut=10, times=9),
    "it is refused": Fault(
        "acknowledgements", status=422, body=b'{"type": "x/unknown-release", "detail": "Never published."}', times=9
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_failed_acknowledgement_never_fails_a_sync_and_goes_with_the_next(
    first: Cobalt, aurora: Aurora, north: North, fault: Fault
) -> None:
    fault.times = 9
    north.faults.append(fault)
    done = first.call("sync")
    assert (done.status, "20 held" in done.out) == (0, True)
    assert f"{aurora.name} v2 is not acknowledged: " in done.err
    assert "The next sync sends it" in done.err
    status = first.call("status", "--offline", "--json").json["lists"][0]
    assert status["acknowledged"] is None
    assert (status["acknowledgement_pending"]["version"], status["acknowledgement_pending"]["state"]) == (2, "pending")
    assert f"{aurora.name} v2 is not acknowledged" in first.call("status").err
    north.faults.clear()
    [row] = first.call("sync", "--json").json["lists"]
    assert row["acknowledgement"]["sent"] is True
    status = first.call("status", "--offline", "--json").json["lists"][0]
    assert (status["acknowledged"]["version"], status["acknowledgement_pending"]) == (2, None)


def test_an_answer_that_was_lost_is_made_good_by_the_same_statement(
    first: Cobalt, aurora: Aurora, north: North
) -> None:
    """The hub has it, but its answer never came: the document of the first try is sent again, and is one leaf."""
    north.faults.append(Fault("acknowledgements", cut=0))
    first.call("sync")
    pending = told(first.store(aurora)).pending
    assert pending is not None
    [row] = first.call("sync", "--json").json["lists"]
    assert row["acknowledgement"]["sent"] is True
    [leaf] = [leaf for leaf in north.logs[aurora.domain].leaves if leaf.kind == "acknowledgement"]
    assert leaf.statement == pending.statement


def test_only_the_newest_version_is_stated_once_the_hub_listens_again(
    first: Cobalt, aurora: Aurora, north: North
) -> None:
    north.faults.append(Fault("acknowledgements", status=500))
    first.call("sync")
    aurora.release(items(1))
    first.call("sync")
    rows = [json.loads(leaf.opening.row) for leaf in north.logs[aurora.domain].leaves if leaf.kind == "acknowledgement"]
    assert [row["version"] for row in rows] == [3]


def test_a_hub_without_logs_is_not_asked_at_every_poll(first: Cobalt, aurora: Aurora, north: North) -> None:
    north.logs.kept = False
    done = first.call("sync", "--json")
    assert (done.status, done.err, posts(north)) == (0, "", 1)
    assert done.json["lists"][0]["acknowledgement"] == {"state": "unsupported", "sent": False}
    assert (first.call("sync").err, posts(north)) == ("", 0)
    shown = first.call("status")
    assert "This hub takes no acknowledgements." in shown.err
    aurora.release(items(1))
    assert (first.call("sync").status, posts(north)) == (0, 1)


def test_it_is_asked_again_after_a_day(
    first: Cobalt, aurora: Aurora, north: North, monkeypatch: pytest.MonkeyPatch
) -> None:
    north.logs.kept = False
    first.call("sync")
    path = first.store(aurora).folder / "acknowledgement.json"
    document = json.loads(path.read_text())
    before = datetime.now(UTC) - timedelta(days=1, minutes=1)
    document["pending"]["tried_at"] = before.strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(document))
    north.logs.kept = True
    [row] = first.call("sync", "--json").json["lists"]
    assert row["acknowledgement"]["sent"] is True


def test_a_hub_that_will_not_have_ours_is_left_alone_for_a_day(first: Cobalt, aurora: Aurora, north: North) -> None:
    problem = b'{"type": "x/not-entitled", "detail": "You never had it."}'
    north.faults.append(Fault("acknowledgements", status=403, body=problem, times=9))
    done = first.call("sync")
    assert (done.status, "It is offered again in a day" in done.err, posts(north)) == (0, True, 1)
    assert (first.call("sync").err, posts(north)) == ("", 0)


def test_another_machine_ahead_of_this_one_has_spoken_for_it(first: Cobalt, aurora: Aurora, north: North) -> None:
    problem = b'{"type": "x/conflict", "detail": "A later one is there."}'
    north.faults.append(Fault("acknowledgements", status=409, body=problem))
    done = first.call("sync")
    assert (done.status, done.err) == (0, "")
    assert told(first.store(aurora)).pending is None
    posts(north)
    first.call("sync")
    assert posts(north) == 0


def test_one_failure_spares_the_hub_the_other_lists(
    cobalt: Cobalt, aurora: Aurora, north: North, tmp_path_factory: pytest.TempPathFactory
) -> None:
    borealis = Aurora(tmp_path_factory.mktemp("borealis"), domain="borealis.example", slug="video")
    north.publishers.append(borealis)
    north.faults.append(Fault("acknowledgements", status=500, times=9))
    done = cobalt.call("sync", "--json")
    assert done.status == 0
    assert [row["acknowledgement"]["state"] for row in done.json["lists"]] == ["pending"] * 2
    assert posts(north) == 1


def test_a_damaged_record_only_means_that_it_is_stated_again(first: Cobalt, aurora: Aurora, north: North) -> None:
    first.call("sync")
    posts(north)
    (first.store(aurora).folder / "acknowledgement.json").write_text("{")
    assert (first.call("sync").status, posts(north)) == (0, 1)
    assert [leaf.kind for leaf in north.logs[aurora.domain].leaves].count("acknowledgement") == 1


def test_a_home_from_before_the_logs_learns_their_key_once(first: Cobalt, aurora: Aurora, north: North) -> None:
    config = first.home.config()
    first.home.save_config(type(config)(config.hub_url, {"url": north.url}, config.organisation, config.key_id))
    first.call("sync")
    assert north.paths().count("/.well-known/hashshare") == 1
    assert first.home.config().hub["log_key"] == north.logs.described()["log_key"]
    aurora.release(items(1))
    first.call("sync")
    assert north.paths().count("/.well-known/hashshare") == 1

"""`publisher refresh` and `publisher renew`: signatures renewed before they run out, and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from hashshare.client.kept_metadata import expiries
from hashshare.client.publisher import find_list
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North


@pytest.fixture
def published(images: Desk) -> Desk:
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    return images


def expiry(desk: Desk, role: str) -> datetime:
    return expiries(desk.home, "aurora.example", find_list(desk.home, LIST).list_id)[role]


def test_it_signs_the_same_release_again(published: Desk, north: North) -> None:
    before = north.shelf.manifests[find_list(published.home, LIST).list_id]
    done = published.json("publisher", "refresh", LIST, "--now")["lists"][0]
    assert done["role_version"] == 2
    assert north.shelf.manifests[find_list(published.home, LIST).list_id] == before
    more = published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    assert more["version"] == 2


def test_it_leaves_a_fresh_signature_alone_when_asked(published: Desk, north: North) -> None:
    jobs = len(north.jobs)
    done = published.json("publisher", "refresh", LIST)["lists"][0]
    assert (done["role_version"], done["job"], len(north.jobs)) == (1, None, jobs)


def test_a_line_in_cron_is_quiet_until_a_list_is_due(published: Desk, north: North) -> None:
    quiet = published.run("publisher", "refresh")
    assert (quiet.exit_code, quiet.output) == (0, "")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        north.seal()
        told = published.run("publisher", "refresh")
        assert (told.exit_code, told.output.count("signed again")) == (0, 1)


def test_every_night_is_often_enough_for_the_hub_never_to_warn(published: Desk, north: North) -> None:
    """It begins at half of fourteen days: the night before, and not the one after, is when it is signed again."""
    for nights, signed in ((5, 0), (6.1, 1)):
        with time_machine.travel(datetime.now(UTC) + timedelta(days=nights)):
            north.seal()
            assert published.run("publisher", "refresh").output.count("signed again") == signed


def test_a_list_that_was_never_published_is_left_alone_unless_named(published: Desk) -> None:
    video = "aurora.example/video"
    published.json("publisher", "list", "create", video, "--algorithms", "sha256", "--scheme", "uk-abc")
    assert [row["list"] for row in published.json("publisher", "refresh")["lists"]] == [LIST]
    failed = published.json("publisher", "refresh", video, LIST, exit_code=2)
    assert ([row["name"] for row in failed["failed"]], [row["list"] for row in failed["lists"]]) == ([video], [LIST])


def test_a_line_in_the_wrong_crontab_is_seen(aurora: Desk) -> None:
    assert "HASHSHARE_HOME" in aurora.json("publisher", "refresh", exit_code=2)["error"]["next_step"]


def test_it_refreshes_in_a_nightly_publication_of_nothing_new(published: Desk, north: North) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        north.seal()
        done = published.json("publish", LIST, published.folder / "images.csv")
        assert (done["published"], done["version"]) == (False, 1)
        assert done["job"]
        assert expiry(published, "feed") > datetime.now(UTC) + timedelta(days=13)


def test_it_publishes_after_the_feed_has_expired(published: Desk, north: North) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=30)):
        north.seal()
        more = published.csv(entries(range(30)), header=HEADER)
        done = published.json("publish", LIST, more)
        assert (done["version"], done["entries"]) == (2, 30)


def test_it_renews_targets_after_they_have_expired(published: Desk, north: North) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=100)):
        north.seal()
        done = published.json("publisher", "renew", "aurora.example")
        assert list(done["roles"]) == ["targets"]
        more = published.csv(entries(range(30)), header=HEADER)
        assert published.json("publish", LIST, more)["version"] == 2


def test_it_renews_the_root_when_it_is_due(published: Desk, north: North) -> None:
    assert list(published.json("publisher", "renew", "aurora.example", "--root")["roles"]) == ["root", "targets"]
    with time_machine.travel(datetime.now(UTC) + timedelta(days=200)):
        north.seal()
        done = published.json("publisher", "renew", "aurora.example")
        assert done["roles"]["root"]["version"] == 3

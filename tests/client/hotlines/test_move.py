"""`hashshare move`: a hotline's tools go over to the hub that took over, with every key and all that is held."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hashshare.client import moving
from hashshare.client.hubs import accounts
from hashshare.client.publisher import OwnPublisher, own_key
from hashshare.wire import repository
from hashshare.wire.repository import StandbyHub
from tests.client.hotlines.desk import HEADER, LIST, Desk, entries
from tests.client.hotlines.north import North, serving
from tests.program import call

DOMAIN = "aurora.example"


@pytest.fixture
def south() -> North:
    return North(hub="south.example")


@pytest.fixture
def south_url(south: North) -> Iterator[str]:
    with serving(south) as address:
        yield address


@pytest.fixture
def published(images: Desk, south: North, south_url: str) -> Desk:
    """Version 1 of 20 entries, under a root that names South."""
    said = StandbyHub(south.hub, tuple(south.keys)).fingerprint
    images.json("publisher", "standby-hub", DOMAIN, "--hub", south_url, "--fingerprint", said)
    images.json("publish", LIST, images.csv(entries(range(20)), header=HEADER))
    return images


def take_over(south: North, north: North) -> None:
    """South has what it copied of North until now, and signs from now on."""
    south.shelf = copy.deepcopy(north.shelf)
    south.lists = copy.deepcopy(north.lists)
    south.shelf.seals += 1_000_000
    south.seal()


def move(desk: Desk, url: str, *words: str, exit_code: int = 0) -> Any:
    result = call("move", "--to", url, *(words or ("--code", "7KQ4")), "--json", home=desk.home.path)
    assert result.exit_code == exit_code, (result.output, result.exception)
    return json.loads(result.stdout)


def first_url(desk: Desk) -> str:
    return accounts(desk.home)[0].config.hub_url


def all_keys(desk: Desk) -> dict[str, str]:
    """Digests of every file with a key that signs."""
    folder = OwnPublisher(desk.home, DOMAIN).keys_folder
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def test_it_publishes_on_at_the_new_hub_with_the_keys_that_it_had(
    published: Desk, north: North, south: North, south_url: str
) -> None:
    take_over(south, north)
    before, feed = all_keys(published), own_key(OwnPublisher(published.home, DOMAIN), "feed").keyid
    done = move(published, south_url)
    assert (done["name"], done["publishers"], done["lacking"]) == ("south.example", [DOMAIN], [])
    assert all_keys(published) == before
    released = published.json("publish", LIST, published.csv(entries(range(25)), header=HEADER))
    assert released["version"] == 2 and len(south.shelf.manifests) == 1
    [list_id] = south.shelf.feeds
    assert repository.read_role(list_id, south.shelf.feeds[list_id]).version == 2
    assert feed in str(south.shelf.feeds[list_id])
    assert repository.read_role(list_id, north.shelf.feeds[list_id]).version == 1


def test_the_root_then_drops_the_keys_of_the_hub_before(
    published: Desk, north: North, south: North, south_url: str
) -> None:
    take_over(south, north)
    move(published, south_url)
    told = published.json("publisher", "status", DOMAIN, exit_code=7)["hub_keys"]
    assert "was the standby hub" in told["detail"] and told["next_step"].endswith(f"rotate hub {DOMAIN}")
    done = published.json("publisher", "rotate", "hub", DOMAIN)
    assert sorted(done["removed"]) == sorted(key.keyid for key in north.keys) and done["added"] == []
    assert south.shelf.root is not None and repository.standby_hub(south.shelf.root) is None
    assert published.json("publisher", "status", DOMAIN)["hub_keys"] is None


def test_a_hub_with_another_root_or_none_is_refused_and_nothing_changes(
    published: Desk, north: North, south: North, south_url: str, url: str, tmp_path: Path
) -> None:
    refused = move(published, south_url, exit_code=4)
    assert "another root of aurora.example than yours, or none" in refused["error"]["detail"]
    assert first_url(published) == url and not published.home.hubs_path.exists()
    take_over(south, north)
    south.shelf.metadata["1.root.json"] += b" "
    assert move(published, south_url, exit_code=4)["error"]["type"] == "verification-failed"
    assert first_url(published) == url and not published.home.hubs_path.exists()
    south.shelf.metadata["1.root.json"] = north.shelf.metadata["1.root.json"]
    move(published, south_url)
    assert first_url(published) == south_url


def test_a_hub_that_the_root_does_not_name_is_refused(
    images: Desk, north: North, south: North, south_url: str, url: str
) -> None:
    images.json("publish", LIST, images.csv(entries(range(3)), header=HEADER))
    south.shelf, south.lists = copy.deepcopy(north.shelf), copy.deepcopy(north.lists)
    refused = move(images, south_url, exit_code=2)
    assert "does not name the key of south.example" in refused["error"]["detail"]
    assert first_url(images) == url


def test_what_was_published_after_the_last_copy_is_told_and_never_signed_twice(
    published: Desk, north: North, south: North, south_url: str
) -> None:
    take_over(south, north)
    published.json("publish", LIST, published.csv(entries(range(30)), header=HEADER))
    done = move(published, south_url, exit_code=7)
    [lacking] = done["lacking"]
    assert "older metadata" in lacking["detail"]
    refused = published.json("publish", LIST, published.csv(entries(range(31)), header=HEADER), exit_code=4)
    assert refused["error"]["type"] == "verification-failed"
    [list_id] = south.shelf.feeds
    assert repository.read_role(list_id, south.shelf.feeds[list_id]).version == 1
    south.restored = True  # its operator lets the hotline send what is lacking
    published.json("publisher", "resend", DOMAIN)
    assert south.shelf.feeds[list_id] == north.shelf.feeds[list_id]
    released = published.json("publish", LIST, published.csv(entries(range(31)), header=HEADER))
    assert released["version"] == 3


def test_killed_between_enrolment_and_the_change_it_is_run_again(
    published: Desk, north: North, south: North, south_url: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_over(south, north)

    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(moving, "order", killed)
        with pytest.raises(KilledError):
            moving.move(published.home, south_url, "7KQ4")
    assert first_url(published) == url
    key = (published.home.path / "hubs" / south_url.removeprefix("http://").replace(":", "_") / "key.pem").read_bytes()
    move(published, south_url)
    assert accounts(published.home)[0].home.key_path.read_bytes() == key


def test_a_code_is_wanted_where_it_is_not_enrolled_and_none_where_it_is(
    published: Desk, north: North, south: North, south_url: str, url: str
) -> None:
    take_over(south, north)
    assert "--code" in move(published, south_url, "--code", "", exit_code=2)["error"]["detail"]
    move(published, south_url)
    assert "already" in move(published, south_url, exit_code=2)["error"]["detail"]
    move(published, url, "--code", "", exit_code=7)  # which is behind by now, and says so
    assert first_url(published) == url

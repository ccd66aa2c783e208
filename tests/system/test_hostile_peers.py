"""A peer that lies, against a hub with its real processes: each lie is refused by the name that the operator reads.

What was held is served on byte for byte, and once the lie is over the copy goes on. How each check works, case by case,
is in tests/federation; here is that a hub as it is run makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.facing_hostility import LIST, Facing, facing

pytestmark = pytest.mark.slow

UNKNOWN = [401, "bad-request-signature"]
"""What a stranger's signature is told, and that of a peer that was suspended."""
INSIDE = "10.255.255.1"


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facing]:
    with facing(tmp_path_factory.mktemp("hostile")) as made:
        yield made


@pytest.fixture
def scene(met: Facing) -> Iterator[Facing]:
    """No lie is left over from the test before."""
    met.hostile.does("truth")
    yield met


# --- What it serves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lie", "name"),
    [
        ("tamper", "wrong-digest"),
        ("widen_signed", "wrong-digest"),
        ("sign_as_a_stranger", "signature-threshold"),
        ("older", "verification-failed"),
    ],
)
def test_bytes_that_nobody_signed_or_that_are_older(scene: Facing, lie: str, name: str) -> None:
    """A segment with one bit turned, a policy that was widened, a stranger's timestamp and an older one."""
    if lie == "older":
        scene.hostile.does("keep")
        scene.hostile.does("release")
        scene.settles()
    scene.hostile.does("release")
    scene.hostile.does(lie)
    scene.refuses("copy", name)
    scene.converges()


@pytest.mark.parametrize(("how", "names"), [("endless", ("wrong-digest", "network")), ("slow", ("too-slow",))])
def test_an_object_without_end_and_one_that_drips(scene: Facing, how: str, names: tuple[str, ...]) -> None:
    scene.hostile.does("say", path=".delta-", how=how)
    scene.hostile.does("release")
    scene.refuses("copy", *names)
    scene.converges()


def test_heads_that_claim_what_is_not_there(scene: Facing) -> None:
    scene.hostile.does("claim", version=999)
    scene.refuses("copy", "verification-failed")
    shown = scene.shown()["copied"][0]
    assert (shown["offered"], shown["version"] < 999) == (999, True)
    assert "999" in shown["trouble"]["detail"]
    scene.converges()


def test_offers_that_say_more_than_was_signed(scene: Facing) -> None:
    scene.hostile.does("widen_offered")
    scene.peer("check", scene.hostile.north)
    scene.refuses("offers", "not-redistributed")
    scene.hostile.does("release")
    scene.settles()  # the signed policy counts: the list goes on as it was granted
    scene.converges()


# --- How it answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "names"),
    [("endless", ("network",)), ("slow", ("too-slow",)), ("headers", ("network",)), ("descriptor", ("network",))],
)
def test_heads_without_end_that_drip_or_are_none(scene: Facing, how: str, names: tuple[str, ...]) -> None:
    scene.hostile.does("say", path="/heads", how=how, what='{"lists": "all"}')
    scene.hostile.does("release")
    scene.refuses("poll", *names)
    scene.asked_for("/heads", at="west")  # the other peer is polled as ever
    scene.converges()


def test_it_leads_nowhere(scene: Facing) -> None:
    """Neither to another address of this machine, nor back to the hub itself, nor into a network."""
    canary = f"http://{scene.hostile.canary}/"
    for target in (canary, f"{scene.south.url}/healthz", f"https://{INSIDE}/"):
        scene.hostile.does("say", path="/heads", how="redirect", what=target)
        scene.peer("check", scene.hostile.north)
        scene.asked_for("/heads")
        scene.refuses("poll", "address-refused")
    scene.converges()
    scene.hostile.does("say", path="/targets/", how="redirect", what=canary)
    scene.hostile.does("release")
    scene.refuses("copy", "address-refused")
    scene.converges()
    assert scene.hostile.does("knocks") == 0


def test_storage_that_was_named_leads_into_no_network(scene: Facing) -> None:
    """The operator named it; an address inside is refused all the same, and asked nothing."""
    scene.peer("storage", scene.hostile.north, INSIDE)
    scene.hostile.does("say", path="/targets/", how="redirect", what=f"https://{INSIDE}/latest/meta-data")
    scene.hostile.does("release")
    scene.refuses("copy", "address-refused")
    assert "inside of a network" in scene.shown()["copied"][0]["trouble"]["detail"]
    scene.peer("forget-storage", scene.hostile.north, INSIDE)
    scene.converges()


def test_an_introduction_leads_nowhere(scene: Facing) -> None:
    assert "inside of a network" in scene.refused("introduce", f"https://{INSIDE}/")
    scene.hostile.does("say", path="/.well-known/", how="redirect", what=f"http://{scene.hostile.canary}/")
    assert "sends us on to another address" in scene.refused("introduce", f"http://{scene.hostile.north}/")
    own = scene.refused_at("https://south.example", "introduce", f"https://{scene.hostile.canary}")
    assert "this machine itself" in own
    assert scene.hostile.does("knocks") == 0


# --- Whose key it shows --------------------------------------------------------------------------------------------


def test_it_shows_another_peer_s_key(scene: Facing) -> None:
    name = scene.hostile.north
    other = f"localhost:{name.partition(':')[2]}"
    scene.hostile.does("impersonate", name=other)
    assert "key" in scene.refused("introduce", f"http://{other}")
    scene.hostile.does("impersonate")
    assert "shows another peer key" in scene.refused("check", name)
    shown = scene.shown()
    assert (shown["state"], shown["trouble"]["type"].rpartition("/")[2]) == ("differs", "peer-differs")
    scene.hostile.does("release")
    scene.hostile.does("truth")
    asked = scene.hostile.does("seen", path="/heads")
    scene.asked_for("/heads", at="west", times=2)
    assert scene.hostile.does("seen", path="/heads") == asked, "something is taken from it before a person has accepted"
    assert scene.serves(scene.held)
    scene.peer("check", name)
    assert scene.shown()["state"] == "differs"
    scene.peer("accept", name, scene.hostile.fingerprint)
    scene.settles()


def test_it_signs_under_another_peer_s_key(scene: Facing) -> None:
    [north, west] = [scene.hostile.does("peer_key", who=who) for who in ("north", "west")]
    assert scene.hostile.calls("status_as", key=west) == UNKNOWN
    assert scene.hostile.calls("status_as", key=north) == [200, ""]


# --- What it sends -------------------------------------------------------------------------------------------------


def test_reports_again_older_or_of_others(scene: Facing) -> None:
    about: dict[str, Any] = {"list_name": LIST, "list_id": scene.list_id}
    assert scene.hostile.calls("report", **about, name="first", sequence=1)[0] == 200
    assert scene.hostile.calls("repeat", name="first") == [401, "replayed-request"]
    assert scene.hostile.calls("report", **about, name="second", sequence=2, entitled=3)[0] == 200
    assert scene.hostile.calls("post", name="second")[0] == 200, "the newest again is answered alike"
    assert scene.hostile.calls("post", name="first") == [409, "stale-report"]
    assert scene.hostile.calls("report", **about, name="other", sequence=2, entitled=9) == [409, "stale-report"]
    assert scene.hostile.calls("report", **about, name="x", sequence=3, to="x.example") == [422, "malformed-report"]
    [document] = scene.hostile.calls("document", name="second")
    assert scene.hostile.calls("forward", who="west", name="theirs", document=document)[1] in (
        "signature-threshold",
        "malformed-report",
    )
    assert scene.hostile.calls("report", who="west", **about, name="own", sequence=1) == [403, "not-entitled"]
    assert entitled(scene) == 3


def entitled(scene: Facing) -> int:
    """How many members of North have the list that took an entry back, as Borealis reads it."""
    [release] = scene.borealis.run("propagation", LIST)["withdrawals"]
    [hub] = [each for each in release["hubs"] if each["hub"] == scene.hostile.north]
    return int(hub["entitled"])


def test_it_is_suspended_and_keeps_calling(scene: Facing) -> None:
    name, about = scene.hostile.north, {"list_name": LIST, "list_id": scene.list_id}
    assert scene.hostile.calls("fetch_token")[0] == 201
    assert scene.hostile.calls("heads") == [200, ""]
    scene.peer("suspend", name, "--reason", "the key leaked")
    scene.hostile.does("release")
    asked = scene.hostile.does("seen")
    for _ in range(2):
        assert scene.hostile.calls("status") == UNKNOWN
        assert scene.hostile.calls("fetch_token") == UNKNOWN
        assert scene.hostile.calls("report", **about, name="late", sequence=9) == UNKNOWN
    assert scene.hostile.calls("heads") == [401, "not-authenticated"]
    assert "suspended: nothing is asked of it" in scene.refused("catalogue", name)
    scene.asked_for("/heads", at="west", times=2)
    assert scene.hostile.does("seen") - asked <= 1, "something is asked of it"
    assert (scene.shown()["state"], scene.serves(scene.held)) == ("suspended", True)
    scene.peer("resume", name)
    assert scene.hostile.calls("status") == [200, ""]
    scene.settles()


# --- Last: two truths ----------------------------------------------------------------------------------------------


def test_it_serves_another_first_root(scene: Facing) -> None:
    """The copy stops for a person to look, and goes on under the root that the officers read out."""
    root = scene.hostile.does("root")
    scene.hostile.does("release")
    scene.hostile.does("another_root")
    scene.refuses("copy", "root-replaced")
    assert scene.shown()["copied"][0]["state"] == "alarmed"
    scene.hostile.does("truth")
    scene.peer("follow", scene.hostile.north, "aurora.example", root, "--reason", "They called.")
    scene.settles()

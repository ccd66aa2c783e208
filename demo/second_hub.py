"""The last act: a second hub mirrors the list, and a member there has it with the hotline's own signature."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from demo.hub import Hub
from demo.stage import DemoFailedError, Organisation, require

if TYPE_CHECKING:
    from demo.acts import Story

DOMAIN = "aurora.example"
UNTIL = ("--until", "2030-01-01")
WITHIN = 120.0
"""Seconds for what one hub does by itself after the other."""

T = TypeVar("T")


def cross(story: Story, south: Hub) -> None:
    """Two operators compare fingerprints, a hotline lets its list cross, and sees what becomes of it there."""
    story.stage.act("12  A second hub, South, mirrors the list: its members trust Aurora, and neither hub")
    ember = Organisation("Ember", story.folder / "ember", story.stage)
    south.start()
    acquaint(story.hub, south)
    let_cross(story, south)
    join(story, south, ember)
    withdraw_everywhere(story, south, ember)


def acquaint(north: Hub, south: Hub) -> None:
    """Each accepts the other by the fingerprint that its operator reads out."""
    for here, there in ((north, south), (south, north)):
        here.manage("peer", "introduce", there.url)
        read_out = peer(there, "fingerprint")["fingerprint"]
        accepted = peer(here, "accept", name_of(there), read_out, "--country", "SE")
        require(accepted["state"] == "active", f"{name_of(there)} is a peer")
    north.manage("peer", "agree", name_of(south), "out", DOMAIN)
    south.manage("peer", "agree", name_of(north), "in", DOMAIN)


def let_cross(story: Story, south: Hub) -> None:
    """Without the hotline's signed word nothing crosses, whatever the hubs agreed."""
    name = story.list_name
    refused = json.loads(south.manage("peer", "ask", name_of(story.hub), name, "--json", expect=1))
    require(bool(refused["why_not"]), "nothing crosses against the publisher's policy")
    story.stage.fact(f"not yet: {refused['why_not']}")
    story.aurora.hashshare("publisher", "list", "redistribution", name, "--policy", "federation")
    asked = peer(south, "ask", name_of(story.hub), name)
    south.manage("peer", "ask", name_of(story.hub), name, "--accept-terms", str(asked["terms_digest"]))
    waiting = story.aurora.hashshare("requests", name).document["subscriptions"]
    [hub] = [row["organisation"]["slug"] for row in waiting if row["state"] == "requested"]
    story.aurora.hashshare("grant", name, hub, *UNTIL)


def join(story: Story, south: Hub, ember: Organisation) -> None:
    """A member of South asks there, Aurora decides, and the root is the one that she told everybody."""
    name, started = story.list_name, time.monotonic()
    code = south.manage("invite", "--kind", "member", "--name", ember.name, "--country", "SE")
    ember.hashshare("enroll", south.url, code)
    until(lambda: ember.hashshare("lists").document["lists"], lambda rows: any(row["name"] == name for row in rows))
    story.stage.fact(f"the list is at South, {time.monotonic() - started:.1f} s after it was granted")
    ember.hashshare("subscribe", name, "--accept-terms")
    until(lambda: asked_from(story, south), lambda slugs: "ember" in slugs)
    story.aurora.hashshare("grant", name, f"ember@{name_of(south)}", *UNTIL)
    until(lambda: ember.hashshare("sync", "--now").document["lists"], bool)
    ember.hashshare("pin", DOMAIN, str(story.stage.figures["root_fingerprint"]))
    ember.hashshare("verify")


def asked_from(story: Story, south: Hub) -> list[str]:
    """Who of South's members waits for Aurora's word."""
    hubs = story.aurora.hashshare("requests", story.list_name).document["peers"]
    [found] = [hub for hub in hubs if hub["hub"] == name_of(south)]
    return [str(row["organisation"]) for row in found["requests"]]


def withdraw_everywhere(story: Story, south: Hub, ember: Organisation) -> None:
    """What Aurora takes back at North is gone at South's member, and she sees it."""
    wrong = story.files[10].sha256
    version = story.aurora.hashshare("withdraw", story.list_name, wrong, "--reason", "incorrect").document["version"]
    until(lambda: ember.hashshare("sync", "--now").document["lists"][0]["version"], lambda held: held == version)
    held = ember.hashshare("lookup", wrong).document
    require(not any(asked["matches"] for asked in held["hashes"]), "the withdrawn hash is gone at South's member")
    seen = until(lambda: at_hub(story, south), lambda found: bool(found and found["applied"]))
    require((seen["applied"], seen["entitled"]) == (1, 1), "Aurora sees that South's member has applied it")
    story.stage.fact(
        f"version {version} applied by the 1 member of {name_of(south)} {seen['median_seconds']:.1f} s after Aurora "
        "published it at North, by the member's own signature"
    )
    story.stage.note(second_hub_version=version, second_hub_applied_seconds=round(seen["median_seconds"], 2))


def at_hub(story: Story, south: Hub) -> Any:
    """What Aurora is shown of South for her newest withdrawal."""
    newest = story.aurora.hashshare("propagation", story.list_name).document["withdrawals"][0]
    return next((hub for hub in newest["hubs"] if hub["hub"] == name_of(south)), None)


def peer(hub: Hub, *words: str) -> dict[str, Any]:
    """`manage.py peer WORDS --json`."""
    document: dict[str, Any] = json.loads(hub.manage("peer", *words, "--json"))
    return document


def name_of(hub: Hub) -> str:
    """What other hubs call it."""
    return hub.url.removeprefix("http://")


def until(look: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """Look again every second until `holds`. Raises DemoFailedError when it does not in time."""
    deadline = time.monotonic() + WITHIN
    while not holds(seen := look()):
        if time.monotonic() > deadline:
            raise DemoFailedError(f"The hubs did not get there within {WITHIN:.0f} s; last seen: {seen}")
        time.sleep(1)
    return seen

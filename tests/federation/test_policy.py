"""What may cross, as a table; and that a restriction more never lets more through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.policy import MOST_HUBS, Agreed, Crossing, Failure, Hub, Success, may_cross, may_hold, widens
from hashshare.wire.manifest import Redistribution

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
NORTH, SOUTH, EAST = "north.example", "south.example", "east.example"
AURORA = Agreed("aurora.example")
EVERYBODY = Redistribution("federation")


def named(*hubs: str, not_in: tuple[str, ...] = ()) -> Redistribution:
    return Redistribution("named", hubs, not_in)


def closed_to(*countries: str) -> Redistribution:
    return Redistribution("federation", not_in=countries)


def judged(
    policy: Redistribution,
    *,
    path: tuple[str, ...] = (NORTH,),
    to: str = SOUTH,
    country: str = "PT",
    agreements: tuple[Agreed, ...] = (AURORA,),
) -> Success | Failure:
    crossing = Crossing("aurora.example/images", policy, path, Hub(to, country))
    return may_cross(crossing, agreements=agreements, now=NOW)


CROSSES: dict[str, dict[str, Any]] = {
    "to any peer in the federation": {"policy": EVERYBODY},
    "to a peer that is named": {"policy": named(SOUTH, EAST)},
    "to a peer that is named, of a federation that is narrowed to some": {
        "policy": Redistribution("federation", (SOUTH,))
    },
    "on to a second hub, both being named": {"policy": named(SOUTH, EAST), "path": (NORTH, SOUTH), "to": EAST},
    "on to a second hub of the federation": {"policy": EVERYBODY, "path": (NORTH, SOUTH), "to": EAST},
    "to a hub in a country that is open": {"policy": closed_to("US", "CN")},
    "to a hub that does not say where it is, when no country is closed": {"policy": EVERYBODY, "country": ""},
    "to a hub whose country is none, when no country is closed": {"policy": EVERYBODY, "country": "ZZ"},
    "under an agreement about this list alone": {
        "policy": EVERYBODY,
        "agreements": (Agreed("aurora.example", "images"),),
    },
    "under an agreement that ends in a second": {
        "policy": EVERYBODY,
        "agreements": (replace(AURORA, until=NOW + timedelta(seconds=1)),),
    },
    "under a new agreement after an old one": {
        "policy": EVERYBODY,
        "agreements": (replace(AURORA, ended_at=NOW - timedelta(days=1)), AURORA),
    },
    "as the last hub of the longest way": {
        "policy": EVERYBODY,
        "path": tuple(f"h{number}.example" for number in range(MOST_HUBS - 1)),
    },
}

DOES_NOT_CROSS: dict[str, tuple[dict[str, Any], str]] = {
    "policy none": ({"policy": Redistribution()}, "lets no other hub have the list"),
    "policy none, though it names the peer": ({"policy": Redistribution("none", (SOUTH,))}, "lets no other hub have"),
    "a policy of a later version": ({"policy": Redistribution("friends")}, "lets no other hub have the list"),
    "another peer is named": ({"policy": named(EAST)}, "does not name south.example"),
    "nobody is named": ({"policy": named()}, "does not name south.example"),
    "a federation that is narrowed to others": ({"policy": Redistribution("federation", (EAST,))}, "does not name"),
    "a second hop, only the first hub being named": (
        {"policy": named(SOUTH), "path": (NORTH, SOUTH), "to": EAST},
        "does not name east.example",
    ),
    "a second hop to a named hub by one that is not": (
        {"policy": named(EAST), "path": (NORTH, SOUTH), "to": EAST},
        "does not name south.example",
    ),
    "the hub's country is closed": ({"policy": closed_to("US", "PT")}, "is in PT, which the publisher's policy closes"),
    "its country is closed, though it is named": ({"policy": named(SOUTH, not_in=("PT",))}, "is in PT"),
    "some country is closed, and the hub does not say where it is": (
        {"policy": closed_to("US"), "country": ""},
        "does not say in which country it is",
    ),
    "some country is closed, and the hub's is none": ({"policy": closed_to("US"), "country": "UK"}, "does not say"),
    "a place is closed that is no country": ({"policy": closed_to("EU")}, "“EU”, which is no country's code"),
    "a country is closed in lower case": ({"policy": closed_to("pt"), "country": "SE"}, "“pt”"),
    "a field that is not known": (
        {"policy": Redistribution("federation", extra={"after": "2028-01-01"})},
        "does not know",
    ),
    "back to its home": ({"policy": EVERYBODY, "to": NORTH}, "has been at north.example"),
    "back to a hub on its way": (
        {"policy": EVERYBODY, "path": (NORTH, SOUTH, EAST), "to": SOUTH},
        "has been at south.example",
    ),
    "round in a circle on its way": (
        {"policy": EVERYBODY, "path": (NORTH, EAST, NORTH)},
        "not known by which hubs",
    ),
    "from nowhere": ({"policy": EVERYBODY, "path": ()}, "not known by which hubs"),
    "by too many hubs": (
        {"policy": EVERYBODY, "path": tuple(f"h{number}.example" for number in range(MOST_HUBS))},
        "at most 6",
    ),
    "no agreement": ({"policy": EVERYBODY, "agreements": ()}, "no agreement"),
    "no agreement, though the publisher names the hub": ({"policy": named(SOUTH), "agreements": ()}, "no agreement"),
    "an agreement about another publisher": (
        {"policy": EVERYBODY, "agreements": (Agreed("borealis.example"),)},
        "no agreement",
    ),
    "an agreement about another list": (
        {"policy": EVERYBODY, "agreements": (Agreed("aurora.example", "video"),)},
        "no agreement",
    ),
    "an agreement until now": ({"policy": EVERYBODY, "agreements": (replace(AURORA, until=NOW),)}, "has ended"),
    "an agreement that was ended, whatever its date": (
        {"policy": EVERYBODY, "agreements": (replace(AURORA, until=NOW + timedelta(days=9), ended_at=NOW),)},
        "has ended",
    ),
    "an agreement, but the publisher says no": ({"policy": Redistribution()}, "lets no other hub have"),
}


@pytest.mark.parametrize("case", CROSSES.values(), ids=CROSSES)
def test_it_lets_cross(case: dict[str, Any]) -> None:
    assert judged(**case) == Success()


@pytest.mark.parametrize(("case", "reason"), DOES_NOT_CROSS.values(), ids=DOES_NOT_CROSS)
def test_it_keeps_back(case: dict[str, Any], reason: str) -> None:
    verdict = judged(**case)
    assert isinstance(verdict, Failure)
    assert reason in verdict.reason


HOLDERS: dict[str, tuple[Redistribution, str, str, str]] = {
    "a member where nothing is closed": (EVERYBODY, "PT", "member", ""),
    "a hotline": (EVERYBODY, "PT", "hotline", ""),
    "a member of a named hub": (named(SOUTH), "PT", "member", ""),
    "a member in an open country": (closed_to("US"), "PT", "member", ""),
    "a member in a closed country": (closed_to("US", "PT"), "PT", "member", "is in PT"),
    "a member nobody knows where": (closed_to("US"), "ZZ", "member", "does not say in which country"),
    "a partner": (EVERYBODY, "PT", "partner", "A partner receives no lists"),
    "a hub": (EVERYBODY, "PT", "hub", "A hub receives no lists"),
    "a member, the policy being none": (Redistribution(), "PT", "member", "lets no other hub pass the list on"),
    "a member, the policy not being understood": (Redistribution("federation", extra={"x": 1}), "PT", "member", "know"),
    "a member, a place being closed that is none": (closed_to("Europe"), "PT", "member", "“Europe”"),
}


@pytest.mark.parametrize(("policy", "country", "kind", "reason"), HOLDERS.values(), ids=HOLDERS)
def test_it_says_who_of_another_hub_may_hold_a_list(
    policy: Redistribution, country: str, kind: str, reason: str
) -> None:
    verdict = may_hold(policy, country=country, kind=kind)
    assert isinstance(verdict, Failure) == bool(reason)
    assert not reason or reason in getattr(verdict, "reason", "")


# --- A restriction more never lets more through ------------------------------------------------------------------

HUBS = [NORTH, SOUTH, EAST, "west.example"]
COUNTRIES = ["PT", "SE", "US", "EU", ""]


def subsets(words: list[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words), unique=True, max_size=3).map(tuple)


POLICIES = st.builds(
    Redistribution,
    st.sampled_from(["none", "named", "federation"]),
    subsets(HUBS),
    subsets(COUNTRIES[:-1]),
    st.sampled_from([{}, {}, {"later": True}]),
)
MOMENTS = st.none() | st.sampled_from([NOW + timedelta(days=days) for days in (-1, 0, 1)])
AGREEMENTS = st.lists(
    st.builds(
        Agreed, st.sampled_from(["aurora.example", "b.example"]), st.sampled_from(["", "images"]), MOMENTS, MOMENTS
    ),
    max_size=3,
).map(tuple)
CROSSINGS = st.builds(
    Crossing,
    st.just("aurora.example/images"),
    POLICIES,
    subsets(HUBS),
    st.builds(Hub, st.sampled_from(HUBS), st.sampled_from(COUNTRIES)),
)


def narrower(policy: Redistribution, how: str) -> Redistribution:
    peers = policy.peers
    match how:
        case "none":
            return replace(policy, policy="none")
        case "named":
            return replace(policy, policy="named") if policy.policy == "federation" else policy
        case "fewer peers":
            # The last name cannot go from a federation: without any it is open to all.
            return replace(policy, peers=peers[1:]) if len(peers) > 1 or policy.policy == "named" else policy
        case "closed":
            return replace(policy, not_in=tuple(dict.fromkeys((*policy.not_in, "PT"))))
        case "narrowed":
            return policy if peers else replace(policy, peers=(EAST,))
        case _:
            return replace(policy, extra={"later": True})


HOW = st.sampled_from(["none", "named", "fewer peers", "closed", "narrowed", "unknown"])


@given(CROSSINGS, AGREEMENTS, HOW)
def test_a_narrower_policy_lets_nothing_more_through(
    crossing: Crossing, agreements: tuple[Agreed, ...], how: str
) -> None:
    narrowed = replace(crossing, policy=narrower(crossing.policy, how))
    if may_cross(narrowed, agreements=agreements, now=NOW) == Success():
        assert may_cross(crossing, agreements=agreements, now=NOW) == Success()


@given(CROSSINGS, AGREEMENTS, st.integers(0, 3))
def test_an_agreement_less_lets_nothing_more_through(
    crossing: Crossing, agreements: tuple[Agreed, ...], which: int
) -> None:
    fewer = agreements[:which] + agreements[which + 1 :]
    if may_cross(crossing, agreements=fewer, now=NOW) == Success():
        assert may_cross(crossing, agreements=agreements, now=NOW) == Success()


@given(CROSSINGS, AGREEMENTS)
def test_agreements_never_let_through_what_the_publisher_does_not(
    crossing: Crossing, agreements: tuple[Agreed, ...]
) -> None:
    verdict = may_cross(crossing, agreements=agreements, now=NOW)
    if crossing.policy.policy == "none" or crossing.to.country in crossing.policy.not_in or crossing.policy.extra:
        assert isinstance(verdict, Failure)


@given(CROSSINGS, AGREEMENTS, st.integers(0, 10))
def test_time_alone_lets_nothing_more_through(crossing: Crossing, agreements: tuple[Agreed, ...], days: int) -> None:
    later = may_cross(crossing, agreements=agreements, now=NOW + timedelta(days=days))
    if later == Success():
        assert may_cross(crossing, agreements=agreements, now=NOW) == Success()


@given(CROSSINGS, AGREEMENTS, st.sampled_from(HUBS))
def test_what_may_go_on_might_have_come_there(crossing: Crossing, agreements: tuple[Agreed, ...], to: str) -> None:
    """A second hop never reaches where the policy would not have let the first go."""
    onward = replace(crossing, path=(*crossing.path, crossing.to.name), to=replace(crossing.to, name=to))
    if crossing.path and may_cross(onward, agreements=agreements, now=NOW) == Success():
        assert may_cross(crossing, agreements=agreements, now=NOW) == Success()


@given(POLICIES, st.sampled_from(COUNTRIES), st.sampled_from(["member", "hotline", "partner", "hub"]), HOW)
def test_a_narrower_policy_gives_no_more_members_a_list(
    policy: Redistribution, country: str, kind: str, how: str
) -> None:
    if may_hold(narrower(policy, how), country=country, kind=kind) == Success():
        assert may_hold(policy, country=country, kind=kind) == Success()


# --- A peer's word beside the signed policy ----------------------------------------------------------------------

WIDENS: dict[str, tuple[Redistribution, Redistribution, str]] = {
    "the same": (named(SOUTH), named(SOUTH), ""),
    "less": (named(SOUTH, not_in=("US",)), EVERYBODY, ""),
    "nothing of what is signed": (Redistribution(), EVERYBODY, ""),
    "fewer": (named(SOUTH), named(SOUTH, EAST), ""),
    "all, where some are named": (EVERYBODY, named(SOUTH), "every peer"),
    "another, where some are named": (named(SOUTH, EAST), named(SOUTH), "names east.example"),
    "another, where the federation is narrowed": (named(EAST), Redistribution("federation", (SOUTH,)), "names east"),
    "some, where nobody may": (named(SOUTH), Redistribution(), "lets no other hub have"),
    "a closed country": (closed_to("PT"), closed_to("US", "PT"), "opens US"),
    "past a restriction unknown": (EVERYBODY, Redistribution("federation", extra={"x": 1}), "does not know"),
}


@pytest.mark.parametrize(("offered", "signed", "reason"), WIDENS.values(), ids=WIDENS)
def test_it_tells_how_a_peer_s_word_goes_beyond_the_signed_policy(
    offered: Redistribution, signed: Redistribution, reason: str
) -> None:
    said = widens(offered, signed)
    assert bool(said) == bool(reason)
    assert reason in said


@given(POLICIES, CROSSINGS, AGREEMENTS)
def test_a_word_that_does_not_widen_lets_nothing_more_through(
    offered: Redistribution, crossing: Crossing, agreements: tuple[Agreed, ...]
) -> None:
    told = replace(crossing, policy=offered)
    if not widens(offered, crossing.policy) and may_cross(told, agreements=agreements, now=NOW) == Success():
        assert may_cross(crossing, agreements=agreements, now=NOW) == Success()

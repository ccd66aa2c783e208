"""At the hub that has the copy: what members ask for goes to the list's home, and what is decided there is followed."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from federation.documents import Decisions, TakenRequest, ToldDecision
from federation.models import Relayed, TakenTerms
from federation.selectors.relaying import untold
from federation.services import relaying
from federation.services.crossing import judge_mirrored
from federation.services.relaying import follow_decision, relay, relay_to_every_peer
from hashshare.models import HashList, Organisation, Subscription
from hashshare.selectors.lists import heads
from hashshare.services.subscriptions import close, grant
from hashshare.wire import errors
from hashshare.wire.manifest import Redistribution
from tests import builders as b
from tests.federation.builders import Hub, agreed, south
from tests.federation.copied import asks, copied_from, scene

pytestmark = pytest.mark.django_db

IMAGES = "aurora.example/images"


class Home:
    """North as it answers: keeps what it is told, and says what a test has it decide."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.terms = [self.says()]
        self.decisions: list[dict[str, Any]] = []
        self.refused: dict[str, str] = {}
        self.newest: int | None = None
        self.down = False

    def says(self, **changes: Any) -> dict[str, Any]:
        return {"list": IMAGES, "given": True, "why": "", "members": "each", "evidence": ""} | changes

    def decides(self, row: Subscription, state: str, **changes: Any) -> dict[str, Any]:
        number = len(self.decisions) + 1
        made = {
            "number": number,
            "id": str(row.pk),
            "list": IMAGES,
            "state": state,
            "decided_at": (datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=number)).isoformat(),
            "ends_at": None,
            "reason": "So they decided.",
        } | changes
        self.decisions.append(made)
        return made

    # --- as hashshare.client.session.Session ---

    def get_json(self, path: str, *, params: dict[str, str]) -> Any:
        assert path == "peers/decisions"
        if self.down:
            raise errors.NetworkError("North is away.")
        since = int(params["since"])
        newest = len(self.decisions) if self.newest is None else self.newest
        found = [it for it in self.decisions if it["number"] > since][:2]
        return {"terms": self.terms, "decisions": found, "newest": newest}

    def send(self, method: str, path: str, *, json: Any) -> Any:
        assert (method, path) == ("POST", "peers/requests")
        self.told += json["requests"]
        answers = [
            {
                "id": it["id"],
                "state": "" if it["list"] in self.refused else "requested",
                "refused": self.refused.get(it["list"], ""),
            }
            for it in json["requests"]
        ]
        return {"requests": answers}


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(relaying, "decoded_object", lambda answer: answer)
    return Home()


@pytest.fixture
def north_and_list() -> tuple[Hub, HashList]:
    return scene()


@pytest.fixture
def origin(north_and_list: tuple[Hub, HashList]) -> Hub:
    return north_and_list[0]


@pytest.fixture
def images(north_and_list: tuple[Hub, HashList]) -> HashList:
    return north_and_list[1]


def goes(origin: Hub, home: Home) -> None:
    relay(origin.peer, home, now=b.now())  # type: ignore[arg-type]


def state_of(row: Subscription) -> str:
    row.refresh_from_db()
    return row.state


def reads(who: b.Party) -> bool:
    return bool(heads(caller=who.caller, now=b.now()))


# --- There ---------------------------------------------------------------------------------------------------------


def test_a_request_is_told_once_and_says_no_more_of_the_member_than_it_has_to(
    origin: Hub, images: HashList, home: Home
) -> None:
    row = asks(b.member(), images)
    goes(origin, home)
    goes(origin, home)
    assert home.told == [
        {
            "id": str(row.pk),
            "list": IMAGES,
            "organisation": {"slug": "cobalt", "name": "Cobalt", "country": "DE", "sector": "", "kind": "member"},
            "terms_digest": images.terms_digest,
            "requested_at": row.requested_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "state": "requested",
        }
    ]


def test_what_did_not_arrive_is_told_again(
    origin: Hub, images: HashList, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(b.member(), images)

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise errors.NetworkError

    with monkeypatch.context() as patch:
        patch.setattr(home, "send", broken)
        with pytest.raises(errors.NetworkError):
            goes(origin, home)
    goes(origin, home)
    assert len(home.told) == 1


def test_nothing_is_told_of_lists_that_the_hub_decides_on_itself(origin: Hub, images: HashList, home: Home) -> None:
    home.terms = [home.says(members="hub")]
    asks(b.member(), images)
    goes(origin, home)
    assert home.told == []
    home.terms = [home.says(members="each")]
    goes(origin, home)
    assert len(home.told) == 1


def test_what_the_hub_granted_itself_is_the_publisher_s_to_decide_once_that_wishes_to_be_asked(
    origin: Hub, images: HashList, home: Home
) -> None:
    home.terms = [home.says(members="hub")]
    cobalt = b.member()
    row = asks(cobalt, images)
    goes(origin, home)
    grant(images, cobalt.organisation, row, None, "", b.now())
    home.terms = [home.says(members="each")]
    goes(origin, home)
    assert [it["state"] for it in home.told] == ["requested"]
    assert reads(cobalt), "until the publisher has decided, it stays as it was"
    home.decides(row, "denied")
    goes(origin, home)
    assert (state_of(row), reads(cobalt)) == ("revoked", False)


def test_a_member_that_is_suspended_here_is_told_of_and_reads_nothing(
    origin: Hub, images: HashList, home: Home
) -> None:
    cobalt = b.member()
    row = asks(cobalt, images)
    goes(origin, home)
    Organisation.objects.filter(pk=cobalt.organisation.pk).update(state="suspended")
    goes(origin, home)
    assert [it["state"] for it in home.told] == ["requested", "suspended"]
    home.decides(row, "active")
    goes(origin, home)
    assert state_of(row) == "active"  # in force again when the suspension ends; until then no door opens to it
    Organisation.objects.filter(pk=cobalt.organisation.pk).update(state="active")
    goes(origin, home)
    assert [it["state"] for it in home.told] == ["requested", "suspended", "requested"]


def test_a_member_whose_subscription_ended_here_is_told_of(origin: Hub, images: HashList, home: Home) -> None:
    row = asks(b.member(), images)
    goes(origin, home)
    close(row, "deny", "Left the coalition.", b.now())
    goes(origin, home)
    assert [it["state"] for it in home.told] == ["requested", "closed"]
    goes(origin, home)
    assert len(home.told) == 2


def test_one_that_was_never_told_is_not_told_when_it_ends(origin: Hub, images: HashList, home: Home) -> None:
    close(asks(b.member(), images), "deny", "", b.now())
    goes(origin, home)
    assert home.told == []


def test_a_refusal_is_kept_and_asked_again_only_with_new_terms(origin: Hub, images: HashList, home: Home) -> None:
    home.refused = {IMAGES: "The list's terms are not those that were accepted."}
    cobalt = b.member()
    asks(cobalt, images)
    goes(origin, home)
    goes(origin, home)
    assert len(home.told) == 1
    assert Relayed.objects.get().refused == home.refused[IMAGES]
    images.terms, images.terms_digest = "New.", "1" * 64
    images.save()
    asks(cobalt, images)
    home.refused = {}
    goes(origin, home)
    assert len(home.told) == 2
    assert Relayed.objects.get().refused == ""


def test_it_is_told_in_batches(origin: Hub, images: HashList, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from federation.selectors import relaying as selector

    monkeypatch.setattr(selector, "MOST", 2)
    for number in range(5):
        asks(b.member(f"Member {number}"), images)
    goes(origin, home)
    assert len(home.told) == 5
    assert untold(origin.peer) == []


# --- And back ----------------------------------------------------------------------------------------------------


def test_a_grant_opens_the_list_until_its_end_with_the_publisher_s_words(
    origin: Hub, images: HashList, home: Home
) -> None:
    cobalt = b.member()
    row = asks(cobalt, images)
    goes(origin, home)
    assert not reads(cobalt)
    until = (b.now() + timedelta(days=9)).replace(microsecond=0)
    home.decides(row, "active", ends_at=until.isoformat())
    goes(origin, home)
    assert (state_of(row), row.ends_at, row.reason) == ("active", until, "So they decided.")
    assert reads(cobalt)


def test_a_denial_and_a_revocation_are_followed(origin: Hub, images: HashList, home: Home) -> None:
    cobalt, cerise = b.member(), b.member("Cerise")
    one, other = asks(cobalt, images), asks(cerise, images)
    home.decides(one, "denied")
    home.decides(other, "active")
    home.decides(other, "revoked")
    goes(origin, home)
    assert (state_of(one), state_of(other)) == ("denied", "revoked")
    assert not reads(cerise)


def test_decisions_are_followed_once_in_pages_and_from_where_it_stopped(
    origin: Hub, images: HashList, home: Home
) -> None:
    rows = [asks(b.member(f"Member {number}"), images) for number in range(5)]
    for row in rows:
        home.decides(row, "active")
    goes(origin, home)
    assert {state_of(row) for row in rows} == {"active"}
    assert relaying.newest_followed(origin.peer) == 5


def told(home: Home, row: Subscription, state: str, **changes: Any) -> ToldDecision:
    value = {"terms": [], "decisions": [home.decides(row, state, **changes)], "newest": 1}
    return Decisions.parse(value).decisions[0]


def test_an_older_decision_that_comes_again_changes_nothing(origin: Hub, images: HashList, home: Home) -> None:
    row = asks(b.member(), images)
    granted, revoked = told(home, row, "active"), told(home, row, "revoked")
    assert follow_decision(origin.peer, granted, now=b.now())
    assert follow_decision(origin.peer, revoked, now=b.now())
    assert not follow_decision(origin.peer, granted, now=b.now())
    assert not follow_decision(origin.peer, revoked, now=b.now())
    assert state_of(row) == "revoked"


def test_a_decision_on_a_request_that_was_made_anew_does_not_touch_the_new_one(
    origin: Hub, images: HashList, home: Home
) -> None:
    cobalt = b.member()
    first = asks(cobalt, images)
    close(first, "deny", "", b.now())
    second = asks(cobalt, images)
    assert not follow_decision(origin.peer, told(home, first, "active"), now=b.now())
    assert (state_of(first), state_of(second)) == ("denied", "requested")


def test_a_peer_decides_nothing_on_lists_that_are_not_its_own(origin: Hub, images: HashList, home: Home) -> None:
    feed = b.feed(b.publisher("Borealis", "borealis.example"))
    own = asks(b.member(), feed.row)
    other = south()
    agreed(other, "in")
    copied = asks(b.member("Cerise"), images)
    assert not follow_decision(origin.peer, told(home, own, "active", list=feed.row.name), now=b.now())
    assert not follow_decision(other.peer, told(home, copied, "active"), now=b.now())
    assert not follow_decision(origin.peer, told(home, copied, "active", list="aurora.example/video"), now=b.now())
    assert not follow_decision(origin.peer, told(home, copied, "active", id=str(uuid.uuid4())), now=b.now())
    assert {state_of(own), state_of(copied)} == {"requested"}


def test_what_the_policy_forbids_is_not_granted_whoever_decided_so(home: Home) -> None:
    origin, images = scene(Redistribution("federation", not_in=("US",)))
    row = asks(b.member(), images)
    images.redistribution = Redistribution("federation", not_in=("US", "DE")).to_record()
    images.save()
    follow_decision(origin.peer, told(home, row, "active"), now=b.now())
    assert state_of(row) == "denied"
    assert "is in DE, which the publisher's policy closes" in row.reason


def test_a_restored_home_is_told_everything_again_and_counts_on(origin: Hub, images: HashList, home: Home) -> None:
    one, other = asks(b.member(), images), asks(b.member("Cerise"), images)
    home.decides(one, "active", number=7)
    home.newest = 7
    goes(origin, home)
    assert len(home.told) == 2
    home.decisions, home.newest = [], None
    home.decides(other, "active", decided_at=b.now().isoformat())
    goes(origin, home)
    assert len(home.told) == 4
    assert state_of(other) == "active"
    goes(origin, home)
    assert len(home.told) == 4, "once, and not every minute until its numbers are above those of before"


# --- What is given no more -----------------------------------------------------------------------------------------


def test_every_member_loses_what_the_publisher_took_from_the_hub(origin: Hub, images: HashList, home: Home) -> None:
    members = [b.member(), b.member("Cerise")]
    for member in members:
        home.decides(asks(member, images), "active")
    goes(origin, home)
    assert all(map(reads, members))
    home.terms = [home.says(given=False, why="The hub's subscription is revoked.")]
    goes(origin, home)
    assert not any(map(reads, members))
    assert "subscription is revoked" in TakenTerms.objects.get().closed_for
    home.terms = [home.says()]
    goes(origin, home)
    HashList.objects.update(closed_at=None)  # as serving the next copy does
    judge_mirrored(images, now=b.now())
    assert all(map(reads, members))


def test_a_list_of_which_the_peer_says_nothing_is_given_no_more(origin: Hub, images: HashList, home: Home) -> None:
    video = copied_from(origin, slug="video")
    goes(origin, home)
    images.refresh_from_db()
    video.refresh_from_db()
    assert (images.closed_at, video.closed_at is not None) == (None, True)


def test_a_peer_cannot_open_what_the_signed_policy_closes(home: Home) -> None:
    origin, images = scene(Redistribution())
    goes(origin, home)
    images.refresh_from_db()
    assert images.closed_at is not None


# --- A peer that answers badly ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"terms": [], "decisions": [], "newest": -1},
        {"terms": [{"list": IMAGES}], "decisions": [], "newest": 0},
        {"terms": [], "decisions": [{"number": 0}], "newest": 0},
        {"terms": [Home().says(members="all")], "decisions": [], "newest": 0},
        {"terms": [Home().says(given="yes")], "decisions": [], "newest": 0},
        {"terms": [Home().says(why="x" * 501)], "decisions": [], "newest": 0},
    ],
)
def test_an_answer_that_is_none_is_refused_whole(origin: Hub, images: HashList, home: Home, answer: Any) -> None:
    home.get_json = lambda *args, **kwargs: answer  # type: ignore[method-assign]
    with pytest.raises(errors.MalformedReport):
        goes(origin, home)
    assert not TakenTerms.objects.exists()


@pytest.mark.parametrize("change", [{"state": "left"}, {"id": "1"}, {"decided_at": "yesterday"}, {"reason": 3}])
def test_a_decision_that_is_none_is_refused(images: HashList, home: Home, change: dict[str, Any]) -> None:
    said = home.decides(asks(b.member(), images), "active") | change
    with pytest.raises(errors.MalformedReport):
        Decisions.parse({"terms": [], "decisions": [said], "newest": 1})


def test_a_reason_that_cannot_be_shown_as_it_is_holds_no_decision_up(images: HashList, home: Home) -> None:
    said = home.decides(asks(b.member(), images), "active") | {"reason": "As agreed.\n\u202e\x9b2J"}
    told = Decisions.parse({"terms": [home.says(why="No\x1b[2J")], "decisions": [said], "newest": 1})
    assert (told.decisions[0].reason, told.terms[0].why) == ("As agreed.\ufffd\ufffd\ufffd2J", "No\ufffd[2J")


def test_an_answer_about_others_requests_changes_nothing(origin: Hub, images: HashList, home: Home) -> None:
    row = asks(b.member(), images)
    batch = untold(origin.peer)
    relaying.note_told(batch, TakenRequest.parse_all({"requests": []}), now=b.now())
    assert Relayed.objects.get(subscription=row).refused == "The hub did not say what became of it."


def test_a_peer_that_is_away_keeps_no_other_waiting(
    origin: Hub, images: HashList, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, other = Home(), south()
    away.down, away.terms = True, [away.says(list="borealis.example/images")]
    agreed(other, "in", "borealis.example")
    video = copied_from(other, domain="borealis.example")
    sessions = {"north.example": away, "south.example": home}
    monkeypatch.setattr(relaying, "session_with", lambda peer: sessions[peer.name])
    asks(b.member(), video)
    home.terms = [home.says(list="borealis.example/images")]
    with pytest.raises(errors.NetworkError):
        relay_to_every_peer(now=b.now())
    assert len(home.told) == 1

"""What a peer shows must extend all that it showed: here before, as a witness's request, and to other hubs."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from federation.models import Finding, Peer, WatchedLog, WitnessedLog
from federation.services import watching
from federation.services.connections import session_with
from federation.services.findings import evidence
from federation.services.watching import watch_peer, watch_peers
from federation.services.witness import add_checkpoint
from hashshare.wire import keys
from hashshare.wire.errors import HashshareError, NetworkError
from hashshare.wire.log import Verifier, open_checkpoint, sign_checkpoint
from hashshare.wire.log.successions import Succession, sign_succession
from tests.admin.cast import person
from tests.builders import now
from tests.federation.builders_witness import HubLog, PublicHub
from tests.federation.conftest import Showing

pytestmark = pytest.mark.django_db
MINUTES = timedelta(minutes=1)


@pytest.fixture
def north(showing: Showing) -> PublicHub:
    """With a publication log of 300 leaves."""
    made = showing("north.example")
    made.show(HubLog(made.hub).grow(300))
    return made


def log_of(public: PublicHub) -> HubLog:
    return public.logs["publication"]


def findings() -> list[tuple[str, str]]:
    return list(Finding.objects.order_by("found_at").values_list("kind", "subject"))


def proved(public: PublicHub) -> list[int]:
    """The sizes of the signed notes in the evidence, each verified with nothing but the peer's key."""
    found = Finding.objects.get()
    log = log_of(public)
    verifier = Verifier(log.origin, keys.public_bytes(public.hub.log))
    notes = [text for name, text in evidence(found).items() if name.endswith(".txt")]
    return sorted(open_checkpoint(note, verifier, origin=log.origin).size for note in notes)


def test_an_honest_log_is_followed_as_it_grows(north: PublicHub) -> None:
    for count in (0, 1, 300, 0, 5000):
        north.show(log_of(north).grow(count))
        assert watch_peers(now=now()) == 1
        assert WatchedLog.objects.get().size == log_of(north).size
    assert findings() == []


def test_a_rewritten_log_is_named_with_both_notes(north: PublicHub) -> None:
    person("operator")
    watch_peers(now=now())
    north.show(log_of(north).fork(200, to=400))
    for _ in range(2):
        watch_peers(now=now())
    assert findings() == [("split_view", "north.example/log/publication")]
    assert proved(north) == [300, 400]
    assert len(mail.outbox) == 1
    assert WatchedLog.objects.get().size == 300, "what was seen first stays what counts"


def test_two_logs_of_one_size_are_named(north: PublicHub) -> None:
    watch_peers(now=now())
    north.show(log_of(north).fork(299, to=300))
    watch_peers(now=now())
    assert findings() == [("split_view", "north.example/log/publication")]
    assert proved(north) == [300, 300]


def test_a_log_that_shrank_is_named_when_no_cache_explains_it(north: PublicHub) -> None:
    at = now()
    watch_peers(now=at)
    north.show(log_of(north), 256)
    watch_peers(now=at + MINUTES)
    assert findings() == []
    watch_peers(now=at + 10 * MINUTES)
    assert findings() == [("log_shrank", "north.example/log/publication")]
    assert proved(north) == [256, 300]


def test_another_key_is_named(north: PublicHub) -> None:
    watch_peers(now=now())
    north.hub.log = keys.generate()
    watch_peers(now=now())
    assert findings() == [("key_changed", "north.example/log/publication")]
    assert {"shown-now.txt", "seen-before.txt"} <= set(evidence(Finding.objects.get()))


def test_what_it_had_cosigned_counts_too(north: PublicHub) -> None:
    """It asks for a cosignature of one history, and shows the public another."""
    log = log_of(north)
    add_checkpoint(asked=log.ask(0), now=now())
    north.show(log.fork(250, to=310))
    watch_peers(now=now())
    assert findings() == [("split_view", log.origin)]
    assert proved(north) == [300, 310]


def test_a_dispute_is_looked_into(north: PublicHub) -> None:
    """A wrong proof alone accuses nobody; a checkpoint that is not part of the log does."""
    log = log_of(north)
    add_checkpoint(asked=log.ask(0, 100), now=now())
    mislaid = log.ask(100, 200)
    with pytest.raises(HashshareError):
        add_checkpoint(asked=type(mislaid)(100, (bytes(32),), mislaid.note), now=now())
    assert WitnessedLog.objects.get().disputed
    watch_peers(now=now())
    assert findings() == []
    assert not WitnessedLog.objects.get().disputed
    fork = log.fork(50, to=220)
    with pytest.raises(HashshareError):
        add_checkpoint(asked=fork.ask(100), now=now())
    watch_peers(now=now())
    assert findings() == [("split_view", log.origin)]
    assert proved(north) == [220, 300]


def test_a_split_view_between_two_hubs_is_named(north: PublicHub, showing: Showing) -> None:
    """North shows this hub one history and East another, each kept up without a fault."""
    east, log = showing("east.example"), log_of(north)
    east.cosign(log.fork(200, to=280).note())
    watch_peers(now=now())
    assert findings() == [("split_view", log.origin)]
    assert proved(north) == [280, 300]
    assert "to east.example" in Finding.objects.get().detail


def test_two_hubs_at_different_sizes_of_one_history_are_in_peace(north: PublicHub, showing: Showing) -> None:
    east, log = showing("east.example"), log_of(north)
    for size in (0, 1, 256, 299, 300):
        east.cosign(log.note(size))
        watch_peers(now=now())
    log.grow(10)
    east.cosign(log.note())
    watch_peers(now=now() + MINUTES)
    assert findings() == [], "East may be a minute ahead"
    watch_peers(now=now() + 10 * MINUTES)
    assert findings() == [("split_view", log.origin)], "but not for long: here less is shown"


def test_a_peer_cannot_accuse_another_falsely(north: PublicHub, showing: Showing) -> None:
    """What East says of North counts only with North's signature under it."""
    east, log = showing("east.example"), log_of(north)
    forged = sign_checkpoint(log.fork(200, to=280).checkpoint(), key=keys.generate())
    for note in (forged, "", "x" * 200_000, log.note().replace("\n300\n", "\n301\n")):
        east.faults["/witness/cosigned"] = (200, note.encode())
        watch_peer(north.hub.peer, others=[east.hub.peer], now=now())
    east.faults["/witness/cosigned"] = (500, b"")
    watch_peer(north.hub.peer, others=[east.hub.peer], now=now())
    assert findings() == []
    assert WatchedLog.objects.get().size == 300


def test_a_hub_out_of_reach_is_waited_for_once_and_not_at_every_log(
    north: PublicHub, showing: Showing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one dead peer, and another's many logs, would keep all from being watched."""
    other = HubLog(north.hub, "aurora.example").grow(5)
    north.show(other)
    add_checkpoint(asked=other.ask(0), now=now())
    east, asked = showing("east.example"), list[str]()

    class Silent:
        def ask(self, method: str, path: str) -> None:
            asked.append(path)
            raise NetworkError("East is away.")

    monkeypatch.setattr(
        watching, "session_with", lambda peer: Silent() if peer == east.hub.peer else session_with(peer)
    )
    assert watch_peer(north.hub.peer, others=[east.hub.peer], now=now()) == 2
    assert asked == ["/witness/cosigned/north.example/log/publication"]


def test_rubbish_and_silence_accuse_nobody(north: PublicHub) -> None:
    watch_peers(now=now())
    for fault in ((200, b"rubbish"), (200, b"\xff" * 300_000), (404, b"{}"), (500, b"")):
        north.faults["/log/publication/checkpoint"] = fault
        watch_peers(now=now())
    north.faults = {"/log/publication/successions": (200, b"[]")}
    watch_peers(now=now())
    Peer.objects.update(url="http://127.0.0.1:9")
    watch_peers(now=now() + timedelta(days=2))
    assert findings() == []


def test_a_log_that_never_shows_that_it_grew_is_named_after_an_hour(north: PublicHub) -> None:
    """Tiles that are missing, or do not lead to the root that was signed."""
    at, log = now(), log_of(north)
    watch_peers(now=at)
    north.show(log.grow(100))
    north.faults["/log/publication/tile/0/001"] = (404, b"{}")
    watch_peers(now=at + 10 * MINUTES)
    assert findings() == []
    assert WatchedLog.objects.get().trouble
    watch_peers(now=at + 70 * MINUTES)
    assert findings() == [("split_view", log.origin)]
    Finding.objects.all().delete()
    north.faults["/log/publication/tile/0/001"] = (200, bytes(32 * 144))
    watch_peers(now=at + 80 * MINUTES)
    assert findings() == [("split_view", log.origin)]


def test_a_partial_tile_may_be_gone_once_the_full_one_is_there(north: PublicHub) -> None:
    """As tlog-tiles allows: a tile of 44 hashes is cut from the full one."""
    watch_peers(now=now())
    log = log_of(north)
    log.grow(300)
    north.show(log, 310)
    north.files["/log/publication/tile/0/001"] = log.shelf.read(0, 1, 256)
    north.faults["/log/publication/tile/0/001.p/"] = (404, b"{}")
    watch_peers(now=now())
    assert WatchedLog.objects.get().size == 310


def test_a_settled_finding_comes_back_if_it_is_so_again(north: PublicHub) -> None:
    watch_peers(now=now())
    north.show(log_of(north).fork(200, to=400))
    watch_peers(now=now())
    Finding.objects.update(settled_at=now(), settlement="Looked into.")
    watch_peers(now=now())
    assert Finding.objects.filter(settled_at=None).count() == 1


def test_suspended_peers_are_not_watched(north: PublicHub) -> None:
    Peer.objects.update(state=Peer.State.SUSPENDED)
    assert watch_peers(now=now()) == 0
    assert north.asked == []


def test_one_slow_peer_is_not_asked_for_all_its_logs(north: PublicHub, monkeypatch: Any) -> None:
    """Out of reach at the first log, it is left for this run."""
    for name in ("a.example", "b.example"):
        WitnessedLog.objects.create(
            peer=north.hub.peer, origin=f"north.example/log/{name}", root=bytes(32), checkpoint="x"
        )
    north.faults["/log"] = (500, b"")
    watch_peers(now=now())
    assert len({path for path in north.asked if "/log/" in path}) == 1
    assert threading.active_count() < 10
    monkeypatch.setattr(watching, "MOST_LOGS", 2)
    assert watching.names_of(north.hub.peer) == ["publication", "a.example"]


def superseded(north: PublicHub, *, size: int, after: HubLog, root: bytes | None = None) -> None:
    """North says that the log ended with `size` leaves, and shows `after` in its place."""
    before = log_of(north)
    said = Succession(before.origin, size, root or before.checkpoint(size).root, f"{before.origin}/2", now())
    note = sign_succession(replace(said, at=said.at.replace(microsecond=0)), key=north.hub.log)
    north.files["/log/publication/successions"] = json.dumps({"successions": [note]}).encode()
    after.name = "publication/2"
    north.show(after)


def test_a_log_that_openly_lost_its_end_is_named_as_such(north: PublicHub) -> None:
    """Once; and followed from then on."""
    watch_peers(now=now())
    log = log_of(north)
    superseded(north, size=280, after=log.fork(280, to=290))
    watch_peers(now=now())
    watch_peers(now=now())
    assert findings() == [("log_shrank", log.origin)]
    assert "20 of the 300 leaves" in Finding.objects.get().detail
    assert WatchedLog.objects.get(origin=f"{log.origin}/2").size == 290


def test_a_log_that_goes_on_whole_under_another_name_is_in_peace(north: PublicHub) -> None:
    watch_peers(now=now())
    log = log_of(north)
    superseded(north, size=300, after=log.fork(300, to=310))
    watch_peers(now=now())
    assert findings() == []
    assert WatchedLog.objects.count() == 2


def test_a_log_that_begins_anew_under_another_name_is_named(north: PublicHub) -> None:
    """Its statement says that the new one begins with what was seen, and it does not."""
    watch_peers(now=now())
    log = log_of(north)
    superseded(north, size=300, after=log.fork(100, to=310))
    watch_peers(now=now())
    assert findings() == [("split_view", log.origin)]


def test_a_statement_that_contradicts_what_was_seen_is_named(north: PublicHub) -> None:
    watch_peers(now=now())
    log, fork = log_of(north), log_of(north).fork(100, to=300)
    superseded(north, size=300, after=fork.grow(5), root=fork.checkpoint(300).root)
    watch_peers(now=now())
    assert findings() == [("split_view", log.origin)]

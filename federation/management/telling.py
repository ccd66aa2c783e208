"""Peers and agreements in words for a terminal, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from federation.models import Agreement, MirroredList, MirroredPublisher, Peer, TakenTerms
from federation.selectors.agreements import agreements_with
from federation.selectors.mirrors import paused_until, trouble_of
from federation.selectors.peers import REFUSES, PeerState, mirrored_lists
from federation.selectors.waiting import Waiting
from federation.services.asking_for_lists import Asked
from hashshare.wire.documents import write_time
from hashshare.wire.errors import HashshareError, NetworkError, NotAuthenticated
from hashshare.wire.fingerprints import spoken_lines

DASH = "-"
MOST_WAITING = 50
"""Lines of what is not decided."""


def peer_json(state: PeerState, now: datetime, *, whole: bool = False) -> dict[str, Any]:
    """`whole`: with its agreements, and each list that is copied from it."""
    peer, lag = state.peer, state.lag(now)
    document: dict[str, Any] = {
        "name": peer.name,
        "url": peer.url,
        "title": peer.title,
        "country": peer.country,
        "state": state.state,
        "fingerprint": peer.fingerprint,
        "organisation": peer.organisation.slug if peer.organisation else None,
        "introduced_at": write_time(peer.introduced_at),
        "accepted_at": _time(peer.accepted_at),
        "reached_at": _time(peer.reached_at),
        "lists": state.lists,
        "behind": state.behind,
        "lag_seconds": None if lag is None else round(lag),
        "storage": list(peer.storage),
        "trouble": peer.trouble,
        "offers_trouble": peer.offers_trouble,
        "differs": {**peer.differs, "since": _time(peer.differs_at)} if peer.differs else None,
    }
    if whole:
        document["agreements"] = [agreement_json(each, now) for each in agreements_with(peer=peer)]
        document["copied"] = [_copied_json(each) for each in mirrored_lists(peer=peer)]
    return document


def _copied_json(each: MirroredList) -> dict[str, Any]:
    """`state`: of its publisher's copy; `next_at`: when that is tried again, null for at the next poll."""
    return {
        "list": each.list.name,
        "state": each.mirror.state,
        "version": each.list.version,
        "offered": each.offered_version,
        "behind_since": _time(each.behind_since),
        "copied_at": _time(each.mirror.copied_at),
        "closed_at": _time(each.list.closed_at),
        "trouble": trouble_of(each),
        "next_at": _time(paused_until(each.mirror)),
    }


def agreement_json(each: Agreement, now: datetime) -> dict[str, Any]:
    return {
        "peer": each.peer.name,
        "direction": each.direction,
        "publisher": each.publisher,
        "list": each.slug or None,
        "evidence": each.evidence,
        "since": write_time(each.created_at),
        "until": _time(each.until),
        "in_force": each.in_force(now),
    }


def table(states: Iterable[PeerState], now: datetime) -> list[str]:
    """A line for each peer, under a head; a sentence when there is none."""
    rows = [("NAME", "STATE", "SINCE", "LAST REACHED", "LISTS", "BEHIND", "LAG")]
    troubles = []
    for state in states:
        peer = state.peer
        rows.append(
            (
                peer.name,
                state.state,
                write_time(peer.accepted_at or peer.introduced_at),
                _time(peer.reached_at) or DASH,
                f"{state.lists:,}",
                f"{state.behind:,}",
                _span(state.lag(now)),
            )
        )
        troubles += [f"! {peer.name}: {state.trouble}"] if state.trouble else []
    if len(rows) == 1:
        return ["No other hub is known here. Introduce one: manage.py peer introduce https://north.example/"]
    return [*_columns(rows), *troubles]


def show(state: PeerState, now: datetime) -> list[str]:
    return list(_show(state, now))


def _show(state: PeerState, now: datetime) -> Iterator[str]:
    peer = state.peer
    yield f"{peer.name}  {peer.title}, {peer.country or 'no country'}, {peer.url}"
    yield f"{state.state}, introduced {write_time(peer.introduced_at)}, accepted {_time(peer.accepted_at) or 'not yet'}"
    yield f"last reached {_time(peer.reached_at) or 'never'}"
    yield "fingerprint"
    yield from (f"  {line}" for line in spoken_lines(peer.fingerprint))
    if peer.differs is not None:
        other = "another hub" if peer.is_another else "a new witness key"
        yield f"! since {_time(peer.differs_at)} its address shows {other}, with the fingerprint"
        yield from (f"  {line}" for line in spoken_lines(peer.differs["fingerprint"]))
    if state.trouble:
        yield f"! {state.trouble}"
    if peer.storage:
        yield f"storage  {', '.join(peer.storage)}"
    yield from _agreements(state, now)
    yield from _lists(state, now)


def _agreements(state: PeerState, now: datetime) -> Iterator[str]:
    rows = [
        (
            each.direction,
            f"{each.publisher}/{each.slug}" if each.slug else f"{each.publisher} (all lists)",
            f"until {_time(each.until)}" if each.until else "no end",
            each.evidence,
            "" if each.in_force(now) else "over",
        )
        for each in agreements_with(peer=state.peer)
    ]
    yield "agreements" if rows else "no agreements: nothing crosses"
    yield from (f"  {line}" for line in _columns(rows))


def _lists(state: PeerState, now: datetime) -> Iterator[str]:
    lists = list(mirrored_lists(peer=state.peer))
    rows = [
        (
            each.list.name,
            f"v{each.list.version}",
            f"v{each.offered_version} there",
            _span((now - each.behind_since).total_seconds() if each.behind_since else None),
            _closed(each),
        )
        for each in lists
    ]
    if rows:
        yield "copied from it"
        yield from (f"  {line}" for line in _columns(rows))
    for each in lists:
        if trouble := trouble_of(each):
            yield f"! {each.list.name}: {trouble.get('detail', '')} {_goes_on(each.mirror, now)}"


def _goes_on(mirror: MirroredPublisher, now: datetime) -> str:
    """What becomes of a copy that failed."""
    if mirror.state != MirroredPublisher.State.FOLLOWING:
        return f"It is not followed until somebody has looked: manage.py peer follow {mirror.peer} {mirror.publisher}"
    until = paused_until(mirror)
    when = f"at {write_time(until)}" if until and until > now else "at the next poll"
    return f"The last good state is served; it is tried again {when}."


def waits(waiting: Sequence[Waiting], unknown: str) -> list[str]:
    """What is asked for and not decided; `unknown`: why what this hub asked for at the peer is not known."""
    rows = [
        (each.at, each.list, f"{each.who} ({each.name})" if each.who else each.name, write_time(each.since), _way(each))
        for each in waiting[:MOST_WAITING]
    ]
    lines = ["asked for and not decided, to be decided there or here"] if rows else []
    lines += [f"  {line}" for line in _columns(rows)]
    if len(waiting) > MOST_WAITING:
        lines.append(
            f"  and {len(waiting) - MOST_WAITING:,} more: --json, or Subscriptions and Requests from other hubs"
        )
    return [*lines, f"! what this hub has asked for there is not known: {unknown}"] if unknown else lines


def _way(each: Waiting) -> str:
    """How far a member's request is that the peer has to be told of."""
    if each.at == "here" or not each.who:
        return ""
    if each.refused:
        return f"not taken: {each.refused}"
    way = "passed on" if each.told else "not passed on yet"
    return f"{way}; has the list until then" if each.has_it else way


def _closed(each: MirroredList) -> str:
    if each.list.closed_at is None:
        return ""
    taken = TakenTerms.objects.filter(list=each.list).first()
    return f"closed since {write_time(each.list.closed_at)}. {taken.closed_for if taken else ''}".strip()


def terms_of(seen: Asked, peer: Peer) -> list[str]:
    """The terms of a peer's list, and how far this hub is with it or what to type."""
    lines = [f"Terms of {seen.name}:", "", seen.terms.strip() or "(none)", ""]
    if seen.state in ("requested", "active"):
        lines.append(f"They were accepted: {seen.state} at {peer}.")
    elif not seen.why_not:
        lines.append(f"To accept them: manage.py peer ask {peer} {seen.name} --accept-terms {seen.terms_digest}")
    return lines


def next_step_of(error: HashshareError) -> str:
    """For a hub's operator: members' commands, which some errors name, know nothing of the way between hubs."""
    if isinstance(error, NotAuthenticated):
        return REFUSES
    if isinstance(error, NetworkError) and "hashshare doctor" in error.next_step:
        return "Nothing was changed here; run the command again later. If it lasts, call that hub's operator."
    return error.next_step


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _time(moment: datetime | None) -> str | None:
    return write_time(moment) if moment else None


def _span(seconds: float | None) -> str:
    if seconds is None:
        return DASH
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"

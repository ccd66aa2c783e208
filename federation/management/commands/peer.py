"""`manage.py peer ...`: other hubs, from the introduction to the end, at the hub's machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from federation.management.telling import agreement_json, next_step_of, peer_json, show, table, terms_of, waits
from federation.models import Agreement, Peer
from federation.selectors.agreements import split_subject
from federation.selectors.descriptors import own_descriptor
from federation.selectors.mirrors import mirror_of
from federation.selectors.peers import PeerState, peer_by_name, peer_state, peer_states
from federation.selectors.waiting import Waiting, waiting_with
from federation.selectors.witness import own_cosigner
from federation.services import peers
from federation.services.agreements import agree, end_agreement
from federation.services.alarms import follow_again
from federation.services.asking_for_lists import ask_for_list, asked_there, look_at_list
from federation.services.checks import check_peer
from federation.services.connections import session_with
from federation.services.polling import ask_anew
from hashshare.client.subscribe import catalogue
from hashshare.services.deeds import note_deed
from hashshare.wire.errors import HashshareError
from hashshare.wire.fingerprints import spoken_lines
from hashshare.wire.plain_text import printable

Change = Callable[..., Peer]

CHANGES: Final[dict[str, tuple[Change, str, str]]] = {
    "suspend": (peers.suspend_peer, "Suspend a peer", "is refused from now on, and nothing is asked of it."),
    "resume": (peers.resume_peer, "Resume a peer", "is let in again."),
    "end": (peers.end_peer, "End a peer", "is no peer any more. What was copied from it stays."),
}
"""The service, what the record calls it, and what is said of it."""


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Other hubs: introduce, compare, accept, agree what crosses, suspend, end. See docs/federation.md."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")

        def add(name: str, text: str, *names: str) -> Any:
            each = what.add_parser(name, help=text, description=text)
            for name in names:
                each.add_argument(name, metavar=name.upper())
            each.add_argument("--json", action="store_true", help="for a program, with everything in full")
            return each

        add("introduce", "Ask the hub at an https:// address what it is, to be compared", "url")
        add("fingerprint", "This hub's own fingerprint, to be read out to a peer's operator")
        accept = add("accept", "Accept a hub whose operator read out this fingerprint", "name")
        accept.add_argument("fingerprint", nargs="+", help="as it was read out, with checks and spaces or not")
        accept.add_argument("--country", default="", help="two letters, for a hub that does not say where it is")
        add("list", "All peers, and how far behind what is copied from them is")
        add("show", "One peer: its fingerprint, agreements, lists, and what is asked for and not decided", "name")
        for name in ("agree", "end-agreement"):
            text = "What crosses to a peer (out) or from it (in)"
            each = add(name, text if name == "agree" else "What crosses so no longer, at once", "name")
            each.add_argument("direction", choices=Agreement.Direction.values)
            each.add_argument("subject", metavar="PUBLISHER[/LIST]")
            if name == "agree":
                each.add_argument("--until", metavar="DATE", help="such as 2027-12-31: until the end of that day, UTC")
                each.add_argument("--evidence", choices=Agreement.Evidence.values, default=Agreement.Evidence.DOCUMENTS)
        ask = add(
            "ask", "Ask the peer for a list, for the members here; without a digest, show its terms", "name", "list"
        )
        ask.add_argument("--accept-terms", metavar="DIGEST", default="", help="the terms' digest, as it was shown")
        for name, (_, text, _) in CHANGES.items():
            add(name, f"{text}, at once", "name").add_argument("--reason", default="", help="kept in the record")
        add("check", "Ask the peer's address whether the hub that was accepted still answers there", "name")
        follow = add(
            "follow", "Follow a mirrored publisher again that was stopped, under the root you were told", "name"
        )
        follow.add_argument("publisher", metavar="PUBLISHER")
        follow.add_argument("fingerprint", nargs="+", help="of its root, as its officers read it out")
        follow.add_argument("--reason", required=True, help="what you found out; kept in the record")
        add("catalogue", "The lists that a peer shows this hub", "name")
        for name in ("storage", "forget-storage"):
            text = "A host of object storage that the peer may send this hub to, for objects alone"
            add(name, text if name == "storage" else "Let the peer send this hub there no longer", "name", "host")

    def handle(self, *args: Any, **options: Any) -> None:
        does: dict[str, Callable[[dict[str, Any], datetime], None]] = {
            "fingerprint": self.fingerprint,
            "list": self.list_peers,
            "show": self.show,
            "introduce": self.introduce,
            "accept": self.accept,
            "agree": self.agree,
            "end-agreement": self.end_agreement,
            "ask": self.ask,
            "check": self.check_address,
            "follow": self.follow,
            "catalogue": self.catalogue,
            "storage": self.storage,
            "forget-storage": self.forget_storage,
        }
        try:
            does.get(options["what"], self.change)(options, timezone.now())
        except HashshareError as error:
            raise CommandError(f"{error.message} {next_step_of(error)}".strip()) from error

    # --- reading ---

    def fingerprint(self, options: dict[str, Any], now: datetime) -> None:
        own = own_descriptor(now=now)
        lines = [f"{own.hub} ({own.url}), read out line by line, with the check at its end:", ""]
        lines += [f"  {line}" for line in spoken_lines(own.fingerprint)]
        vkey = own_cosigner().to_text()
        lines += ["", "As a witness, for members of other hubs (hashshare witness add, or replace):", f"  {vkey}"]
        document = {"hub": own.hub, "url": own.url, "fingerprint": own.fingerprint, "witness": vkey}
        self.tell(options, document, lines)

    def list_peers(self, options: dict[str, Any], now: datetime) -> None:
        states = peer_states(now=now)
        self.tell(options, {"peers": [peer_json(state, now) for state in states]}, table(states, now))

    def show(self, options: dict[str, Any], now: datetime) -> None:
        state = peer_state(name=options["name"], now=now)
        waiting, unknown = self.waiting(state)
        document = {"waiting": [each.to_json() for each in waiting], "not_known": unknown}
        self.tell(options, peer_json(state, now, whole=True) | document, [*show(state, now), *waits(waiting, unknown)])

    def waiting(self, state: PeerState) -> tuple[list[Waiting], str]:
        """What is asked for and not decided, and why what this hub asked for over there is not known; "" if it is."""
        known = waiting_with(state.peer)
        if state.peer.organisation is None:
            return known, ""
        if state.trouble or state.state == "silent":
            return known, "it was not asked, since it does not answer."
        try:
            return [*asked_there(state.peer), *known], ""
        except HashshareError as error:
            return known, error.message

    def catalogue(self, options: dict[str, Any], now: datetime) -> None:
        rows = catalogue(session_with(peer_by_name(name=options["name"])))
        lines = [f"{row['name']}   {row['title']}" for row in rows] or [f"{options['name']} shows this hub no list."]
        self.tell(options, {"lists": rows}, lines)

    # --- changing ---

    def introduce(self, options: dict[str, Any], now: datetime) -> None:
        with noted("Introduce a peer") as note:
            peer = peers.introduce_peer(url=options["url"], now=now)
            note(peer, noted=peer.fingerprint)
        lines = [
            f"{peer.name} says that it is “{peer.title}” in {peer.country or 'no country'}, with the fingerprint",
            "",
            *(f"  {line}" for line in spoken_lines(peer.fingerprint)),
            "",
            "Nothing is asked of it or given to it yet. Call its operator, at a number that you had before: they run",
            "manage.py peer fingerprint and read theirs out. Type what you hear, not what stands here:",
            f"  manage.py peer accept {peer.name} FINGERPRINT",
        ]
        self.tell(options, self.of(peer, now), lines)

    def accept(self, options: dict[str, Any], now: datetime) -> None:
        with noted("Accept a peer") as note:
            peer = peers.accept_peer(
                name=options["name"],
                fingerprint=" ".join(options["fingerprint"]),
                country=options["country"],
                now=now,
            )
            note(peer, noted=peer.fingerprint)
        lines = [
            f"{peer.name} ({peer.country}) is a peer of this hub. Nothing crosses before it is agreed on both sides:",
            f"  manage.py peer agree {peer.name} out|in PUBLISHER[/LIST]",
        ]
        self.tell(options, self.of(peer, now), lines)

    def agree(self, options: dict[str, Any], now: datetime) -> None:
        publisher, slug = split_subject(options["subject"])
        with noted("Agree with a peer") as note:
            made = agree(
                peer=options["name"],
                direction=options["direction"],
                publisher=publisher,
                slug=slug,
                until=end_of(options["until"]) if options["until"] else None,
                evidence=options["evidence"],
                now=now,
            )
            note(made.peer, noted=f"{made} {json.dumps(agreement_json(made, now))}")
        until = f"until {made.until:%Y-%m-%d %H:%M} UTC" if made.until else "with no end of its own"
        word = "to" if made.direction == Agreement.Direction.OUT else "from"
        says = f"{publisher}{f'/{slug}' if slug else ' (all lists)'} crosses {word} {made.peer}, {until}"
        lines = [f"{says}, as far as the publisher's policy lets it. The other side agrees to the same there."]
        self.tell(options, agreement_json(made, now), lines)

    def end_agreement(self, options: dict[str, Any], now: datetime) -> None:
        publisher, slug = split_subject(options["subject"])
        with noted("End an agreement with a peer") as note:
            done = end_agreement(
                peer=options["name"], direction=options["direction"], publisher=publisher, slug=slug, now=now
            )
            note(done.peer, noted=str(done))
        lines = [f"{options['subject']} crosses no longer ({done.get_direction_display().lower()} {done.peer})."]
        self.tell(options, agreement_json(done, now), lines)

    def ask(self, options: dict[str, Any], now: datetime) -> None:
        peer, name = peer_by_name(name=options["name"]), options["list"]
        digest = options["accept_terms"]
        if not digest:
            seen = look_at_list(peer=peer, name=name, now=now)
            self.tell(options, asdict(seen), terms_of(seen, peer))
            if seen.why_not:
                raise CommandError(seen.why_not)
            return
        done = ask_for_list(peer=peer, name=name, terms_digest=digest, now=now)
        with noted("Ask a peer for a list") as note:
            note(peer, noted=f"{name}, terms {digest}: {done.state}")
        says = (
            "Its publisher decides there; it is copied as soon as that is granted." if done.state == "requested" else ""
        )
        self.tell(options, asdict(done), [f"{name} at {peer}: {done.state}. {says}".strip()])

    def change(self, options: dict[str, Any], now: datetime) -> None:
        service, what, says = CHANGES[options["what"]]
        with noted(what) as note:
            peer = service(name=options["name"], now=now)
            note(peer, reason=options["reason"])
        self.tell(options, self.of(peer, now), [f"{peer.name} {says}"])

    def check_address(self, options: dict[str, Any], now: datetime) -> None:
        peer = check_peer(peer=peer_by_name(name=options["name"]), now=now)
        ask_anew(peer=peer)
        lines = [f"{peer.name} is the hub that was accepted. What could not be copied from it is tried again now."]
        if peer.differs is not None:
            lines = [f"{peer.name} answers as the hub that was accepted again, after another did. Accept it once more."]
        self.tell(options, self.of(peer, now), lines)

    def follow(self, options: dict[str, Any], now: datetime) -> None:
        with noted("Follow a mirrored publisher again") as note:
            mirror = follow_again(
                mirror=mirror_of(peer=options["name"], domain=options["publisher"]),
                fingerprint=" ".join(options["fingerprint"]),
                by="manage.py",
                reason=options["reason"],
                now=now,
            )
            note(mirror.peer, reason=options["reason"], noted=f"{mirror.publisher} {mirror.root}")
        lines = [f"{mirror.publisher} is followed again. Until it is copied, the last good state is served on."]
        self.tell(options, {"publisher": mirror.publisher.domain, "root": mirror.root}, lines)

    def storage(self, options: dict[str, Any], now: datetime) -> None:
        with noted("Name a peer's storage") as note:
            peer = peers.name_storage(name=options["name"], host=options["host"])
            note(peer, noted=options["host"])
        self.tell(options, self.of(peer, now), [f"Objects of {peer.name} may come from {', '.join(peer.storage)}."])

    def forget_storage(self, options: dict[str, Any], now: datetime) -> None:
        with noted("Forget a peer's storage") as note:
            peer = peers.forget_storage(name=options["name"], host=options["host"])
            note(peer, noted=options["host"])
        self.tell(options, self.of(peer, now), [f"Objects of {peer.name} come from {options['host']} no longer."])

    # --- telling ---

    def of(self, peer: Peer, now: datetime) -> dict[str, Any]:
        return peer_json(peer_state(name=peer.name, now=now), now, whole=True)

    def tell(self, options: dict[str, Any], document: dict[str, Any], lines: list[str]) -> None:
        self.stdout.write(json.dumps(document, indent=2) if options["json"] else printable("\n".join(lines)))


@contextmanager
def noted(what: str) -> Iterator[Callable[..., None]]:
    """A deed and its line in the record and in the log, in one transaction; `about` is the peer."""

    def note(about: Peer, **more: str) -> None:
        note_deed(person=None, what=what, about=about, now=timezone.now(), **more)

    with transaction.atomic():
        yield note


def end_of(day: str) -> datetime:
    """The last second of a day, UTC."""
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(hour=23, minute=59, second=59, tzinfo=UTC)
    except ValueError as error:
        raise CommandError(f"--until is a date such as 2027-12-31, not {day}.") from error

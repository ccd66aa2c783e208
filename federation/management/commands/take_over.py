"""`manage.py take_over DOMAIN`: become the home of a publisher whose own hub is dead."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from federation.services.takeover import Origin, Taken, await_publisher, origin_of, take_over
from hashshare.wire.errors import HashshareError


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "Sign snapshots and timestamps for a publisher that is copied here, whose root names this hub as its standby "
        "hub. Before this, call the hotline at a number that you had before, and find out whether its own hub is dead: "
        "if that goes on signing, members will refuse one of the two. The public log tells of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", help="the publisher, such as aurora.example")
        parser.add_argument("--reason", default="", help="what happened, and with whom you spoke")
        parser.add_argument("--yes", metavar="DOMAIN", default="", help="the domain once more, in place of being asked")
        parser.add_argument(
            "--force-while-alive",
            action="store_true",
            help="although its own hub signs, or could not be asked: say why in --reason",
        )
        parser.add_argument(
            "--await-publisher",
            action="store_true",
            help="sign nothing before its hotline has sent what was published after the last copy; also afterwards",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        domain, now = options["domain"], timezone.now()
        try:
            origin = origin_of(domain)
            self.ask(domain, origin, options["yes"])
            done = take_over(
                domain=domain,
                reason=options["reason"],
                origin=origin,
                now=now,
                though_alive=options["force_while_alive"],
                await_publisher=options["await_publisher"],
            )
        except HashshareError as error:
            if options["await_publisher"] and self.await_afterwards(domain, options["reason"]):
                return
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self.tell(domain, done, awaited=options["await_publisher"])

    def ask(self, domain: str, origin: Origin, given: str) -> None:
        """Raises CommandError unless the domain is typed."""
        state = f"signed for it at {origin.signed_at:%Y-%m-%d %H:%M} UTC" if origin.signed_at else "gives no answer"
        if not origin.asked:
            state = "was not asked, since it is no peer in force here, and may be alive"
        self.stderr.write(f"{origin.name}, its own hub, {state}{' and has handed it over' * origin.handed_over}.")
        if (given or input(f"Type {domain} to take it over: ")).strip() != domain:
            raise CommandError("Nothing was changed.")

    def await_afterwards(self, domain: str, reason: str) -> bool:
        """For a publisher that was taken over before."""
        try:
            await_publisher(domain=domain, reason=reason, now=timezone.now())
        except HashshareError:
            return False
        self.stdout.write(f"{domain} is awaited: no timestamp is served before its hotline has sent what is lacking:")
        self.stdout.write(f"  hashshare publisher resend {domain}")
        return True

    def tell(self, domain: str, done: Taken, *, awaited: bool) -> None:
        self.stdout.write(f"{domain} is at home here from now on; it was at {done.before}.")
        if awaited:
            self.stdout.write("Nothing is signed before its hotline has sent what was published after the last copy.")
        else:
            self.stdout.write(f"Snapshot and timestamp are signed, with versions above {done.floor}.")
        for list_id in done.absent:
            self.stdout.write(f"The list {list_id} was never copied here: its hotline has to send it.")
        hotline = done.publisher.organisation
        if done.invited:
            self.stdout.write(f"Its hotline needs a code: manage.py invite --organisation {hotline.slug}")
        self.stdout.write(
            "They run: hashshare move --to THIS-HUB --code CODE, then hashshare publisher rotate hub DOMAIN"
        )
        self.stdout.write(f"If {done.before} comes back, its operator runs there: manage.py hand_over {domain}")

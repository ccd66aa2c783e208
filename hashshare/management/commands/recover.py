"""`manage.py recover`: a restored hub becomes itself again, without contradicting what it said before it was lost."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hashshare.peering_keys import witness_name
from hashshare.selectors.recovery import awaited_publishers
from hashshare.services.recovery import Recovered, recover
from hashshare.services.resumption import accept_as_newest
from hashshare.wire.errors import HashshareError
from hashshare.wire.log import Cosigner


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = (
        "After a restore: raise the versions that this hub signs above any that it can have signed, supersede its logs "
        "openly, make another key for cosigning other hubs' logs, and wait for its publishers to send what it lacks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--floor",
            action="append",
            default=[],
            metavar="PUBLISHER=N",
            help="also stay above this version, as seen in a member's timestamp.json; repeatable",
        )
        parser.add_argument(
            "--accept",
            action="append",
            default=[],
            metavar="PUBLISHER",
            help="take what is here for its newest without its publisher's word: members that saw more will refuse it",
        )
        parser.add_argument("--status", action="store_true", help="only say which publishers are still awaited")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            if not options["status"] and not options["accept"]:
                self._tell(recover(now=now, floors=dict(map(floor, options["floor"]))))
            for domain in options["accept"]:
                accept_as_newest(domain=domain, now=now)
                self.stdout.write(f"{domain}: what is here is served as its newest.")
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        self._tell_awaited()

    def _tell(self, done: Recovered) -> None:
        self.stdout.write(f"Versions that this hub signs rise by {done.jump:,}: above any that it can have signed.")
        for log in done.logs:
            self.stdout.write(f"{log.origin} ended; {log.successor} begins with its first {log.size:,} leaves.")
        self._tell_witness(Cosigner(witness_name(), done.witness_key).to_text())
        self.stdout.write("What was revoked, ended or granted since the backup is as it was then: go through people,")
        self.stdout.write("organisations' keys, access keys and subscriptions in the admin now.")

    def _tell_witness(self, vkey: str) -> None:
        """Whom to call: nobody learns the new key by itself."""
        name = witness_name()
        self.stdout.write("What this hub cosigned of other hubs' logs since the backup is no longer known here. So it")
        self.stdout.write("cosigns with another key from now on, and never again with the one before:")
        self.stdout.write(f"  {vkey}")
        self.stdout.write("Call the operators of your peers: until each has accepted this hub again, with what")
        self.stdout.write("manage.py peer fingerprint shows, it cosigns nothing of theirs. Members that require")
        self.stdout.write(f"this hub's cosignatures run: hashshare witness replace {name} and that key.")
        self.stdout.write("On further machines, put witness.pem of this one in the place of theirs.")

    def _tell_awaited(self) -> None:
        awaited = awaited_publishers()
        for publisher in awaited:
            self.stdout.write(
                f"Awaited: {publisher.domain} ({publisher.organisation.name}). Ask them to run: "
                f"hashshare publisher resend {publisher.domain}"
            )
        if not awaited:
            self.stdout.write("No publisher is awaited.")


def floor(text: str) -> tuple[str, int]:
    domain, _, number = text.partition("=")
    if not domain or not number.isascii() or not number.isdigit() or len(number) > 15:
        raise CommandError(f"--floor is PUBLISHER=N, such as aurora.example=1200, not {text}")
    return domain, int(number)

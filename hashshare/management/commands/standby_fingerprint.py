"""`manage.py standby_fingerprint`: what a hotline compares before its root names this hub as its standby hub."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from hashshare.hub_keys import hub_keys
from hashshare.peering_keys import hub_name
from hashshare.wire.fingerprints import spoken_lines
from hashshare.wire.repository import StandbyHub


class Command(BaseCommand):
    help = (
        "Shows this hub's name and the fingerprint of its two keys for snapshots and timestamps. A hotline that wants "
        "this hub to take over when its own is dead compares it by telephone: read it line by line."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        hub = StandbyHub(hub_name(), hub_keys().both)
        self.stdout.write(hub.hub)
        for line in spoken_lines(hub.fingerprint):
            self.stdout.write(line)

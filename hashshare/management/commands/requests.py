"""`manage.py requests [LIST]`: who has asked for lists at this hub, and who decides on it."""

from __future__ import annotations

import json
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hashshare.management.deciding import list_by_name, subscriptions
from hashshare.models import Subscription
from hashshare.selectors.redistribution import decided_at, decided_by_this_hub, who_decides
from hashshare.services.subscriptions import OPEN
from hashshare.wire.errors import HashshareError

MOST: Final = 500
"""Lines."""


class Command(BaseCommand):
    help = (
        "Who has asked for a list at this hub and waits, and who decides: the hotline, or you where a hotline at "
        "another hub has left the members of this one to you. Decide with manage.py grant, deny, revoke."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("list", metavar="LIST", nargs="?", default="", help="such as aurora.example/images")
        parser.add_argument("--all", action="store_true", help="who receives a list, too")
        parser.add_argument("--json", action="store_true", help="for a program")

    def handle(self, *_args: Any, **options: Any) -> None:
        rows = subscriptions().filter(state__in=OPEN if options["all"] else [Subscription.State.REQUESTED])
        try:
            if options["list"]:
                rows = rows.filter(list=list_by_name(options["list"]))
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error
        found = list(rows[: MOST + 1])
        if options["json"]:
            self.stdout.write(json.dumps({"requests": [_document(row) for row in found[:MOST]]}, ensure_ascii=False))
            return
        for row in found[:MOST]:
            self.stdout.write(_line(row))
        if len(found) > MOST:
            self.stdout.write(f"and more than {MOST}: name a list")
        if not found:
            self.stdout.write("Nobody waits for a decision." if not options["all"] else "Nobody has asked for a list.")
        mine = next((row for row in found if row.state == "requested" and not decided_at(row.list)), None)
        if mine is not None:
            reason = "" if decided_by_this_hub(mine.list) else " --reason TEXT"
            says = f"manage.py grant {mine.list.name} {mine.organisation.slug} --until YYYY-MM-DD{reason}"
            self.stdout.write(f"Next: {says}")


def _line(row: Subscription) -> str:
    who = f"{row.organisation.slug} ({row.organisation.name}, {row.organisation.country})"
    until = f" until {row.ends_at:%Y-%m-%d}" if row.ends_at else ""
    decides = "you" if decided_by_this_hub(row.list) else who_decides(row.list)
    waits = f", for {decides} to decide" if row.state == Subscription.State.REQUESTED else ""
    return f"{row.list.name}  {who}  {row.state} since {row.requested_at:%Y-%m-%d}{until}{waits}"


def _document(row: Subscription) -> dict[str, Any]:
    return {
        "list": row.list.name,
        "organisation": row.organisation.slug,
        "name": row.organisation.name,
        "country": row.organisation.country,
        "kind": row.organisation.kind,
        "state": row.state,
        "requested_at": row.requested_at.isoformat(),
        "ends_at": row.ends_at.isoformat() if row.ends_at else None,
        "decides": who_decides(row.list),
        "at": decided_at(row.list),
    }

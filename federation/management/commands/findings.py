"""`manage.py findings ...`: what peers have to explain: seen, exported as evidence, settled."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from federation.models import Finding
from federation.selectors.findings import finding_by_id, findings
from federation.services.findings import evidence, settle_finding
from hashshare.services.deeds import note_deed
from hashshare.wire.documents import write_time
from hashshare.wire.errors import HashshareError
from hashshare.wire.plain_text import escaped, printable


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "What peers have to explain: two histories of a log, a root replaced in silence. See docs/federation.md."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
        shown = what.add_parser("list", help="Those that nobody has settled")
        shown.add_argument("--all", action="store_true", help="the settled ones too")
        shown.add_argument("--json", action="store_true", help="for a program, with everything in full")
        export = what.add_parser("export", help="Write what proves one, a file each, to be shown to others")
        export.add_argument("id", metavar="ID")
        export.add_argument("folder", metavar="FOLDER", type=Path)
        settle = what.add_parser("settle", help="Say what came of one: it no longer stands on the overview")
        settle.add_argument("id", metavar="ID")
        settle.add_argument("--reason", required=True, help="what came of it, kept in the record")

    def handle(self, *args: Any, **options: Any) -> None:
        does: dict[str, Callable[[dict[str, Any], datetime], None]] = {
            "list": self.show, "export": self.export, "settle": self.settle,
        }  # fmt: skip
        try:
            does[options["what"]](options, timezone.now())
        except HashshareError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from error

    def show(self, options: dict[str, Any], now: datetime) -> None:
        rows = list(findings(settled=options["all"]))
        if options["json"]:
            document = json.dumps({"findings": [_document(row) for row in rows]}, ensure_ascii=False)
            self.stdout.write(escaped(document))
            return
        for row in rows:
            state = f"settled {row.settled_at:%Y-%m-%d}: {row.settlement}" if row.settled_at else "open"
            self.stdout.write(f"{str(row.pk)[:8]}  {row.found_at:%Y-%m-%d %H:%M}  {row.peer}  {row}")
            self.stdout.write(f"          {printable(row.detail)}")
            self.stdout.write(f"          {state}; last seen {row.seen_at:%Y-%m-%d %H:%M} UTC")
        if not rows:
            self.stdout.write("No peer has anything to explain.")

    def export(self, options: dict[str, Any], now: datetime) -> None:
        row = finding_by_id(options["id"])
        folder: Path = options["folder"]
        files = evidence(row)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{len(files)} files in {folder}: {', '.join(files)}")

    @transaction.atomic
    def settle(self, options: dict[str, Any], now: datetime) -> None:
        row = finding_by_id(options["id"])
        settle_finding(finding=row, settlement=options["reason"], by=None, now=now)
        note_deed(person=None, what="Settle", about=row, reason=options["reason"], now=now)
        self.stdout.write(f"Settled: {row}.")


def _document(row: Finding) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "peer": row.peer.name,
        "kind": row.kind,
        "subject": row.subject,
        "detail": row.detail,
        "found_at": write_time(row.found_at),
        "seen_at": write_time(row.seen_at),
        "settled_at": write_time(row.settled_at) if row.settled_at else None,
        "settlement": row.settlement,
        "documents": row.documents,
    }

"""Writes docs/problems.md from the texts that the problem pages show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from hashshare.api.problem_texts import as_markdown


class Command(BaseCommand):
    help = "Write the page of problem types, for the documentation."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=settings.BASE_DIR / "docs" / "problems.md")

    def handle(self, *args: Any, **options: Any) -> None:
        options["file"].write_text(as_markdown())
        self.stdout.write(f"wrote {options['file']}")

"""The page of the command line says what the program says."""

from __future__ import annotations

from pathlib import Path

from hashshare.client.cli.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"


def test_it_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "Run: python -m hashshare.client.cli.reference > docs/command-line.md"


def test_it_names_every_command_that_is_promised() -> None:
    promised = {
        *("enroll", "lists", "subscribe", "pin", "sync", "status", "verify", "changes", "export", "lookup", "scan"),
        *("publisher init", "publisher list create", "publish", "withdraw", "release status"),
        *("requests", "grant", "deny", "revoke", "request"),
    }
    assert [name for name in promised if f"\n## hashshare {name}\n" not in page()] == []

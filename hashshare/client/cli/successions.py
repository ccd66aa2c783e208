"""Telling, once and loudly, that a hub's log was superseded: after the hub was restored from a backup."""

from __future__ import annotations

from typing import Any

from hashshare.client.cli.output import Output, count
from hashshare.client.home import Home
from hashshare.client.successions import evidence_path, mark_told, untold


def tell_successions(out: Output, home: Home) -> list[dict[str, Any]]:
    """Warn of each that nobody was told of; as --json shows them. No failure: the hub has said so itself, signed."""
    rows = []
    for domain, row in untold(home):
        size = count(int(row.get("size") or 0), "leaf", "leaves")
        rows.append({"publisher": domain, **{name: row.get(name) for name in NAMES}})
        lost = int(row.get("lost") or 0)
        evidence = evidence_path(home, domain)
        if lost:
            out.warn(
                f"The hub was restored from a backup and lost the end of its log: of the {size} of {row['origin']} "
                f"that it had confirmed to you, {lost:,} are gone. It says so itself, signed, and goes on as "
                f"{row['successor']}. Your lists are not touched, your receipts stay good, and what you hold is "
                f"acknowledged again. Both are kept as evidence: {evidence}"
            )
        else:
            out.warn(
                f"{row['origin']} goes on as {row['successor']}: the hub was restored from a backup. It is proved "
                f"that all {size} seen here are in it."
            )
    if rows:
        mark_told(home)
    return rows


NAMES = ("origin", "successor", "size", "kept", "lost", "at")

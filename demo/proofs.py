"""The last act: a member proves what it received, an auditor checks that with another program, a hotline audits it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.stage import REPOSITORY, DemoFailedError, require

if TYPE_CHECKING:
    from demo.acts import Story

VERIFIER = Path("docs") / "examples" / "verify_receipts.py"
SEALED_WITHIN = 120.0
"""Seconds; beat seals the log every few of them."""


def prove(story: Story) -> None:
    """Receipts, fetched and checked offline, one by a program that knows nothing of hashshare; then the audit."""
    stage, name = story.stage, story.list_name
    stage.act("11  Cobalt proves what it received and what it stated; Aurora audits the hub's whole log")
    found = sealed_receipts(story)
    require(found["acknowledged_version"] == 4, "every acknowledgement is proved")
    folder = story.folder / "receipts"
    story.cobalt.hashshare("receipts", name, "--offline", "--export", str(folder))
    stage.fact(
        f"{found['deliveries']} deliveries and {found['acknowledgements']} acknowledgements, each proved to stand in "
        f"{found['log']['origin']}, checked without the hub"
    )
    newest = max(folder.glob("*.row"), key=lambda path: int(path.stem))
    stage.fact(f"another program says so too: {verify_elsewhere(story, newest)}")
    newest.write_bytes(newest.read_bytes().replace(b'"version":4', b'"version":3'))
    stage.fact(f"and with one digit of the row changed: {verify_elsewhere(story, newest, holds=False)}")
    audited = story.aurora.hashshare("audit", name, "-o", str(story.folder / "audit.csv")).document
    require(audited["problem_count"] == 0, "the audit finds nothing wrong")
    stage.fact(f"{audited['log']['size']} leaves, every opening and every member's signature verified")
    stage.note(receipts=found["receipts"], receipt_verified_elsewhere=True, audited_leaves=audited["log"]["size"])


def sealed_receipts(story: Story) -> dict[str, Any]:
    """What `receipts` says once everything is sealed."""
    deadline = time.monotonic() + SEALED_WITHIN
    while True:
        [row] = story.cobalt.hashshare("receipts", story.list_name).document["lists"]
        if row["receipts"] and not row["waiting"]:
            return dict(row)
        if time.monotonic() > deadline:
            raise DemoFailedError("The hub did not seal its log.")
        time.sleep(2)


def verify_elsewhere(story: Story, row: Path, *, holds: bool = True) -> str:
    """What docs/examples/verify_receipts.py says of a row: that it `holds`, or that it does not."""
    vkey, receipt = row.parent / "log.vkey", row.with_suffix(".tlog-proof")
    story.stage.command(f"auditor: python {VERIFIER} KEY {receipt.name}")
    done = subprocess.run(
        [sys.executable, str(VERIFIER), vkey.read_text(), str(receipt)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    require((done.returncode == 0) is holds, f"the receipt {'verifies' if holds else 'does not verify'}")
    return (done.stdout or done.stderr).partition("{")[0].strip()

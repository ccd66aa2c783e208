"""Several commands in one process, for a program that runs them: `python -m hashshare.client.cli.scripted`.

Reads [[word, ...], ...] from stdin, so that a one-time code stands in no list of processes, and answers each command
with a line {"code", "document"} on stdout. The first that fails is the last; its exit code is the program's.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from typing import Any

from hashshare.client.cli.app import main

DONE = (0, 7)
"""7 is done too, with an alarm that concerns who reads a list."""


def run(words: list[str]) -> tuple[int, Any]:
    """The exit code of one command and the document that it gave, None if it gave none."""
    said, code = io.StringIO(), 0
    with contextlib.redirect_stdout(said):
        try:
            main([*words, "--json"])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    text = said.getvalue()
    return code, json.loads(text) if text.strip() else None


def run_all(commands: list[list[str]]) -> int:
    for words in commands:
        code, document = run(words)
        print(json.dumps({"code": code, "document": document}), flush=True)
        if code not in DONE:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(run_all(json.load(sys.stdin)))

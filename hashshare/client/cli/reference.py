"""The reference of the `hashshare` command as Markdown, made from the program itself: `python -m` this module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from hashshare.client.cli.app import build
from hashshare.wire.errors import ExitCode

HEAD = """# The command line

`hashshare COMMAND --help` says the same at the terminal. This page is made from the program:
`python -m hashshare.client.cli.reference > docs/command-line.md`.

Every command takes `--json` (one JSON document on stdout and nothing else; errors are a document with `error`) and
`--debug` (the stack trace of an error).

| environment | means |
|---|---|
| `HASHSHARE_HOME` | the folder of keys, trust and lists; `~/.hashshare` when unset |
| `HASHSHARE_PASSPHRASE` | opens and encrypts key files of hotlines and officers; asked for at a terminal when unset |
| `HASHSHARE_PATIENCE` | seconds to wait for the hub; who sends under 4 KiB/s for so long is given up; 60 when unset |
| `HASHSHARE_PIN` | opens keys in hardware; asked for at a terminal when unset |
| `PYKCS11LIB` | the path of the PKCS#11 library of that hardware |

| exit | means |
|---|---|
"""

MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "something failed that is none of the below; the message says what",
    ExitCode.USAGE: "the command line or its file makes no sense",
    ExitCode.NOT_ALLOWED: "not allowed: not enrolled, key revoked, no subscription",
    ExitCode.VERIFICATION: "something did not verify; the last good state stays in use",
    ExitCode.NETWORK: "the hub cannot be reached, or asks to wait; the last good state stays in use",
    ExitCode.ALARM: "done, but a list that was used alarms: expired, refused, gone, not checked, or not cosigned",
    ExitCode.REJECTED: "rejected: malformed lines, a guard, or the hub's worker; nothing was published",
}
SHARED = {"as_json", "debug", "help"}


def page() -> str:
    """The whole page."""
    exits = "".join(f"| {code.value} | {MEANINGS[code]} |\n" for code in ExitCode)
    root = typer.main.get_command(build())
    exits += "| 130 | interrupted by Ctrl-C; run it again: it finishes or repeats what was begun |\n"
    return f"{HEAD}{exits}\n" + "\n".join(_sections(root, root.context_class(root, info_name="hashshare")))


def _sections(command: Any, context: Any) -> Iterator[str]:
    """A section a command, depth first. Typer's classes are its own, so what a group is shows in what it has."""
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            if not child.hidden:
                yield from _sections(child, child.context_class(child, info_name=name, parent=context))
        return
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = "\n".join(line.strip() for line in (command.help or "").strip().splitlines())
    yield f"## {context.command_path}\n\n```\n{usage}\n```\n\n{text}\n"
    rows = [row for param in command.params if param.name not in SHARED and (row := param.get_help_record(context))]
    if rows:
        yield "| | |\n|---|---|\n" + "".join(f"| `{name}` | {_cell(text)} |\n" for name, text in rows)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")

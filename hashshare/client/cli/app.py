"""The `hashshare` program: which commands there are. What they do is in the modules beside this one."""

from __future__ import annotations

import sys

import typer

from hashshare.client.cli import (
    doctor,
    enrolment,
    entries,
    forgetting,
    hotlines,
    hubs,
    inspection,
    keys,
    receipts,
    signed_request,
    syncing,
    witnesses,
)
from hashshare.client.cli.output import error_document, print_json
from hashshare.wire.errors import UsageError

DESCRIPTION = """Signed lists of hashes of known child sexual abuse material: publish them, receive them, verify them.

Exit codes: 0 done, 1 failed, 2 usage, 3 not allowed, 4 verification failed (the last good state stays in use),
5 network, 6 rejected by the hub, 7 done, but a list that was used has an alarm (expired, say). State is kept in
HASHSHARE_HOME, by default ~/.hashshare.
"""


def build() -> typer.Typer:
    """The program with every command."""
    app = typer.Typer(
        name="hashshare",
        help=DESCRIPTION,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for module in (
        enrolment,
        syncing,
        forgetting,
        entries,
        inspection,
        doctor,
        keys,
        receipts,
        witnesses,
        hotlines,
        hubs,
        signed_request,
    ):
        module.register(app)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if "--json" in given:
        sys.exit(_with_json(given))
    build()(args=given, prog_name="hashshare")


def _with_json(given: list[str]) -> int:
    """Run it so that a command line that makes no sense is answered by a document too; the exit code."""
    try:
        return build()(args=given, prog_name="hashshare", standalone_mode=False) or 0
    except Exception as error:
        usage = _usage_error(error)
        if usage is None:
            raise
    print_json({"error": error_document(usage)})
    return int(usage.exit_code)


def _usage_error(error: Exception) -> UsageError | None:
    """Typer's complaint as ours. It has its own copies of click's classes, so what one is shows in what it has."""
    if not hasattr(error, "format_message"):
        return None
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "hashshare"
    return UsageError(error.format_message().strip(), next_step=f"`{path} --help` says what it takes.")

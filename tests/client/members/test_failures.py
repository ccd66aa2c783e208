"""What a command says when it is not a rule of hashshare that stops it: bad usage, Ctrl-C, a full disk."""

from __future__ import annotations

import json
import os
import signal

import duckdb
import pytest
import typer

from hashshare.client.cli.output import Output, perform
from tests.client.members.conftest import Cobalt


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (("frobnicate",), "No such command"),
        (("sync", "--nonsense"), "No such option"),
        (("changes", "aurora.example/images"), "Missing option"),
        (("lookup",), "Missing argument"),
        (("export", "aurora.example/images", "--format", "xml"), "--format"),
    ],
)
def test_bad_usage_is_a_document_under_json(cobalt: Cobalt, arguments: tuple[str, ...], detail: str) -> None:
    done = cobalt.run(*arguments, "--json")
    assert (done.status, done.err) == (2, "")
    assert done.json["error"]["type"] == "invalid-request"
    assert detail in done.json["error"]["detail"]
    assert "--help" in done.json["error"]["next_step"]


def interrupted_query() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    raise RuntimeError("Query interrupted")


def interrupted_and_taken_for_a_fault() -> None:
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        raise duckdb.InvalidInputException("Interrupted!") from None


def left_a_question() -> None:
    raise typer.Abort


@pytest.mark.parametrize("act", [interrupted_query, interrupted_and_taken_for_a_fault, left_a_question])
def test_ctrl_c_is_never_an_internal_error(act: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert callable(act)
    before = signal.getsignal(signal.SIGINT)
    assert perform(Output(), act) == 130
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "run the command again" in shown.err.lower()
    assert perform(Output(as_json=True), act) == 130
    assert json.loads(capsys.readouterr().out)["error"]["type"] == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_full_disk_is_said_plainly(capsys: pytest.CaptureFixture[str]) -> None:
    def fill() -> None:
        raise duckdb.IOException('IO Error: Could not write file "/srv/.x.csv.part": No space left on device')

    assert perform(Output(), fill) == 1
    said = capsys.readouterr().err
    assert "The disk is full (/srv/.x.csv.part)" in said
    assert "Make room" in said


def test_a_trace_is_shown_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("division by zero")

    assert perform(Output(as_json=True), fail) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert perform(Output(as_json=True, debug=True), fail) == 1
    shown = capsys.readouterr()
    assert "Traceback" in shown.err
    assert json.loads(shown.out)["error"]["type"] == "internal"

"""What the commands print and return: --json is one document, exit codes, --exec, subscribe, request."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.members.aurora import Aurora, items
from tests.client.members.conftest import ROOT, Cobalt
from tests.client.members.north import North


def test_the_client_needs_no_web_framework() -> None:
    code = (
        "import sys, hashshare.client.cli.app as app; app.build();"
        "bad = {n.partition('.')[0] for n in sys.modules} & {'django', 'rest_framework', 'celery', 'config'};"
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_bad_usage_is_exit_2(cobalt: Cobalt) -> None:
    assert cobalt.run("sync", "--nonsense").status == 2
    assert cobalt.run("pin", "aurora.example", "9b07").status == 2


def test_in_cron_a_list_is_one_line_without_colour(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(1_234))
    done = cobalt.run("sync", env={"TERM": "xterm-256color"})
    assert done.out.count("\n") == 1
    assert "\x1b" not in done.out + done.err
    assert "1,234 held" in done.out


def test_it_runs_the_command_once_per_version_and_again_if_it_failed(
    cobalt: Cobalt, aurora: Aurora, tmp_path: Path
) -> None:
    log, fail = tmp_path / "log", tmp_path / "fail"
    command = f'echo "$HASHSHARE_LIST $HASHSHARE_PREVIOUS_VERSION $HASHSHARE_VERSION" >> {log}; test ! -e {fail}'
    aurora.release(items(1))
    for _ in range(2):
        assert cobalt.run("sync", "--exec", command, "--json").status == 0
    assert log.read_text().splitlines() == ["aurora.example/images  2"]
    aurora.release(items(1))
    fail.touch()
    done = cobalt.run("sync", "--exec", command, "--json")
    assert (done.status, done.json["lists"][0]["exec"]) == (1, {"version": 3, "status": 1})
    fail.unlink()
    assert cobalt.run("sync", "--exec", command).status == 0
    assert log.read_text().splitlines()[1:] == ["aurora.example/images 2 3"] * 2


def test_subscribing_needs_the_terms_accepted(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    assert cobalt.run("subscribe", aurora.name).status == 2
    assert north.subscriptions == {}
    done = cobalt.run("subscribe", aurora.name, "--accept-terms", "--root", aurora.fingerprint, "--json")
    assert done.json["publisher"]["trust"] == "confirmed"
    assert north.subscriptions[aurora.name]["terms_digest"] == hashlib.sha256(north.terms.encode()).hexdigest()


def test_subscribing_stops_when_the_root_is_another(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    assert cobalt.run("subscribe", aurora.name, "--accept-terms", "--root", "2" * 64).status == 4
    assert north.subscriptions == {}


def test_the_catalogue_shows_what_there_is(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(2))
    assert aurora.name in cobalt.run("lists").out
    assert cobalt.run("lists", "--json").json["lists"][0]["entries"] == 2


STEERING = "\x1b]0;title\x07\x1b[2J\x9b31m\r\u202e"


def test_words_of_others_do_not_steer_the_terminal(cobalt: Cobalt, aurora: Aurora, north: North) -> None:
    """A title, the terms, or the name of a file that somebody uploaded."""
    north.title = f"Images{STEERING}\nand more"
    listed = cobalt.run("lists")
    assert "Images" in listed.out
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(listed.out)


def test_names_of_files_do_not_steer_the_terminal(cobalt: Cobalt, aurora: Aurora, tmp_path: Path) -> None:
    found = items(1)
    aurora.release(found)
    cobalt.run("sync")
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / f"a{STEERING}\nb: nothing found").write_bytes(found[0].content)
    done = cobalt.run("scan", str(folder))
    assert "b: nothing found" in done.out
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(done.out)
    assert len(done.out.splitlines()) == 2


def test_a_signed_request_shows_the_answer(cobalt: Cobalt, north: North) -> None:
    done = cobalt.run("request", "GET", "/api/v1/heads", "--json")
    assert done.json["status"] == 200
    assert "Signature" in north.requests[-1][2]
    assert cobalt.run("request", "GET", "/api/v1/nothing").status == 3


def test_a_request_goes_to_the_hub_only(cobalt: Cobalt) -> None:
    assert cobalt.run("request", "GET", "https://elsewhere.example/").status == 2


def test_status_shows_what_is_held_even_without_the_hub(cobalt: Cobalt, aurora: Aurora) -> None:
    aurora.release(items(2))
    cobalt.run("sync")
    done = cobalt.run("status", "--json")
    assert done.json["at_hub"]["organisation"]["slug"] == "cobalt"
    assert done.json["lists"][0]["entries"] == 2
    offline = cobalt.run("status", "--offline", "--json")
    assert "at_hub" not in offline.json


@pytest.mark.parametrize("arguments", [("sync",), ("status",), ("lists",), ("verify",)])
def test_json_is_one_document_even_when_it_fails(tmp_path: Path, north: North, arguments: tuple[str, ...]) -> None:
    done = Cobalt(tmp_path / "new", north).run(*arguments, "--json")
    assert done.status != 0
    assert done.json["error"]["next_step"]

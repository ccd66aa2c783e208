"""Secrets stay where they are kept: in no log, on no command line, in no error, and in the database never in clear."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hashshare.client.home import Home
from hashshare.wire import keys
from tests.attacks.memory import family
from tests.attacks.scene import DOMAIN, LIST, Scene, Victim

DUMP = """
from django.conf import settings
from django.db import connection
from config.postgres.dumps import place_of
import subprocess
connection.ensure_connection()
place = place_of(settings.DATABASES["default"], server_major=connection.pg_version // 10000)
done = subprocess.run(
    [place.programs["pg_dump"], "--inserts", "-d", place.conninfo], env=dict(place.environment), capture_output=True
)
assert done.returncode == 0, done.stderr
import sys
sys.stdout.write(done.stdout.decode())
"""
"""All tables as text, by PostgreSQL's own program."""


def written(path: Path) -> set[str]:
    """A private key as it could be written down: its lines in PEM, its 32 bytes in hex and in base64."""
    key = keys.load(path)
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ways = [raw.hex(), base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
    return {*ways, der.hex(), base64.b64encode(der).decode()}


def of_the_hub(scene: Scene) -> set[str]:
    """Its keys, the secret that its sessions and tokens are signed with, and no others: it has none of members'."""
    found = {(scene.hub.data / "secret-key").read_text().strip()}
    for path in (scene.hub.data / "keys").glob("*.pem"):
        found |= written(path)
    return found


def of_a_machine(home: Path) -> set[str]:
    """Its key, its bearer token, and a hotline's keys."""
    found = written(Home(home).key_path)
    if (home / "token.json").exists():
        found.add(json.loads((home / "token.json").read_text())["token"])
    for path in home.glob("publisher/*/keys/*.pem"):
        found |= written(path)
    return found


def all_of_them(scene: Scene, *homes: Path) -> set[str]:
    access = {scene.access_key, scene.access_key.removeprefix("hsk_").partition("_")[2]}
    return access.union(of_the_hub(scene), of_a_machine(scene.aurora.home), *map(of_a_machine, homes))


def nowhere_in(text: str, secrets: set[str]) -> None:
    assert len(secrets) > 10
    assert [secret[:4] for secret in secrets if secret in text] == []
    assert "PRIVATE KEY" not in text


def command_lines(pids: list[int]) -> str:
    """As anybody on the machine sees them."""
    texts = []
    for pid in pids:
        try:
            texts.append(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue  # it has ended meanwhile
    return "\n".join(texts)


def test_no_secret_reaches_a_log_or_a_command_line_of_the_hub(scene: Scene, cobalt: Victim) -> None:
    cobalt.recovers()
    secrets = all_of_them(scene, cobalt.machine.home)
    said = "".join(path.read_text(errors="replace") for path in scene.hub.logs.rglob("*") if path.is_file())
    assert said
    nowhere_in(said + scene.hub.output(), secrets)
    assert scene.hub.process
    shown = command_lines(family([scene.hub.process.pid, *scene.hub.pids().values()]))
    assert "manage.py" in shown
    nowhere_in(shown, secrets)
    assert "eyJ" not in shown


def test_no_secret_is_in_the_database_in_clear(scene: Scene, cobalt: Victim) -> None:
    """Keys, access keys, tokens, and a code of invitation that nobody has used yet."""
    code = scene.hub.manage("invite", "--kind", "member", "--name", "Unused", "--country", "NL").stdout.strip()
    cobalt.recovers()
    dump = scene.hub.manage("shell", "-c", DUMP).stdout
    assert "INSERT INTO public.hashshare_organisation" in dump
    assert "Unused" in dump
    nowhere_in(dump, all_of_them(scene, cobalt.machine.home))
    for form in (code, code.replace("-", ""), code.lower(), code.replace("-", "").lower()):
        assert form not in dump


COMMANDS = [
    ("sync", LIST), ("sync", LIST, "--force"), ("status",), ("receipts", LIST), ("doctor",), ("key", "list"),
    ("verify", LIST), ("subscribe", f"{DOMAIN}/never"), ("sync", "never"),
]  # fmt: skip


@pytest.mark.parametrize("hub", ["honest", "broken"])
def test_no_secret_is_said_or_shown_by_a_member(scene: Scene, cobalt: Victim, hub: str) -> None:
    """With --debug too, and where the hub repeats what it was sent in its answer."""
    (cobalt.machine.home / "token.json").unlink(missing_ok=True)
    if hub == "broken":
        scene.between.serve(r"/(heads|targets|status|acknowledgements|keys)", status=500, body=b"<html>" * 500)
    said, shown = "", ""
    for words in COMMANDS:
        process = cobalt.machine.start(*words, "--debug")
        shown += command_lines([process.pid])
        output, errors = process.communicate(timeout=120)
        said += output + errors
    secrets = all_of_them(scene, cobalt.machine.home)
    assert LIST in shown
    nowhere_in(said, secrets)
    nowhere_in(shown, secrets)


def test_no_secret_is_said_or_shown_by_a_hotline(scene: Scene, tmp_path: Path) -> None:
    home = tmp_path / "aurora"
    shutil.copytree(scene.aurora.home, home)
    words_of = {"HASHSHARE_PASSPHRASE": "quiet water under stones"}
    said, shown = "", ""
    bad = tmp_path / "bad.csv"
    bad.write_text("sha256,category\nnothing,A\n")
    for words in (
        ("publish", LIST, str(bad), "--dry-run"), ("requests", LIST), ("audit", LIST), ("doctor",),
        ("publisher", "officer", "Anna", "--out", str(tmp_path / "anna")),
    ):  # fmt: skip
        process = type(scene.aurora)(home, words_of).start(*words, "--debug")
        shown += command_lines([process.pid])
        output, errors = process.communicate(timeout=120)
        said += output + errors
    secrets = all_of_them(scene, home) | {words_of["HASHSHARE_PASSPHRASE"]}
    nowhere_in(said, secrets)
    nowhere_in(shown, secrets)
    sealed = "".join(path.read_text() for path in (tmp_path / "anna").glob("*.pem"))
    assert "ENCRYPTED PRIVATE KEY" in sealed
    assert words_of["HASHSHARE_PASSPHRASE"] not in sealed


def test_what_is_secret_is_its_owner_s_alone(scene: Scene, cobalt: Victim) -> None:
    """The modes of files and of the folders over them, at hub, member and hotline."""
    cobalt.recovers()
    places = [cobalt.machine.home, scene.aurora.home, scene.hub.data / "keys"]
    found = [
        path for place in places for path in place.rglob("*") if path.suffix == ".pem" or path.name == "token.json"
    ]
    found.append(scene.hub.data / "secret-key")
    assert len(found) > 8
    assert [str(path) for path in found if path.stat().st_mode & 0o077] == []
    assert [str(place) for place in places if place.stat().st_mode & 0o077] == []

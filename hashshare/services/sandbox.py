"""Keeping the sandbox: a publisher of the hub's own, whose list of synthetic hashes any member may take at once.

It publishes as every hotline does, by the program `hashshare` in a process of its own, with keys in a folder of this
machine: so what members integrate against is made by the same code and passes the same checks. A machine without that
folder leaves it to the one that has it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from hashshare.models import HashList, Organisation, Publisher
from hashshare.sandbox.contents import ALGORITHMS, COLUMNS, SCHEME, changes_to, first_release
from hashshare.selectors.sandbox import SLUG, is_due, sandbox_list, sandbox_publisher, targets_are_due
from hashshare.services.invitations import invite_key
from hashshare.services.organisations import create_organisation, suspend_organisation
from hashshare.services.publishers import create_publisher
from hashshare.wire import errors

COUNTRY: Final = "ZZ"
"""Of nowhere: ISO 3166-1 leaves it to users."""
TITLE: Final = "Sandbox (synthetic)"
DESCRIPTION: Final = "Harmless files that this hub drew itself, to integrate against. No entry is of real material."
TERMS: Final = "These hashes are of harmless, synthetic files. Use them to test with, and report no match of them.\n"
SECONDS: Final = 600
"""After which the program is ended; the next run goes on where it was."""
SECRETS: Final = ("HASHSHARE_", "DATABASE_URL", "DJANGO_", "AWS_", "PG")
"""Beginnings of names in the environment that the program has no use for."""

Commands = Sequence[Sequence[str]]


def make_sandbox(*, now: datetime, anew: bool = False) -> HashList:
    """Make what of the sandbox is missing and publish its first version; done again, it changes nothing.

    `anew`: give up the one that stands, whose keys are lost, and begin another under the next name.
    Raises HashshareError naming the step that failed; run again, it goes on from there.
    """
    with _turn() as mine:
        if not mine:
            raise errors.Conflict("The sandbox is being made or published at this moment.")
        if anew:
            _give_up()
        publisher = sandbox_publisher() or _new_publisher()
        if publisher.root_fingerprint and not _is_here():
            raise errors.HashshareError(
                f"The keys of {publisher} are not on this machine, in {folder()}.",
                next_step="Run this where they are; if they are lost: manage.py sandbox --anew",
            )
        _make(publisher, now)
    found = sandbox_list()
    if found is None:
        raise errors.HashshareError("The sandbox's first release is not published yet.", next_step="Run this again.")
    return found


def publish_sandbox(*, now: datetime) -> bool:
    """The next small release, once a day: a few entries come, a few are withdrawn. False where nothing was to do."""
    found = sandbox_list()
    if found is None or not _is_here() or not is_due(found, now=now):
        return False
    with _turn() as mine:
        if not mine:
            return False
        renewal = [["publisher", "renew", found.publisher.domain]] if targets_are_due(found.publisher, now=now) else []
        with _file(changes_to(found.version + 1)) as path:
            run_commands([*renewal, ["publish", found.name, path, "--changes"]])
    return True


def folder() -> Path:
    """The program's home: keys and what it holds of the list."""
    return Path(settings.HASHSHARE_DATA) / "sandbox"


def domain_of(name: str, *, number: int = 1) -> str:
    """`sandbox.hub.example` of a hub that is called so or at that address; from the second on `sandbox-2.`..."""
    named = re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.")
    host = named or str(urlsplit(settings.HASHSHARE_PUBLIC_URL).hostname)
    labels = [label.strip("-") for label in host.split(".")]
    return ".".join(["sandbox" if number == 1 else f"sandbox-{number}", *(label for label in labels if label)])


def run_commands(commands: Commands) -> list[Any]:
    """What each command of `hashshare` answered. Raises HashshareError with what the first that failed said."""
    program = [sys.executable, "-m", "hashshare.client.cli.scripted"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
    try:
        done = subprocess.run(
            program,
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            cwd=Path(__file__).parents[2],
            env={**environment, "HASHSHARE_HOME": str(folder())},
        )
    except subprocess.TimeoutExpired as error:
        raise errors.HashshareError(f"The sandbox's program did not end within {SECONDS} s.") from error
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(answers) < len(commands):
        raise _failure(commands, answers, done.stderr)
    return [answer["document"] for answer in answers]


def _failure(commands: Commands, answers: Sequence[Any], stderr: str) -> errors.HashshareError:
    said = (answers[-1]["document"] or {}).get("error", {}) if answers else {}
    failed = commands[max(len(answers) - 1, 0)]
    detail = said.get("detail") or " ".join(stderr.split())[-400:] or "it ended without a word"
    step = str(said.get("next_step") or "The hub has to run, and to be reached at HASHSHARE_PUBLIC_URL from here.")
    # The first word or two name the command; what follows may be a one-time code.
    return errors.HashshareError(f"hashshare {failed[0]}, for the sandbox: {detail}", next_step=step)


# --- Steps ------------------------------------------------------------------------------------------------------


def _new_publisher() -> Publisher:
    with transaction.atomic():
        number = Publisher.objects.filter(sandbox=True).count() + 1
        name = f"Sandbox{f' {number}' if number > 1 else ''} of {settings.HASHSHARE_NAME}"
        organisation = create_organisation(kind=Organisation.Kind.HOTLINE, name=name, country=COUNTRY)
        publisher = create_publisher(
            organisation=organisation, domain=domain_of(settings.HASHSHARE_NAME, number=number)
        )
        publisher.sandbox = True
        publisher.save(update_fields=["sandbox"])
    return publisher


def _give_up() -> None:
    """The list stays as it is at who holds it, and leaves the catalogue; its folder is kept aside."""
    old = sandbox_publisher()
    if old is None:
        return
    suspend_organisation(organisation=old.organisation)
    if folder().exists():
        folder().rename(folder().with_name(f"sandbox.{old.domain}"))


def _make(publisher: Publisher, now: datetime) -> None:
    """Each step looks at what stands, so that it goes on after any that failed."""
    domain, name = publisher.domain, f"{publisher.domain}/{SLUG}"
    if not _is_here():
        _, code = invite_key(organisation=publisher.organisation, now=now, key_name="sandbox")
        run_commands([["enroll", f"{settings.HASHSHARE_PUBLIC_URL}/", code]])
    if not publisher.root_fingerprint:
        run_commands([["publisher", "init", domain, "--no-passphrase"]])
    found = HashList.objects.filter(publisher=publisher, slug=SLUG).first()
    if found is None:
        with _file(TERMS) as terms:
            run_commands([_declaration(name, terms)])
    if found is None or found.version == 0:
        with _file(first_release()) as path:
            run_commands([["publish", name, path]])


def _declaration(name: str, terms: str) -> list[str]:
    declared = {
        "--algorithms": ",".join(ALGORITHMS),
        "--scheme": SCHEME,
        "--columns": ",".join(COLUMNS),
        "--title": TITLE,
        "--description": DESCRIPTION,
        "--terms": terms,
        "--redistribution": "none",
    }
    return ["publisher", "list", "create", name, *(word for pair in declared.items() for word in pair)]


def _is_here() -> bool:
    """Whether this machine's program is enrolled as the sandbox."""
    return (folder() / "config.json").is_file()


@contextlib.contextmanager
def _turn() -> Iterator[bool]:
    """Whether nobody else on this machine is at it; it is ours until the block ends, however it does."""
    lock = Path(settings.HASHSHARE_DATA) / "sandbox.lock"
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextlib.contextmanager
def _file(text: str) -> Iterator[str]:
    """The path of a file with this text, for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as place:
        path = Path(place) / "sandbox.csv"
        path.write_text(text)
        yield str(path)

"""Carrying out what needs a hosted key: the program `hashshare.client.hosted` publishes as a hotline's machine would.

It is a child process that speaks to this hub like any other client (docs/adr/0015), so everything that it signs goes
through the same door and the same checks. Its folder on this machine is a cache; its keys are given to it each time.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings

import hashshare
from hashshare.models import Commit, Draft, HashList, HostedKey, Metadata
from hashshare.selectors.hub import descriptor
from hashshare.services.hosting import key_in_use, private_key, request_key
from hashshare.services.shards import Progress
from hashshare.storage import object_store
from hashshare.storage.keys import draft_key
from hashshare.wire import errors, keys
from hashshare.wire.documents import write_time

PROGRAM: Final = "hashshare.client.hosted"
TIME_LIMIT: Final = 3600.0
"""Seconds after which a run is ended; it is begun again."""

STAGES: Final[Mapping[str, str]] = {
    "sync": "Fetching what the list holds",
    "check": "Checking what the list holds",
    "intake": "Reading the file",
    "diff": "Comparing it with the list",
    "write": "Writing the release",
    "merge": "Merging with earlier releases",
    "build": "Building a new base",
    "sign": "Signing the release",
    "upload": "Handing it over",
    "verify": "Being verified",
}
"""What a stage is called on a page."""

SECRETS: Final = ("HASHSHARE_", "DATABASE_URL", "DJANGO_", "AWS_", "PG")
"""Beginnings of names in the environment that the program has no use for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `handed`: the id of the commit's job. `busy`: something else has to end first. `problem`: why
    nothing was published, as {slug, message, next_step, later}. Otherwise the list says what it should, at `version`.
    """

    handed: str = ""
    busy: bool = False
    problem: dict[str, Any] = field(default_factory=dict)
    version: int | None = None


def publish_hosted(draft: Draft, *, progress: Progress, now: datetime) -> Outcome:
    """Raises HostedKeyLost, MissingObject (the file is gone), OSError and RuntimeError for trouble of the hub's own."""
    try:
        kept = object_store().local(draft_key(draft.digest, draft.pk))
    except FileNotFoundError as error:
        raise errors.MissingObject("The uploaded file is no longer here.", next_step="Upload it again.") from error
    with tempfile.TemporaryDirectory(prefix="publish-", dir=settings.HASHSHARE_INCOMING) as folder:
        file = Path(folder) / "upload.csv"
        file.symlink_to(kept.resolve())
        wish = {
            "file": str(file),
            "changes": draft.kind != Draft.Kind.WHOLE,
            "skip_bad": draft.skip_bad,
            "allow_withdrawals": draft.allow_withdrawals,
            "reason": draft.reason or None,
            "typed": draft.kind == Draft.Kind.WITHDRAWALS,
            "names": draft.columns,
        }
        return _run(_order(draft.list, wish=wish, now=now), progress)


def tend_hosted(hash_list: HashList, *, progress: Progress, now: datetime) -> Outcome:
    """A base where one is due, and a new signature where that is. Raises as `publish_hosted` does."""
    return _run(_order(hash_list, wish=None, now=now), progress)


def is_in_the_way(hash_list: HashList) -> bool:
    """Whether a commit to the list is being verified."""
    return Commit.objects.filter(list=hash_list, state=Commit.State.PENDING).exists()


# --- The order --------------------------------------------------------------------------------------------------


def _order(hash_list: HashList, *, wish: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    row, publisher = key_in_use(hash_list), hash_list.publisher
    organisation = publisher.organisation
    root = Metadata.objects.get(publisher=publisher, role="root", version=1)
    return {
        "home": str(_home(row)),
        "hub_url": settings.HASHSHARE_PUBLIC_URL,
        "hub": _described(now),
        "organisation": {
            "slug": organisation.slug,
            "name": organisation.name,
            "kind": organisation.kind,
            "country": organisation.country,
        },
        "request_key": keys.to_pem(request_key(row)).decode(),
        "feed_key": keys.to_pem(private_key(row)).decode(),
        "domain": publisher.domain,
        "root": base64.b64encode(root.content).decode(),
        "list": {
            "id": hash_list.tuf_id,
            "name": hash_list.name,
            "algorithms": hash_list.algorithms,
            "scheme": hash_list.scheme,
            "columns": hash_list.columns,
            "redistribution": hash_list.redistribution,
            "poll_seconds": hash_list.poll_seconds,
        },
        "wish": wish,
    }


def _home(row: HostedKey) -> Path:
    """One for each key, so that a list that changed hands begins afresh."""
    return Path(settings.HASHSHARE_HOSTED) / f"{row.list.tuf_id}-{row.number}"


def _described(now: datetime) -> dict[str, Any]:
    hub = descriptor(now=now)
    return {
        "name": hub.name,
        "url": hub.url,
        "version": hub.version,
        "time": write_time(hub.time.replace(microsecond=0)),
        "keys": list(hub.keys),
        "log_key": base64.b64encode(hub.log_key).decode(),
    }


# --- The program ------------------------------------------------------------------------------------------------


def _run(order: Mapping[str, Any], progress: Progress) -> Outcome:
    """Raises LostClaim through `progress`, RuntimeError when the program ends without a word."""
    with _started() as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The program that signs hosted lists cannot be spoken to.")
        # A program that died at once is told by its silence, below.
        with contextlib.suppress(BrokenPipeError), process.stdin as order_file:
            json.dump(order, order_file)
        message = "Starting"
        for line in process.stdout:
            said = json.loads(line)
            message = STAGES.get(said.get("stage", ""), message)
            if "stage" not in said and "progress" not in said:
                return _outcome(said)
            done, total = said.get("progress", (0, 0))
            progress(done, total, message)
    raise RuntimeError("The program that signs hosted lists ended without a word.")


@contextlib.contextmanager
def _started() -> Iterator[subprocess.Popen[str]]:
    """The program, ended with the block, and after its time."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
    process = subprocess.Popen(
        [sys.executable, "-m", PROGRAM],
        cwd=Path(hashshare.__file__ or "").parent.parent if hashshare.__file__ else None,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    limit = threading.Timer(TIME_LIMIT, process.kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _outcome(said: Mapping[str, Any]) -> Outcome:
    if "done" in said:
        return Outcome(version=said["done"]["version"])
    if "handed" in said:
        return Outcome(handed=str(said["handed"]))
    if "busy" in said:
        return Outcome(busy=True)
    if "problem" in said:
        return Outcome(problem=dict(said["problem"]))
    raise RuntimeError(f"The program that signs hosted lists ended with {said.get('crash', 'an unknown word')}.")

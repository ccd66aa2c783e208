"""A hotline's hand at a hub that keeps its feed key: publishes, or signs again, as the hotline's own machine would.

The hub's worker runs it as a program of its own, `python -m hashshare.client.hosted`, with an order as JSON on the
standard input, keys included, so that they stand neither in arguments nor in the environment. What it does comes out as
JSON, a line each. The folder that it is told to use holds nothing that cannot be fetched again.

It never waits for the hub's workers, one of which is waiting for it: when it has handed over what it signed, it ends
with the job's id, and the same order is given again when that job is over. Then there is nothing left to do.
"""

from __future__ import annotations

import base64
import ctypes
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hashshare.client import trust
from hashshare.client.commits import Job
from hashshare.client.drafts import ListTerms
from hashshare.client.home import Config, Home, make_private_folder, write_atomic
from hashshare.client.publication import Listener, Wish
from hashshare.client.publish import publish
from hashshare.client.publisher import OwnList, OwnPublisher, save_list
from hashshare.client.rebasing import prepare_base, why_renew
from hashshare.client.renewal import refresh_list
from hashshare.client.session import Session
from hashshare.client.settling import bring_up_to_date
from hashshare.client.signers import FILE, record_key
from hashshare.wire import keys
from hashshare.wire.documents import Fields
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import HashshareError, MajorRequired, MalformedManifest, NetworkError
from hashshare.wire.manifest import Redistribution
from hashshare.wire.repository import root_fingerprint

PATIENCE: Final = 60.0
"""Seconds that one run waits in all for something else at the hub to end."""

PR_SET_PDEATHSIG: Final = 1


class HandedOver(Exception):  # noqa: N818 - no error: how a run ends that went well
    """The hub has taken what was signed, or takes something else at the moment (`other`); its `job` goes on."""

    def __init__(self, job: str, *, other: bool) -> None:
        super().__init__(job)
        self.job, self.other = job, other


class BusyError(Exception):
    """Something else at the hub has to end first."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the hub's worker wants done for a list, the fields being those of the JSON on the standard input: to publish
    what `wish` says, or without one to tend the list.
    """

    home: Path
    hub_url: str
    hub: Mapping[str, Any]
    organisation: Mapping[str, Any]
    request_key: str
    feed_key: str
    domain: str
    root: bytes
    terms: ListTerms
    wish: Wish | None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Order:
        wish = document.get("wish")
        return cls(
            home=Path(document["home"]),
            hub_url=document["hub_url"],
            hub=document["hub"],
            organisation=document["organisation"],
            request_key=document["request_key"],
            feed_key=document["feed_key"],
            domain=document["domain"],
            root=base64.b64decode(document["root"]),
            terms=_terms(document["list"]),
            wish=Wish(**{**wish, "file": Path(wish["file"])}) if wish else None,
        )


def _terms(of: Mapping[str, Any]) -> ListTerms:
    fmt = ListFormat(tuple(of["algorithms"]), of["scheme"], tuple(of["columns"]))
    policy = Fields(of["redistribution"], where="redistribution", error=MalformedManifest)
    return ListTerms(of["id"], of["name"], fmt, Redistribution.read(policy), of["poll_seconds"])


def main() -> None:
    """Carry out the order on the standard input; always ends with exactly one of done, handed, busy, problem, crash."""
    if sys.platform == "linux":
        # A worker that is killed takes this along; whoever takes up its job begins again.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    order = Order.read(json.load(sys.stdin))
    try:
        say(done=carry_out(order))
    except HandedOver as handed:
        say(**{"busy" if handed.other else "handed": handed.job})
    except BusyError:
        say(busy="")
    except HashshareError as error:
        later = isinstance(error, NetworkError)
        say(problem={"slug": error.slug, "message": error.message, "next_step": error.next_step, "later": later})
    except Exception as error:  # noqa: BLE001 - its words may hold a hash; the kind says enough for a log
        say(crash=type(error).__name__)
        raise SystemExit(1) from None


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def carry_out(order: Order) -> dict[str, Any]:
    """Raises HandedOver, BusyError, HashshareError."""
    own = prepare_home(order)
    session = Session.open(own.publisher.home)
    session.wait = Patience(session.wait)
    if order.wish is not None:
        return _publish(session, own, order.wish)
    return _tend(session, own)


def prepare_home(order: Order) -> OwnList:
    """The folder as enrolment, `publisher init` and `list create` would have left it."""
    home, key = Home.open(order.home), order.request_key.encode()
    write_atomic(home.key_path, key)
    key_id = keys.fingerprint_of(keys.load(home.key_path))
    home.save_config(Config(order.hub_url, order.hub, order.organisation, key_id))
    trust.remember_publisher(home, order.domain, order.root)
    trust.pin(home, order.domain, root_fingerprint(order.root))
    mine = OwnPublisher(home, order.domain)
    folder = make_private_folder(mine.keys_folder)
    write_atomic(mine.key_path("feed"), order.feed_key.encode())
    public = keys.tuf_key(keys.public_bytes(keys.load(mine.key_path("feed"))))
    record_key(folder, "feed", uri=f"{FILE}feed.pem", public=public)
    return save_list(mine, order.terms.name.partition("/")[2], order.terms)


def _publish(session: Session, own: OwnList, wish: Wish) -> dict[str, Any]:
    done = publish(session, own, wish, ask=no_secret, listener=Teller())
    if done.request is not None:
        need = done.major.describe(own.name) if done.major else ""
        raise MajorRequired(need, next_step="Withdraw less at once, or take the list home and sign there.")
    return {"version": done.version, "job": done.job.id if done.job else ""}


def _tend(session: Session, own: OwnList) -> dict[str, Any]:
    """A base where one is due, and a new signature where that is; the second adopts the first."""
    teller = Teller()
    if bring_up_to_date(session, own, teller) is None:
        return {"version": None, "job": ""}
    if why_renew(own, now=datetime.now(UTC)):
        prepare_base(session, own, listener=teller)
    done = refresh_list(session, own, ask=no_secret, now=datetime.now(UTC), only_if_due=True, listener=teller)
    return {"version": done.role_version, "job": done.job.id if done.job else ""}


def no_secret(_: Path | str) -> None:
    """The keys are under no passphrase here."""


class Patience:
    """Waits like `wait`, for so long in all. Raises BusyError then."""

    def __init__(self, wait: Any) -> None:
        self._wait, self._left = wait, PATIENCE

    def __call__(self, seconds: float) -> None:
        if seconds > self._left:
            raise BusyError
        self._left -= seconds
        self._wait(seconds)


class Teller(Listener):
    """Tells each stage and how much was sent, and ends the run as soon as the hub has a job for it."""

    def __init__(self) -> None:
        self._stage, self._total, self._sent = "", 0, 0

    def stage(self, name: str) -> None:
        self._stage = name
        say(stage=name)

    def uploading(self, total: int) -> None:
        self._total = total
        say(progress=[0, total])

    def uploaded(self, length: int) -> None:
        self._sent += length
        say(progress=[min(self._sent, self._total), self._total])

    def job(self, job: Job) -> None:
        if not job.finished:
            raise HandedOver(job.id, other=self._stage not in ("verify", "refresh"))


if __name__ == "__main__":
    main()

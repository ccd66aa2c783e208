"""The hubs that one home is enrolled at: each has an enrolment of its own, and all bring the same lists.

Which there are, and which is asked first, is said by one file, HOME/hubs.json, replaced in one step: an enrolment
counts from the moment that it is named there, and a killed command is run again. A home of one hub has no such file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hashshare.client.addresses import checked_url
from hashshare.client.enrol import Enrolled, enrol
from hashshare.client.home import (
    HUBS_FORMAT,
    OWN_FOLDER,
    Config,
    Home,
    checked_hub_folder,
    make_private_folder,
    write_json,
)
from hashshare.client.intervals import forget_asked
from hashshare.wire.errors import Conflict, NotEnrolled, UsageError

LEFT: Final = ("key.pem", "config.json", "token.json", "heads.json", "contact.json", "key.json")
"""What goes with an enrolment that is left. Its logs and receipts stay: they are evidence."""


@dataclass(frozen=True, slots=True)
class Account:
    """An enrolment. `name` is what its hub calls itself, `home` the home as spoken for there."""

    name: str
    home: Home
    config: Config


def accounts(home: Home) -> list[Account]:
    """Those that are enrolled, the one that is asked first at the beginning. Raises NotEnrolled when there is none."""
    found = [_account(home.at(folder)) for folder in home.hubs]
    if not any(found):
        raise NotEnrolled
    return [account for account in found if account is not None]


def others(home: Home) -> list[Account]:
    """All but the first."""
    return accounts(home)[1:]


def _account(home: Home) -> Account | None:
    try:
        config = home.config()
    except NotEnrolled:
        return None
    return Account(hub_title(config), home, config)


def hub_title(config: Config) -> str:
    """What the hub calls itself, as its enrolment left it."""
    return str(config.hub.get("hub") or urlsplit(config.hub_url).netloc)


def find_account(home: Home, name: str) -> Account:
    """By what the hub calls itself, or its address. Raises UsageError."""
    wanted = name.rstrip("/")
    found = [
        one for one in accounts(home) if wanted in (one.name, one.config.hub_url, urlsplit(one.config.hub_url).netloc)
    ]
    if len(found) != 1:
        known = ", ".join(one.name for one in accounts(home))
        raise UsageError(f"{name[:80]!r} is none of the hubs of this home: {known}.")
    return found[0]


def enrolled_beside(home: Home, url: str, code: str, *, key_name: str = "") -> tuple[Home, Enrolled]:
    """Enrol at another hub, with a key of its own. It counts only once `order` names it; repeating it with the same
    code is harmless. Raises NotEnrolled, Conflict for a hub that is there already, and what `enrol.enrol` raises.
    """
    url = checked_url(url).rstrip("/")
    known = next((one for one in accounts(home) if one.config.hub_url == url), None)
    if known is not None:
        raise Conflict(f"This home is enrolled at {known.name} already. Nothing was changed.")
    beside = home.at(_folder_of(url))
    make_private_folder(beside.account)
    return beside, enrol(beside, url, code, key_name=key_name)


def add(home: Home, url: str, code: str, *, key_name: str = "") -> tuple[Account, Enrolled]:
    """One more hub, asked after those that are there."""
    with home.lock("enroll"):
        beside, enrolled = enrolled_beside(home, url, code, key_name=key_name)
        order(home, (*home.hubs, beside.hub))
    return Account(hub_title(enrolled.config), beside, enrolled.config), enrolled


def prefer(home: Home, name: str) -> Account:
    """Ask that hub first from now on."""
    with home.lock("enroll"):
        chosen = find_account(home, name)
        order(home, (chosen.home.hub, *(folder for folder in home.hubs if folder != chosen.home.hub)))
    return chosen


def remove(home: Home, name: str) -> Account:
    """Leave a hub: its key is removed here, and counts there until it is revoked. Raises UsageError for the last."""
    with home.lock("enroll"):
        chosen = find_account(home, name)
        if len(accounts(home)) == 1:
            raise UsageError(f"{chosen.name} is the only hub of this home.")
        order(home, [folder for folder in home.hubs if folder != chosen.home.hub])
        for file in LEFT:
            (chosen.home.account / file).unlink(missing_ok=True)
    return chosen


def order(home: Home, folders: Sequence[str]) -> None:
    """From one moment to the next; the next sync asks, whatever was asked before."""
    forget_asked(home)
    if tuple(folders) != home.hubs:
        write_json(home.hubs_path, {"format": HUBS_FORMAT, "order": list(folders)})


def _folder_of(url: str) -> str:
    host = urlsplit(url).netloc.lower().replace(":", "_").strip("[]")
    return OWN_FOLDER if not host else checked_hub_folder(host)

"""A hotline's tools go over to another hub: that which took over when theirs died, or that they have chosen.

Everything that signs, and everything that is held, stays as it is: only the enrolment is another. Until the one file
that names the first hub is replaced nothing has changed, so a killed run is simply run again with the same code.
"""

from __future__ import annotations

from dataclasses import dataclass

from hashshare.client import trust
from hashshare.client.addresses import checked_url
from hashshare.client.home import Home
from hashshare.client.hubs import Account, accounts, enrolled_beside, hub_title, order
from hashshare.client.identity import hub_keys, publisher_record
from hashshare.client.publisher import own_publishers
from hashshare.client.repository import Repository
from hashshare.client.session import Session
from hashshare.client.standing import kept_standing
from hashshare.wire.errors import HashshareError, UsageError, VerificationFailed
from hashshare.wire.repository.rotation import officer_keys


@dataclass(frozen=True, slots=True)
class Moved:
    """`before` is the hub that was first until now. `lacking`: publishers of which the new hub shows less than was
    signed here, or nothing yet, and why.
    """

    account: Account
    before: Account
    publishers: tuple[str, ...]
    lacking: tuple[tuple[str, HashshareError], ...]


def move(home: Home, url: str, code: str) -> Moved:
    """Make the hub at `url` the first, once it is found to serve every publisher of this home under its own root.

    Raises VerificationFailed where it has another root, UsageError where a root does not name its key, and what
    `hubs.enrolled_beside` raises.
    """
    url = checked_url(url).rstrip("/")
    with home.lock("enroll"):
        before, account = accounts(home)[0], _enrolled(home, url, code)
        if account.config.hub_url == before.config.hub_url:
            raise UsageError(f"{account.name} is the first hub of this home already. Nothing was changed.")
        session = Session.open(account.home)
        domains = tuple(mine.domain for mine in own_publishers(home))
        for domain in domains:
            _check_serves(home, session, account, domain)
        order(home, (account.home.hub, *(folder for folder in home.hubs if folder != account.home.hub)))
    return Moved(account, before, domains, tuple(_lacking(account, session, domains)))


def _enrolled(home: Home, url: str, code: str) -> Account:
    """The enrolment at that hub: one that is there, else a new one, which counts for nothing yet."""
    known = next((one for one in accounts(home) if one.config.hub_url == url), None)
    if known is not None:
        return known
    if not code:
        raise UsageError(f"This home is not enrolled at {url}: give the code from its operator, --code CODE.")
    beside, enrolled = enrolled_beside(home, url, code)
    return Account(hub_title(enrolled.config), beside, enrolled.config)


def _check_serves(home: Home, session: Session, account: Account, domain: str) -> None:
    """That the hub has the publisher's own root, and that the publisher's root lets the hub sign for it."""
    known, offered = trust.publisher(home, domain), str(publisher_record(session, domain).get("fingerprint") or "")
    if known is None or not known.fingerprint or offered != known.fingerprint:
        raise VerificationFailed(
            f"{account.name} serves another root of {domain} than yours, or none. Nothing was changed.",
            next_step=f"Ask its operator whether it has taken over {domain}, and from whom.",
            publisher=domain,
            held=known.fingerprint if known else "",
            offered=offered,
        )
    root = kept_standing(home, domain).chain[-1]
    in_use = hub_keys(session)[0].keyid
    if in_use not in {key.keyid for key in officer_keys(root, "timestamp")}:
        raise UsageError(
            f"The root of {domain} does not name the key of {account.name}: members would refuse all that it signs. "
            "Nothing was changed.",
            next_step=f"If the old hub lives: hashshare publisher standby-hub {domain} --hub {account.config.hub_url}",
        )


def _lacking(account: Account, session: Session, domains: tuple[str, ...]) -> list[tuple[str, HashshareError]]:
    """Where the new hub does not show all that was verified here before."""
    found = list[tuple[str, HashshareError]]()
    for domain in domains:
        try:
            Repository(account.home, session, domain).refresh()
        except HashshareError as error:
            found.append((domain, error))
    return found

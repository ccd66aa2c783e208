"""One quarter's people and machines, and what a usual night is. What is unusual stands in tests/quarter/acts.py."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.core import mail

from hashshare.models import Organisation
from hashshare.services.people import create_person
from tests.quarter.aurora import FIRST_ROWS, Aurora
from tests.quarter.clock import Clock, day
from tests.quarter.members import Member
from tests.quarter.north import North

NIGHTS: Final = 91
LAST_WITHDRAWAL: Final = 81
"""So that seven days are left in which every base is renewed without what was withdrawn."""
SUNDAY: Final = 6
PASSWORD: Final = "long enough to be one"


class Quarter:
    """`mails`: night -> whom, what. `roots`: night -> how Cobalt was told of another root."""

    def __init__(self, clock: Clock, north: North, folder: Path) -> None:
        self.clock, self.north, self.folder = clock, north, folder
        self.mails: dict[int, list[tuple[str, str]]] = {}
        self.roots: dict[int, str] = {}
        self.access_key = ""
        self.clock.at(1, 1)
        self.aurora = Aurora(north, folder)
        self.fingerprint = self.aurora.found()
        self.cobalt, self.delta = (Member(north, folder, name) for name in ("Cobalt", "Delta"))
        self.present = [self.cobalt, self.delta]
        self.aurora.add(FIRST_ROWS, clock.today)
        self.aurora.publish()
        self.join(self.cobalt, until=400)
        self.join(self.delta, until=60)
        self._people()
        self._take_standby_offline()

    def join(self, member: Member, *, until: int) -> None:
        """It asks for the list and gets it until that night begins."""
        member.ask(self.fingerprint)
        self.aurora.grant(member.slug, day(until))

    def _people(self) -> None:
        for role, slug in (("analyst", "aurora"), ("engineer", "cobalt"), ("engineer", "delta"), ("operator", "")):
            organisation = Organisation.objects.get(slug=slug) if slug else None
            who = f"{role}@{slug or 'north'}.example"
            create_person(email=who, role=role, organisation=organisation, password=PASSWORD)

    def _take_standby_offline(self) -> None:
        self.offline.mkdir()
        shutil.move(self.north.folder / "keys" / "standby.pem", self.offline)

    @property
    def offline(self) -> Path:
        """The operator's safe."""
        return self.folder / "safe"

    # --- a usual night ---

    def begin(self, night: int) -> None:
        """Shortly after midnight the timetable does whatever is due."""
        self.clock.at(night, 0, 30)
        if not self.north.silent:
            self.north.timetable()

    def publish(self) -> None:
        """Eight entries more; every third night some are taken back."""
        self.clock.at(self.clock.night, 2, 20)
        self.aurora.add(8, self.clock.today)
        if self.clock.night % 3 == 0 and self.clock.night <= LAST_WITHDRAWAL:
            self.aurora.take_back(3, self.clock.today)
        if self.north.silent:
            self.aurora.cannot_publish()
        else:
            self.aurora.publish()

    def follow(self) -> None:
        """Members sync, acknowledge, and match against what the hotline says is live today."""
        self.clock.at(self.clock.night, 3)
        for member in self.present:
            row = member.sync()
            assert row["version"] == self.aurora.version, row
            assert row["acknowledgement"]["sent"], row
            if member is self.cobalt or self.clock.today.weekday() == SUNDAY:
                assert member.keys() == self.aurora.live(self.clock.today)
            if member is self.cobalt and row["roots"]:
                [told] = row["roots"]
                self.roots[self.clock.night] = f"{told['before']} to {told['after']}"

    def end(self) -> None:
        """The day: logs are sealed, timestamps signed; who was mailed is noted."""
        self.clock.at(self.clock.night, 13)
        if not self.north.silent:
            self.north.timetable(("seal_logs", "refresh_timestamps"))
        if mail.outbox:
            self.mails[self.clock.night] = [(",".join(message.to), str(message.subject)) for message in mail.outbox]
            mail.outbox.clear()

    def told(self, words: str) -> Iterator[tuple[int, str]]:
        """Night and address of each mail whose subject has these words."""
        for night, sent in self.mails.items():
            yield from ((night, to) for to, subject in sent if words in subject)

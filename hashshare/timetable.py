"""Everything that Celery beat starts: what, how often, when it is late, and what that means. Reviewed code, not rows.

Each job is a function in hashshare/tasks.py (an extension adds its own, from its own module) and needs nothing but the
time. It does whatever is due at that moment, so after an outage one run catches up, and running it twice, or in two
places at once, does nothing twice. The page *Timetable* shows when each last ran; docs/operations.md tells the same
table with what to do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """One job: it starts `every` so often, and is late when its last whole run ended longer than `late` ago.

    `does`: in a sentence. `seen`: what else than the record of runs shows that it works. `missed`: what it means when
    it did not run.
    """

    name: str
    every: timedelta
    late: timedelta
    does: str
    seen: str
    missed: str
    module: str = "hashshare.tasks"
    """Where the task is."""

    def running_every(self, every: timedelta) -> Planned:
        """The same job where an operator has it run at other times (HASHSHARE_TIMETABLE)."""
        return self if every == self.every else replace(self, every=every, late=max(self.late, 3 * every))

    def is_late(self, finished_at: datetime | None, *, now: datetime) -> bool:
        """Whether the last whole run is too long ago. One that never ran is not late: the hub may just have started."""
        return finished_at is not None and now - finished_at > self.late


TIMETABLE: Final = (
    Planned(
        "sweep_jobs", 10 * SECOND, 2 * MINUTE,
        does="Sends again each job whose message was lost or whose worker went silent.",
        seen="Jobs: none is queued for minutes while a worker is free.",
        missed="A release whose message was lost waits. Nothing is lost.",
    ),
    Planned(
        "refresh_ending", 30 * SECOND, 5 * MINUTE,
        does="Signs the timestamps that have less than 12 hours left, as after an outage of the hub.",
        seen="What expires next: no timestamp has less than 12 hours left.",
        missed="After an outage, members alarm until the next hourly signing.",
    ),
    Planned(
        "refresh_timestamps", HOUR, 3 * HOUR,
        does="Signs every publisher's timestamp (24 hours) again, and its snapshot (7 days) in its last four days.",
        seen="What expires next: timestamps have about 23 hours left.",
        missed="After 24 hours members alarm: the hub seems frozen. Their lists stay in use.",
    ),
    Planned(
        "expire_due", 10 * MINUTE, HOUR,
        does="Ends subscriptions, organisation keys and access keys at their date; removes invitations 90 days after "
        "theirs and the sessions of people that have run out.",
        seen="What expires next: nothing but signatures stands there as ended.",
        missed="Nothing is let in: each is refused by its own date. Only the records say active for too long.",
    ),
    Planned(
        "warn_expiring", 10 * MINUTE, HOUR,
        does="Mails a hotline's people and the operators when a signature nears its end, once a step; operators when "
        "the hub does not sign again itself.",
        seen="Expiry warnings: a row for each step that was told.",
        missed="Nobody is warned. What expires next shows the same at any time.",
    ),
    Planned(
        "seal_logs", MINUTE, 5 * MINUTE,
        does="Gives waiting leaves of the logs their places, and shows the public a new state every hour.",
        seen="Logs: no log says late.",
        missed="Receipts wait. Nothing is lost, and the next run seals all that waits.",
    ),
    Planned(
        "remind_overdue", HOUR, 3 * HOUR,
        does="Mails members that have not applied a withdrawal within the list's deadline, once about each.",
        seen="Reminders: a row for each member that was told.",
        missed="Members are reminded later. Withdrawal propagation shows who is overdue at any time.",
    ),
    Planned(
        "roll_up_statistics", MINUTE, 15 * MINUTE,
        does="Writes the coalition's figures of today, and those of yesterday once more.",
        seen="Daily statistics: rows of today.",
        missed="Counts are made up for if it runs again by the next day; levels of a missed day stay blank.",
    ),
    Planned(
        "publish_sandbox", HOUR, 3 * HOUR,
        does="Publishes the next small release of the sandbox list once a day, where the hub has one.",
        seen="Releases: the sandbox list has one of the last day.",
        missed="Who integrates against the sandbox sees no change; after 14 days its signature lapses.",
    ),
    Planned(
        "count_entries", 10 * MINUTE, HOUR,
        does="Counts the entries of lists that have moved or of which entries have lapsed, and once a day what "
        "hotlines have in common.",
        seen="Daily statistics: the metric entries follows the lists.",
        missed="Figures of what is shared are as old as the last count. Entries that lapsed meanwhile are made up for.",
    ),
    Planned(
        "publish_statistics", 10 * MINUTE, 2 * HOUR,
        does="Makes the figures of the running week, month and quarter once a day, and freezes those that are over.",
        seen="Coalition statistics: it is as of yesterday.",
        missed="The page is as of an older day. The next run makes up for every period that was missed.",
    ),
    Planned(
        "prune_objects", 10 * MINUTE, HOUR,
        does="Removes objects seven days after they were superseded, and uploads that no release named in 14 days.",
        seen="Objects: none is superseded for more than seven days.",
        missed="The disk fills, and withdrawn entries stay longer in files that nobody is told of any more.",
    ),
    Planned(
        "prune_records", 10 * MINUTE, HOUR,
        does="Forgets superseded metadata, bodies of old commits and finished jobs that nothing refers to.",
        seen="Metadata: no list has feed metadata that was replaced more than seven days ago.",
        missed="The database grows.",
    ),
    Planned(
        "prune_nonces", 10 * MINUTE, HOUR,
        does="Forgets the nonces of signed requests that are too old to be accepted again.",
        seen="The table hashshare_usednonce has rows of the last minutes only.",
        missed="The database grows. Replays are refused as before.",
    ),
    Planned(
        "erase_openings", HOUR, 3 * HOUR,
        does="Erases openings of the logs, deliveries and old acknowledgements after HASHSHARE_LOG_YEARS.",
        seen="Logs: a leaf of kind erasure on the days when something was.",
        missed="What your law says may be kept no longer is kept until the next run.",
    ),
    Planned(
        "tend_hosted_lists", 10 * MINUTE, HOUR,
        does="Has hosted lists signed again when nearly half of a signature's life is over, and their bases renewed.",
        seen="Jobs: one of kind Sign a hosted list again for each that was due.",
        missed="A hosted list's signature runs out after 14 days, and members alarm. Their lists stay in use.",
    ),
    Planned(
        "clear_drafts", 10 * MINUTE, HOUR,
        does="Deletes the files of uploads that were published or thrown away, and throws away what was not published "
        "in HASHSHARE_DRAFT_DAYS.",
        seen="Uploads: none that is open is older than HASHSHARE_DRAFT_DAYS.",
        missed="Uploaded files, which hold hashes in clear, stay for longer than they need to.",
    ),
)  # fmt: skip

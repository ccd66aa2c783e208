"""Publish a file as the next version of a list: sync, read, compare, guard, write, merge, sign, upload, verify, adopt.

A publisher's own list is held here as every member holds it, synced and verified, and there is no other record of what
was published. So a run that is killed anywhere is finished or repeated by the next one: it waits for a commit that the
hub has taken, syncs, and compares again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from securesystemslib.signer import Signer

from hashshare.client.adoption import NextBase, draft_next, held_state, next_base, work_folder
from hashshare.client.commits import Job
from hashshare.client.drafts import Draft, first_release
from hashshare.client.majors import ask_for_major, check_role, find_need, kept_outdated
from hashshare.client.mending import check_held, repeat_mended
from hashshare.client.merging import MEMORY
from hashshare.client.publication import LeftOut, Listener, MajorNeed, Publication, Wish
from hashshare.client.publisher import AskPassphrase, OwnList, signer
from hashshare.client.reading import find_left_out, read_file
from hashshare.client.reinstating import reinstated
from hashshare.client.releasing import BaseRefusedError, SignedMajor, give_up, release
from hashshare.client.renewal import feed_due, sign_again
from hashshare.client.rotation import finish_rotation
from hashshare.client.session import Session
from hashshare.client.settling import await_other_release, bring_up_to_date, settle
from hashshare.client.stages import Stages
from hashshare.client.store import Held, ListStore
from hashshare.wire.difference import Difference, count_outdated, difference
from hashshare.wire.engine import Engine, open_engine
from hashshare.wire.entries import quoted
from hashshare.wire.errors import Conflict, MajorRequired
from hashshare.wire.guards import check_change
from hashshare.wire.intake import Intake
from hashshare.wire.lapsing import day_of
from hashshare.wire.segments import write_base
from hashshare.wire.state import HeldState

ATTEMPTS: Final = 3
"""How often a publication starts over when another one of the same list came first."""


def publish(
    session: Session, own: OwnList, wish: Wish, *, ask: AskPassphrase, listener: Listener | None = None
) -> Publication:
    """Publish `wish.file` as the next version of `own`, or nothing if the list says it already.

    A base that waits is adopted on the way, even when there is nothing else to publish.
    Raises BadInput (lines at fault), the errors of guards.check_change, what the hub rejected it for, NetworkError.
    """
    heard = listener or Listener()
    stages = Stages(heard.stage)
    waiting = f"Another publication of {own.name} is running on this machine."
    finish_rotation(session, own.publisher, now=datetime.now(UTC))
    with own.publisher.home.lock(f"publish-{own.list_id}", waiting=lambda: heard.waiting(waiting)):
        refused: BaseRefusedError | None = None
        attempt, forced = 1, False
        while True:
            run = _Run(session, own, wish, ask, heard, stages, adopt=refused is None, forced=forced)
            try:
                done = repeat_mended(own, heard, run.publish)
                return replace(done, refused=give_up(own, refused)) if refused else done
            except BaseRefusedError as error:
                refused = error
                heard.waiting(f"Refused with its new base, so tried without it: {error.reason.message}")
            except MajorRequired as error:
                # The hub counted more than was seen from here, perhaps a release that came in between.
                if forced or "job" not in error.facts:
                    raise
                forced = True
            except Conflict as conflict:
                if attempt == ATTEMPTS or wish.dry_run:
                    raise
                attempt += 1
                heard.waiting(conflict.message)
                await_other_release(session, conflict)


# --- the run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What a file would change; `draft` is None when there is nothing to publish or it is a dry run."""

    intake: Intake
    change: Difference
    draft: Draft | None
    left_out: tuple[LeftOut, ...] = ()
    need: MajorNeed | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """One attempt, from sync to adoption."""

    session: Session
    own: OwnList
    wish: Wish
    ask: AskPassphrase
    listener: Listener
    stages: Stages
    adopt: bool
    """Whether it may adopt a base that is ready."""
    forced: bool
    """Whether two must sign for it because the hub says so."""

    def publish(self) -> Publication:
        feed = None if self.wish.dry_run else signer(self.own.publisher, "feed", self.ask)
        with self.stages.stage("sync"):
            settle(self.session, self.own, self.listener)
            held = bring_up_to_date(self.session, self.own, self.listener)
        now = datetime.now(UTC)
        waiting = next_base(self.own, held, now=now, listener=self.listener, adopt=self.adopt)
        with waiting as base, work_folder(self.own) as work:
            prepared = self._prepare(held, base, work, now)
            if prepared.draft is None or feed is None:
                return self._result(held, prepared, self._stay_fresh(held), 0)
            if prepared.need is None or held is None:
                return self._release(held, prepared, prepared.draft, feed)
            asked = ask_for_major(
                self.session, self.own, prepared.draft, prepared.need, follows=held, ask=self.ask, now=now
            )
            if asked.kept and asked.missing:
                result = self._result(held, replace(prepared, draft=None), None, 0)
                return replace(result, request=asked.kept.request, missing=asked.missing)
            return self._release(held, prepared, asked.draft, feed, major=asked.major)

    def _release(
        self, held: Held | None, prepared: _Prepared, draft: Draft, feed: Signer, *, major: SignedMajor | None = None
    ) -> Publication:
        job, uploaded = release(
            self.session,
            self.own,
            draft,
            feed=feed,
            follows=held.role_version if held else 0,
            listener=self.listener,
            stages=self.stages,
            major=major,
        )
        if outdated := kept_outdated(self.own, draft):
            self.listener.waiting(outdated)
        return self._result(held, replace(prepared, draft=draft), job, uploaded)

    def _stay_fresh(self, held: Held | None) -> Job | None:
        """Nothing to publish: a nightly run all the same keeps the feed from expiring."""
        now = datetime.now(UTC)
        if held is None or self.wish.dry_run or not feed_due(self.own, now=now):
            return None
        with self.stages.stage("refresh"):
            return sign_again(self.session, self.own, held, ask=self.ask, now=now, listener=self.listener)

    def _prepare(self, held: Held | None, base: NextBase, work: Path, now: datetime) -> _Prepared:
        own, wish = self.own, self.wish
        with (
            held_state(own, held) as state,
            open_engine(read=[wish.file, *state.paths], write=work, memory=MEMORY, scattered=wish.changes) as engine,
        ):
            if held is not None and not wish.changes:
                # All of it is read anyway, and what has rotted would look like a change.
                self._check_held()
            with self.stages.stage("intake"):
                intake = read_file(engine, wish, work, fmt=own.fmt, listener=self.listener)
            with self.stages.stage("diff"):
                change = self._compare(engine, state, intake, held)
            if change.lapsed or change.untraced:
                # Left out because the list does not hold it: so what is held must be right.
                self._check_held()
            self.listener.compared(change, held.version if held else None)
            check_change(
                change,
                entries=held.entries if held else 0,
                full=not wish.changes,
                reason=wish.reason,
                allow_withdrawals=wish.allow_withdrawals,
                typed=wish.typed,
            )
            if left_out := find_left_out(engine, wish, change, fmt=own.fmt):
                self.listener.left_out(change, left_out)
            need = find_need(self.session, own, engine, state, change, forced=self.forced) if held else None
            if wish.dry_run or (held is not None and change.empty and base.prepared is None):
                return _Prepared(intake, change, None, left_out, need)
            if held is None:
                return _Prepared(intake, change, self._first(engine, change, work, now))
            if need is not None:
                check_role(own, need)
                # What waits for signatures may wait for longer than a base can.
                base = replace(base, prepared=None)
            draft = draft_next(engine, own, change, base, work, now=now, stages=self.stages)
            return _Prepared(intake, change, draft, left_out, need)

    def _check_held(self) -> None:
        with self.stages.stage("check"):
            check_held(self.own)

    def _compare(self, engine: Engine, state: HeldState, intake: Intake, held: Held | None) -> Difference:
        today = day_of(datetime.now(UTC))
        if held is None and not intake.changes and not count_outdated(engine, intake, fmt=self.own.fmt, today=today):
            return Difference(intake.table, added=intake.good, updated=0, reinstated=0, withdrawn=0, unchanged=0)
        return difference(
            engine,
            state,
            intake,
            today=today,
            reason=self.wish.reason or "other",
            reinstate=reinstated(engine, ListStore(self.own.publisher.home, self.own.list_id), held, self.wish),
            renewed=held is not None and held.base_version > 1,
        )

    def _first(self, engine: Engine, change: Difference, work: Path, now: datetime) -> Draft:
        with self.stages.stage("write"):
            table = _entries_of(engine, change) if self.wish.changes or change.outdated else change.table
            shards = write_base(engine, table, work, fmt=self.own.fmt, version=1)
            return first_release(self.own.terms, shards, now=now)

    def _result(self, held: Held | None, prepared: _Prepared, job: Job | None, uploaded: int) -> Publication:
        draft, before = prepared.draft, held.version if held else None
        return Publication(
            name=self.own.name,
            list_id=self.own.list_id,
            before=before,
            version=draft.manifest.version if draft else before,
            dry_run=self.wish.dry_run,
            rows=prepared.intake.rows,
            skipped=prepared.intake.rows - prepared.intake.good,
            change=prepared.change,
            entries=draft.manifest.entries if draft else held.entries if held else 0,
            objects=len(draft.uploads) if draft else 0,
            merged=draft.merged if draft else 0,
            base=draft.manifest.base.version if draft and draft.rebased else None,
            uploaded=uploaded,
            job=job,
            stages=self.stages.to_json(),
            left_out=prepared.left_out,
            major=prepared.need,
        )


def _entries_of(engine: Engine, change: Difference) -> str:
    """A list of changes as the entries of a first version."""
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE first_entries AS SELECT * EXCLUDE (op, reason) FROM {quoted(change.table)}"
    )
    return "first_entries"

"""Bring lists to what their publishers signed last: poll, verify, plan, download or make, swap.

Nothing is parsed before its digest is checked, nothing is used before it is verified, and whatever fails leaves the
last good state in use.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from tuf.api.metadata import TargetFile

from hashshare.client import healing, named_roots, proving, trust
from hashshare.client.admission import check_built, check_object
from hashshare.client.download import Download, in_turn
from hashshare.client.home import Home, make_private_folder
from hashshare.client.kept_metadata import has_ended, timestamp_due
from hashshare.client.losses import check_losses, covering, loss_of, with_loss
from hashshare.client.making import make_merges, make_shards
from hashshare.client.planning import Want, record, wanted
from hashshare.client.polling import Head, chosen, heads
from hashshare.client.progress import Progress, Silent, Synced, operations_past
from hashshare.client.repository import Repository
from hashshare.client.room import check_room
from hashshare.client.session import Session
from hashshare.client.store import Held, HeldObject, ListStore, Loss, read_digested
from hashshare.client.succession import check_succession
from hashshare.client.trouble import trouble
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.engine import found_no_room
from hashshare.wire.entries import ListFormat
from hashshare.wire.errors import (
    ExitCode,
    HashshareError,
    MalformedManifest,
    WrongFold,
)
from hashshare.wire.lapsing import day_of
from hashshare.wire.manifest import Manifest


def sync_list(
    session: Session,
    home: Home,
    head: Head,
    *,
    repository: Repository | None = None,
    progress: Progress | None = None,
    accept_shrink: bool = False,
    force: bool = False,
    history: bool = False,
    whole: bool = False,
    waiting: Callable[[], None] | None = None,
) -> Synced:
    """Bring one list up to date.

    `repository` spares refreshing a publisher's metadata once per list. `force` refreshes it even if the poll shows
    nothing new. `history` also keeps the chain's segments up to the base, which tell a publisher what was withdrawn;
    `whole` keeps them for a mirror, which takes nothing on trust for that.
    `waiting` is called when another process is syncing. Raises the VerificationFailed tree, NetworkError, NotAllowed;
    the last good state stays in use then.
    """
    with home.lock(f"sync-{head.publisher}", waiting=waiting):
        run = _Run(session, home, head, repository, progress or Silent(), accept_shrink, history, whole)
        return run.run(force=force)


class _Run:
    """One list's sync, under the publisher's lock."""

    def __init__(
        self,
        session: Session,
        home: Home,
        head: Head,
        repository: Repository | None,
        progress: Progress,
        accept_shrink: bool,
        history: bool,
        whole: bool,
    ) -> None:
        self.session, self.home, self.head = session, home, head
        self.repository = repository or Repository(home, session, head.publisher)
        self.progress, self.accept_shrink = progress, accept_shrink
        self.store = ListStore(home, head.list_id)
        self.held: Held | None = None
        with contextlib.suppress(HashshareError):
            # A damaged current.json is written anew; the objects beside it are named by their digests.
            self.held = self.store.held()
        self.damaged = self.store.damaged_files(self.held)
        # A publisher's own store keeps its history whoever syncs it.
        self.history = history or bool(self.held and self.held.earlier and not whole)
        self.whole = whole

    def run(self, *, force: bool) -> Synced:
        self._check_named_root()
        if not force and self.held is not None and self._is_current(self.held):
            # A reader may have kept the last swap from removing what it replaced.
            return self._outcome(self.store.prune() or self.held)
        known = trust.publisher(self.home, self.head.publisher)
        body, sha256, role_version = self._manifest()
        named_roots.note(self.repository, self.head)
        if trust.publisher(self.home, self.head.publisher) != known:
            # First contact, or a false root was replaced and what came under it was dropped.
            self.held = self.store.held()
        manifest = Manifest.parse(body)
        check_succession(self.held, manifest, sha256=sha256, name=self.head.name, list_id=self.head.list_id)
        index = self._base_index(manifest)
        want = self._want(manifest, index)
        coming = record(manifest, want, sha256=sha256, role_version=role_version, now=datetime.now(UTC))
        if self.held is not None and self._is_held(self.held, coming):
            if self.held.role_version != role_version:
                self.held = self.store.adopt(replace(self.held, role_version=role_version), body, index)
            return self._outcome(self.store.prune() or self.held)
        return self._apply(manifest, body, coming, index)

    def _check_named_root(self) -> None:
        """Where the poll names another first root than the one held, see whether the hub serves it: RootReplaced."""
        known = trust.publisher(self.home, self.head.publisher)
        if known and self.head.root_fingerprint not in ("", known.fingerprint):
            self.repository.check_first_root()

    def _is_current(self, held: Held) -> bool:
        """Whether the poll shows nothing new and the signed metadata is fresh enough to believe it."""
        trust.usable_publisher(self.home, held.publisher)
        same = (held.version, held.role_version) == (self.head.version, self.head.role_version)
        now = datetime.now(UTC)
        due = timestamp_due(self.home, held.publisher, now=now)
        due = due or (held.status != "withdrawn" and has_ended(self.home, held.publisher, held.list_id, now=now))
        due = due or named_roots.is_newer(self.repository, self.head) or self._was_refused()
        return same and not due and self.store.is_whole(held)

    def _was_refused(self) -> bool:
        """Whether the last sync found something false: the timestamp that it then met must not end the alarm."""
        found = trouble(self.store)
        return found is not None and found.exit_code == ExitCode.VERIFICATION

    def _is_held(self, held: Held, coming: Held) -> bool:
        """Whether the record says all that the signed documents say, and no file that it names is lacking."""
        same = replace(
            coming, role_version=held.role_version, applied_at=held.applied_at, purged=held.purged, losses=held.losses
        )
        return same == held and self.store.is_whole(held)

    def _manifest(self) -> tuple[bytes, str, int]:
        """The signed manifest's bytes (unparsed), their SHA-256, and the version of the feed role that names it."""
        target = self.repository.manifest_target(self.head.list_id)
        sha256 = target.hashes["sha256"]
        role_version = self.repository.role_version(self.head.list_id)
        return self._document(target, self.store.manifest_path(sha256)), sha256, role_version

    def _base_index(self, manifest: Manifest) -> bytes:
        """The bytes of the base index, which is the manifest's: checked to be what that says of it."""
        ref = manifest.base.index
        body = self._document(ref.to_target(), self.store.index_path(ref.sha256))
        BaseIndex.parse(body).check_against(manifest)
        return body

    def _document(self, target: TargetFile, path: Path) -> bytes:
        """A small target's bytes as kept here, or as the hub serves them if they are not, or no longer, right."""
        body = read_digested(path, target.hashes["sha256"])
        if body is not None:
            return body
        make_private_folder(self.store.folder)
        return self.repository.download(target, path)

    def _want(self, manifest: Manifest, index: bytes) -> Want:
        base_index = BaseIndex.parse(index)
        kept = {"history": self.history, "whole": self.whole}
        return wanted(manifest, self.held, base_index=base_index, has=self.store.has, **kept)

    def _apply(self, manifest: Manifest, body: bytes, coming: Held, index: bytes) -> Synced:
        check_built(manifest, now=datetime.now(UTC))
        want = self._want(manifest, index)
        fetched, made, losses = list[HeldObject](), 0, self.held.losses if self.held else ()
        while True:
            try:
                made += self._obtain(want, coming.fmt, manifest, fetched)
                if not self.history:
                    # A publisher counted its own list, and the hub after it.
                    counted = proving.check_count(self.store, self.held, coming)
                    losses = self._check_losses(coming, counted)
                break
            except (duckdb.Error, WrongFold, MalformedManifest) as error:
                # Before anybody is blamed: what was read here may be damaged, and then it is fetched as well.
                if not self._set_damage_aside(want, error):
                    raise
                want = self._want(manifest, index)
        # What is superseded still lies here until the swap; nothing does on the first sync.
        purged = min(coming.purgeable, self.held.purged) if self.held else coming.purgeable
        adopted = self.store.adopt(replace(coming, purged=purged, losses=losses), body, index)
        return self._outcome(adopted, fetched, made=made, full=want.full, manifest=manifest)

    def _check_losses(self, coming: Held, counted: int | None) -> tuple[Loss, ...]:
        """The losses to remember with `coming`. Raises LargeLoss for more than may go unasked."""
        if self.held is None or self.accept_shrink:
            return ()
        new = loss_of(self.store, self.held, coming, counted=counted, now=datetime.now(UTC))
        rows = with_loss(self.held.losses, new)
        told = covering(self.repository, coming.list_id, version=coming.version, sha256=coming.manifest_sha256)
        check_losses(new, rows, name=coming.name, covered=told)
        return rows

    def _set_damage_aside(self, want: Want, error: Exception) -> bool:
        """Whether a file that was read here is not what was signed; then it counts as missing from now on."""
        if isinstance(error, duckdb.InterruptException) or found_no_room(error):
            return False
        held = self.held.objects if self.held else ()
        read = [part for part in {*held, *want.base, *want.deltas, *want.earlier} if self.store.has(part)]
        damaged = healing.wrong_files(self.store.files(read))
        for path in damaged:
            healing.set_aside(path)
        self.damaged = (*self.damaged, *damaged)
        return bool(damaged)

    def _obtain(self, want: Want, fmt: ListFormat, manifest: Manifest, fetched: list[HeldObject]) -> int:
        """Have every wanted object here, verified: made of held ones where that gives the signed bytes, else fetched
        and compared with those that it stands for.

        Adds what was fetched to `fetched`; returns how many were made. Raises ContradictedFold, duckdb.Error.
        """
        check_room(self.store, want, name=self.head.name)
        self._fetch(want.fetched, fmt, manifest, {}, fetched)
        if self.held is None:
            return 0
        built = day_of(manifest.base.built_at)
        proofs = proving.proofs(self.store, self.held, want, fmt, built=built)
        proving.prove_gaps(self.store, self.held, want, fmt, built=built)
        wrong = list(proofs)
        for done in make_merges(self.store, want.merges, fmt):
            wrong.remove(done)
        if want.renewal is not None:
            for done in make_shards(self.store, want.renewal, fmt, built=built):
                wrong.remove(done)
        for item in filter(self.store.has, wrong):
            proofs[item](self.store.object_path(item.sha256))
        lacking = [item for item in wrong if not self.store.has(item)]
        self._fetch(lacking, fmt, manifest, proofs, fetched)
        return len(proofs) - len(wrong)

    def _fetch(
        self,
        missing: Sequence[HeldObject],
        fmt: ListFormat,
        manifest: Manifest,
        proofs: proving.Proofs,
        fetched: list[HeldObject],
    ) -> None:
        """Download these, verify each when it is here, and put it among the verified ones. Segments that do the same,
        as two changes of nothing but the policy do, are one object.
        """
        alike = dict[str, tuple[HeldObject, ...]]()
        for item in missing:
            alike[item.sha256] = (*alike.get(item.sha256, ()), item)
        total = sum(items[0].length for items in alike.values())
        before = self.held.version if self.held else None
        self.progress.start(
            manifest.list_name, before=before, version=manifest.version, objects=len(alike), total=total
        )
        stop = threading.Event()
        try:
            for done in self._downloaded([items[0] for items in alike.values()], stop):
                part = self.store.part_path(done.sha256)
                try:
                    for item in alike[done.sha256]:
                        check_object(part, item, fmt)
                        if item in proofs:
                            proofs[item](part)
                except HashshareError:
                    part.unlink(missing_ok=True)
                    raise
                self.store.place(part, done.sha256)
                fetched.append(done)
        finally:
            stop.set()
            self.progress.finish()

    def _downloaded(self, missing: Sequence[HeldObject], stop: threading.Event) -> Iterator[HeldObject]:
        """Each object once its bytes are here and have the signed digest, in the order in which they come."""
        folder, served = self.store.objects_folder, self.repository.targets_url
        return in_turn(
            {
                item: Download(
                    self.session,
                    served + item.ref.stored_path,
                    item.ref,
                    folder / self.store.part_path(item.sha256).name,
                    self.progress.advance,
                )
                for item in missing
            },
            stop,
        )

    def _outcome(
        self,
        now: Held,
        applied: Sequence[HeldObject] = (),
        *,
        made: int = 0,
        full: bool = False,
        manifest: Manifest | None = None,
    ) -> Synced:
        known = trust.publisher(self.home, self.head.publisher)
        upserts, withdrawals = operations_past(self.held_version, manifest) if manifest else (0, 0)
        return Synced(
            name=now.name,
            list_id=now.list_id,
            before=self.held_version,
            version=now.version,
            purged=now.purged,
            segments=len(applied),
            bytes=sum(item.length for item in applied),
            made=made,
            upserts=upserts,
            withdrawals=withdrawals,
            entries=now.entries,
            entries_before=self.held.entries if self.held else None,
            damaged=tuple(map(str, self.damaged)),
            full=full,
            trust=known.state if known else "unconfirmed",
        )

    @property
    def held_version(self) -> int | None:
        return self.held.version if self.held else None


__all__ = ["Head", "Progress", "Synced", "chosen", "heads", "sync_list"]

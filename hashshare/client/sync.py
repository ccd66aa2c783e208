"""Bring lists to what their publishers signed last: poll, verify, plan, download or make, swap.

Nothing is parsed before its digest is checked, nothing is used before it is verified, and whatever fails leaves the
last good state in use.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tuf.api.metadata import TargetFile

from hashshare.client import trust
from hashshare.client.damage import damaged_files
from hashshare.client.download import Download
from hashshare.client.home import Home, make_private_folder
from hashshare.client.making import make_merges, make_shards
from hashshare.client.planning import Want, wanted
from hashshare.client.polling import Head, chosen, heads
from hashshare.client.progress import Progress, Silent, Synced, operations_past
from hashshare.client.session import Session
from hashshare.client.store import Held, HeldObject, ListStore, read_digested
from hashshare.client.succession import check_succession
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.documents import write_time
from hashshare.wire.entries import Kind, ListFormat
from hashshare.wire.errors import (
    HashshareError,
    MalformedSegment,
    VerificationFailed,
)
from hashshare.wire.manifest import Manifest
from hashshare.wire.segments import SegmentFacts, verify_segment

SHRINK_SHARE: Final = 0.10
SHRINK_ENTRIES: Final = 100
"""A net loss above both is refused unless accepted: a mistake or a stolen feed key could empty a list at one stroke."""
DOWNLOADS: Final = 2
"""At once: one is on its way while another is verified."""
VERIFY_MEMORY: Final = "128MiB"
SPARE_BYTES: Final = 64 << 20
"""Left free on the disk."""


def sync_list(
    session: Session,
    home: Home,
    head: Head,
    *,
    repository: trust.Repository | None = None,
    progress: Progress | None = None,
    accept_shrink: bool = False,
    force: bool = False,
    history: bool = False,
    waiting: Callable[[], None] | None = None,
) -> Synced:
    """Bring one list up to date.

    `repository` spares refreshing a publisher's metadata once per list. `force` refreshes it even if the poll shows
    nothing new. `history` also keeps the chain's segments up to the base, which tell a publisher what was withdrawn.
    `waiting` is called when another process is syncing. Raises the VerificationFailed tree, NetworkError, NotAllowed;
    the last good state stays in use then.
    """
    with home.lock(f"sync-{head.publisher}", waiting=waiting):
        return _Run(session, home, head, repository, progress or Silent(), accept_shrink, history).run(force=force)


class _Run:
    """One list's sync, under the publisher's lock."""

    def __init__(
        self,
        session: Session,
        home: Home,
        head: Head,
        repository: trust.Repository | None,
        progress: Progress,
        accept_shrink: bool,
        history: bool,
    ) -> None:
        self.session, self.home, self.head = session, home, head
        self.repository = repository or trust.Repository(home, session, head.publisher)
        self.progress, self.accept_shrink = progress, accept_shrink
        self.store = ListStore(home, head.list_id)
        self.held: Held | None = None
        with contextlib.suppress(HashshareError):
            # A damaged current.json is written anew; the objects beside it are named by their digests.
            self.held = self.store.held()
        self.damaged = damaged_files(self.store, self.held)
        # A publisher's own store keeps its history whoever syncs it.
        self.history = history or bool(self.held and self.held.earlier)

    def run(self, *, force: bool) -> Synced:
        if not force and self.held is not None and self._is_current(self.held):
            # A reader may have kept the last swap from removing what it replaced.
            return self._outcome(self.store.prune() or self.held)
        known = trust.publisher(self.home, self.head.publisher)
        body, sha256, role_version = self._manifest()
        if trust.publisher(self.home, self.head.publisher) != known:
            # First contact, or a false root was replaced and what came under it was dropped.
            self.held = self.store.held()
        manifest = Manifest.parse(body)
        check_succession(self.held, manifest, sha256=sha256, name=self.head.name, list_id=self.head.list_id)
        index = self._base_index(manifest)
        if self.held is not None and self.held.manifest_sha256 == sha256 and self._holds_all_of(manifest, self.held):
            if self.held.role_version != role_version:
                self.held = self.store.adopt(replace(self.held, role_version=role_version), body, index)
            return self._outcome(self.store.prune() or self.held)
        return self._apply(manifest, body, sha256, role_version, index)

    def _is_current(self, held: Held) -> bool:
        """Whether the poll shows nothing new and the signed metadata is fresh enough to believe it."""
        trust.usable_publisher(self.home, held.publisher)
        same = (held.version, held.role_version) == (self.head.version, self.head.role_version)
        due = trust.timestamp_due(self.home, held.publisher, now=datetime.now(UTC))
        return same and not due and self.store.is_whole(held)

    def _holds_all_of(self, manifest: Manifest, held: Held) -> bool:
        """Whether nothing of this manifest, which is the held one, is lacking; a publisher wants its history too."""
        parts = (*held.earlier, *held.deltas) if self.history else held.deltas
        chain = [it for it in manifest.segments if self.history or it.to_version > manifest.base.version]
        return [part.sha256 for part in parts] == [it.object.sha256 for it in chain] and self.store.is_whole(held)

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

    def _apply(self, manifest: Manifest, body: bytes, sha256: str, role_version: int, index: bytes) -> Synced:
        fmt = ListFormat(manifest.algorithms, manifest.scheme, manifest.columns)
        self._check_shrink(manifest)
        base_index = BaseIndex.parse(index)
        want = wanted(manifest, self.held, base_index=base_index, has=self.store.has, history=self.history)
        fetched, made = self._obtain(want, fmt, manifest)
        adopted = Held(
            list_id=manifest.list_id,
            name=manifest.list_name,
            version=manifest.version,
            role_version=role_version,
            status=manifest.status,
            algorithms=fmt.algorithms,
            scheme=fmt.scheme,
            columns=fmt.columns,
            entries=manifest.entries,
            manifest_sha256=sha256,
            published_at=write_time(manifest.published_at),
            applied_at=write_time(datetime.now(UTC).replace(microsecond=0)),
            purged=0,
            base_version=manifest.base.version,
            base_index_sha256=manifest.base.index.sha256,
            base=want.base,
            deltas=want.deltas,
            earlier=want.earlier,
        )
        # What is superseded still lies here until the swap; nothing does on the first sync.
        purged = min(adopted.purgeable, self.held.purged) if self.held else adopted.purgeable
        adopted = self.store.adopt(replace(adopted, purged=purged), body, index)
        return self._outcome(adopted, fetched, made=made, full=want.full, manifest=manifest)

    def _check_shrink(self, manifest: Manifest) -> None:
        if self.held is None or self.accept_shrink:
            return
        loss = self.held.entries - manifest.entries
        if loss > SHRINK_ENTRIES and loss > SHRINK_SHARE * self.held.entries:
            raise VerificationFailed(
                f"Version {manifest.version} of {manifest.list_name} would leave {manifest.entries:,} of "
                f"{self.held.entries:,} entries; the last good state stays in use.",
                next_step="Ask the publisher whether this is meant, then: hashshare sync --accept-shrink",
                held=self.held.entries,
                offered=manifest.entries,
            )

    def _obtain(self, want: Want, fmt: ListFormat, manifest: Manifest) -> tuple[list[HeldObject], int]:
        """Have every wanted object here, verified: made of held ones where that gives the signed bytes, else fetched.

        Returns what was fetched, and how many were made.
        """
        fetched, made = list(want.fetched), 0
        self._check_space(want)
        self._fetch(fetched, fmt, manifest)
        wrong = [merge.merged for merge in want.merges]
        for done in make_merges(self.store, want.merges, fmt):
            wrong.remove(done)
            made += 1
        if want.renewal is not None:
            wrong += want.renewal.shards
            for done in make_shards(self.store, want.renewal, fmt, built=manifest.base.built_at.date()):
                wrong.remove(done)
                made += 1
        wrong = [item for item in wrong if not self.store.has(item)]
        self._fetch(wrong, fmt, manifest)
        return fetched + wrong, made

    def _fetch(self, missing: Sequence[HeldObject], fmt: ListFormat, manifest: Manifest) -> None:
        """Download these, verify each when it is here, and put it among the verified ones."""
        total = sum(item.length for item in missing)
        before = self.held.version if self.held else None
        self.progress.start(
            manifest.list_name, before=before, version=manifest.version, objects=len(missing), total=total
        )
        stop = threading.Event()
        try:
            for item in self._downloaded(missing, stop):
                part = self.store.part_path(item.sha256)
                try:
                    check_object(part, item, fmt)
                except HashshareError:
                    part.unlink(missing_ok=True)
                    raise
                self.store.place(part, item.sha256)
        finally:
            stop.set()
            self.progress.finish()

    def _downloaded(self, missing: Sequence[HeldObject], stop: threading.Event) -> Iterator[HeldObject]:
        """Each object once its bytes are here and have the signed digest, in the order in which they come."""
        folder = self.store.objects_folder
        with ThreadPoolExecutor(DOWNLOADS, thread_name_prefix="download") as pool:
            pending: dict[Future[None], HeldObject] = {}
            try:
                for item in missing:
                    part = folder / self.store.part_path(item.sha256).name
                    url = self.repository.targets_url + item.ref.stored_path
                    download = Download(self.session, url, item.ref, part, self.progress.advance)
                    pending[pool.submit(download.run, stop)] = item
                for future in as_completed(pending):
                    future.result()
                    yield pending[future]
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _check_space(self, want: Want) -> None:
        """What is made may have to be fetched after all, and takes as much room either way."""
        made = {merge.merged for merge in want.merges} | set(want.renewal.shards if want.renewal else ())
        total = sum(item.length for item in {*want.fetched, *made} if not self.store.has(item))
        parts = sum(path.stat().st_size for path in self.store.objects_folder.glob("*.part"))
        free = shutil.disk_usage(self.store.folder).free
        if total - parts + SPARE_BYTES > free:
            raise HashshareError(
                f"{self.head.name} needs {total:,} bytes; {self.store.folder} has {free:,} free.",
                next_step="Make room, or move HASHSHARE_HOME. The last good state stays in use.",
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


def check_object(path: Path, item: HeldObject, fmt: ListFormat) -> SegmentFacts:
    """Verify a file whose digest was checked as the segment that the signed documents describe.

    Raises MalformedSegment.
    """
    kind: Kind = "delta" if item.from_version else "base"
    facts = verify_segment(path, fmt=fmt, kind=kind, sha256=item.sha256, memory=VERIFY_MEMORY)
    if (facts.rows, facts.withdrawals) != (item.rows, item.withdrawals):
        raise MalformedSegment(
            f"{item.path} has {facts.rows:,} rows, {facts.withdrawals:,} of them withdrawals; "
            f"{item.rows:,} and {item.withdrawals:,} were signed."
        )
    return facts


__all__ = ["Head", "Progress", "Synced", "check_object", "chosen", "heads", "sync_list"]

"""A thief of the feed key together with a hub that helps her: releases that no honest hub would take, one upon another.

forger = Forger(scene, tmp_path)
forger.withdraw(scene.keys_before[:30])     # from now on the hub serves that, signed by all who must sign
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hashshare.wire import keys
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import Manifest, Segment
from hashshare.wire.objects import ObjectRef, delta_path
from hashshare.wire.repository import read_role, sign_release
from hashshare.wire.segments import write_delta
from tests.attacks.scene import LIST, Scene

FORMAT: Final = ListFormat(("sha256",), "uk-abc", ("category",))
UPSERT, WITHDRAW = 1, 2


def heads(scene: Scene, *, role_version: int = 99, version: int = 99) -> bytes:
    """A poll that promises something new, so that the member asks for it."""
    return (
        f'{{"lists":[{{"name":"{LIST}","id":"{scene.list_id}","publisher":"aurora.example",'
        f'"role_version":{role_version},"version":{version},"published_at":"2026-11-22T12:00:00Z"}}]}}'
    ).encode()


class Forger:
    """`manifest` is the last that was forged, the hub's own at first."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene, self._folder = scene, folder
        self.manifest = Manifest.parse(scene.manifest(scene.list_id))
        self._role = read_role(scene.list_id, scene.newest(scene.list_id)).version
        self._raised = 0

    def withdraw(self, hashes: Sequence[str]) -> None:
        self.release([(bytes.fromhex(text), WITHDRAW) for text in hashes])

    def add(self, hashes: Sequence[str]) -> None:
        self.release([(bytes.fromhex(text), UPSERT) for text in hashes])

    def release(self, rows: Sequence[tuple[bytes, int]]) -> None:
        """The next version: a segment of these operations, signed by the feed key, served under the hub's own key."""
        last, scene = self.manifest, self._scene
        taken = sum(op == WITHDRAW for _, op in rows)
        body = self._delta(rows)
        ref = ObjectRef.of(delta_path(scene.list_id, from_version=last.version, to_version=last.version + 1), body)
        segment = Segment(last.version, last.version + 1, len(rows) - taken, taken, ref)
        self.manifest = replace(
            last,
            version=last.version + 1,
            entries=last.entries + len(rows) - 2 * taken,
            segments=(*last.segments, segment),
            published_at=datetime.now(UTC).replace(microsecond=0),
        )
        scene.serve_object(scene.list_id, ref.path.partition("/")[2], body)
        scene.serve_object(scene.list_id, "manifest.json", self.manifest.to_bytes())
        self._role, self._raised = self._role + 1, self._raised + 1
        feed = sign_release(
            list_id=scene.list_id,
            manifest=self.manifest.to_bytes(),
            version=self._role,
            signers=[keys.tuf_signer(scene.officer_key("feed"))],
            now=datetime.now(UTC),
        )
        scene.lie_with(feeds={**scene.feeds(), scene.list_id: feed}, raise_by=self._raised)
        scene.between.serve(r"/heads$", body=heads(scene, role_version=self._role, version=self.manifest.version))

    def _delta(self, rows: Sequence[tuple[bytes, int]]) -> bytes:
        path = self._folder / f"forged-{self.manifest.version + 1}.parquet"
        with open_engine(write=self._folder) as engine:
            engine.execute("CREATE TABLE rows (p UBIGINT, s BLOB, category VARCHAR, op UTINYINT, reason VARCHAR)")
            engine.executemany(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?)",
                [
                    [int.from_bytes(key[:8]), key[8:], *(("A", op, None) if op == UPSERT else (None, op, "other"))]
                    for key, op in rows
                ],
            )
            write_delta(engine, "rows", path, fmt=FORMAT)
        return path.read_bytes()

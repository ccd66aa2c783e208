"""A hotline at work through the API: declares a list, uploads objects, commits signed metadata, and a worker's part.

The job is run in this process by the function that the worker calls; that workers themselves do it is shown elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hashshare.hub_keys import hub_keys
from hashshare.services.work import run_job
from hashshare.wire import keys, repository
from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import Base, Manifest
from hashshare.wire.objects import ObjectRef, base_index_path, manifest_path, shard_path
from hashshare.wire.segments import write_base
from tests.api.parties import Party

FORMAT = ListFormat(("sha256",), "uk-abc", ())
TERMS = "Match, report, tell nobody."


@dataclass
class Hotline:
    """`objects` maps stored paths (`<id>/<sha256>.<name>`) to bytes, as they will be served."""

    party: Party
    domain: str
    slug: str = "images"
    list_id: str = field(default_factory=lambda: secrets.token_hex(8))
    visibility: str = "catalogue"
    officer: Any = field(default_factory=keys.generate)
    feed: Any = field(default_factory=keys.generate)
    objects: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.domain}/{self.slug}"

    @property
    def targets_path(self) -> str:
        return f"tuf/{self.domain}/targets"

    def declaration(self, **changes: Any) -> dict[str, Any]:
        return {
            "publisher": self.domain,
            "slug": self.slug,
            "id": self.list_id,
            "title": "Images",
            "algorithms": list(FORMAT.algorithms),
            "scheme": FORMAT.scheme,
            "terms": TERMS,
            "visibility": self.visibility,
        } | changes

    def declare(self, **changes: Any) -> Any:
        return self.party.signed("POST", "lists", json=self.declaration(**changes))

    def first_roles(self) -> dict[str, bytes]:
        """Root and targets version 1, without a list."""
        now, signers = datetime.now(UTC), [keys.tuf_signer(self.officer)]
        mine = [keys.tuf_key(keys.public_bytes(self.officer))]
        root = repository.create_root(
            root_keys=mine, targets_keys=mine, hub_keys=list(hub_keys().both), signers=signers, now=now
        )
        return {"root": root, "targets": repository.create_targets(signers=signers, now=now)}

    def delegation(self, targets: bytes) -> dict[str, bytes]:
        """The targets metadata after `targets`, with the list's feed role."""
        feed_keys, signers = [keys.tuf_key(keys.public_bytes(self.feed))], [keys.tuf_signer(self.officer)]
        delegated = repository.delegate_list(
            targets, list_id=self.list_id, keys=feed_keys, signers=signers, now=datetime.now(UTC)
        )
        return {"targets": delegated}

    def build(self, *, entries: int = 1000) -> bytes:
        """Base version 1 of random hashes and its manifest; every object into `objects`."""
        shards = []
        with tempfile.TemporaryDirectory() as folder, open_engine(write=Path(folder)) as engine:
            engine.execute("CREATE TABLE rows (p UBIGINT, s BLOB)")
            first = [int.from_bytes(secrets.token_bytes(8)) for _ in range(entries)]
            rest = [secrets.token_bytes(24) for _ in range(entries)]
            engine.execute("INSERT INTO rows SELECT unnest($1::UBIGINT[]), unnest($2::BLOB[])", [first, rest])
            for number, made in enumerate(write_base(engine, "rows", Path(folder), fmt=FORMAT, version=1)):
                ref = self.keep(shard_path(self.list_id, version=1, number=number), made.path.read_bytes())
                shards.append(Shard(made.facts.low, made.facts.high, made.facts.rows, ref))
        index = BaseIndex(self.list_id, 1, entries, tuple(shards))
        index_ref = self.keep(base_index_path(self.list_id, version=1), index.to_bytes())
        published_at = datetime.now(UTC).replace(microsecond=0)
        manifest = Manifest(
            list_id=self.list_id,
            list_name=self.name,
            version=1,
            algorithms=FORMAT.algorithms,
            scheme=FORMAT.scheme,
            columns=FORMAT.columns,
            published_at=published_at,
            entries=entries,
            base=Base(1, entries, index.total_bytes, index_ref, published_at),
        ).to_bytes()
        self.keep(manifest_path(self.list_id), manifest)
        return manifest

    def keep(self, path: str, body: bytes) -> ObjectRef:
        ref = ObjectRef.of(path, body)
        self.objects[ref.stored_path] = body
        return ref

    def path_of(self, suffix: str) -> str:
        """The address, below the publisher's targets, of the one object whose name ends so."""
        return next(f"{self.targets_path}/{path}" for path in self.objects if path.endswith(suffix))

    def upload(self, path: str, body: bytes) -> Any:
        return self.party.signed("PUT", f"{self.targets_path}/{path}", body=body)

    def upload_all(self) -> None:
        for path, body in self.objects.items():
            answer = self.upload(path, body)
            assert answer.status_code == 201, answer.content

    def release(self, manifest: bytes, *, version: int = 1) -> dict[str, bytes]:
        signers = [keys.tuf_signer(self.feed)]
        now = datetime.now(UTC)
        return {
            self.list_id: repository.sign_release(
                list_id=self.list_id, manifest=manifest, version=version, signers=signers, now=now
            )
        }

    def commit(self, roles: dict[str, bytes], *, follows: int = 0) -> Any:
        body = {"roles": {role: b64encode(text).decode() for role, text in roles.items()}}
        headers = {"If-Match": f'"{follows}"'}
        return self.party.signed("POST", f"tuf/{self.domain}/commits", json=body, headers=headers)

    def committed(self, roles: dict[str, bytes], *, follows: int = 0) -> dict[str, Any]:
        """Commit, do the worker's part, and give the job as the API then shows it."""
        answer = self.commit(roles, follows=follows)
        assert answer.status_code == 202, answer.content
        run_job(job_id=uuid.UUID(answer.json()["job"]["id"]), worker="worker@test", task_id="task-1")
        job: dict[str, Any] = self.party.get(answer.headers["Location"]).json()
        return job

    def prepare(self) -> Hotline:
        """Everything up to the first release: the list declared, root and targets accepted."""
        assert self.declare().status_code == 201
        first = self.first_roles()
        assert self.committed(first)["state"] == "done"
        assert self.committed(self.delegation(first["targets"]), follows=1)["state"] == "done"
        return self

    def publish(self) -> Hotline:
        """Everything up to a published version 1."""
        self.prepare()
        manifest = self.build()
        self.upload_all()
        job = self.committed(self.release(manifest))
        assert job["state"] == "done", job
        return self


def subscribed(member: Party, hotline: Hotline, *, until: str | None = None) -> None:
    """The member accepts the terms and is granted the list."""
    asked = {"terms_digest": hashlib.sha256(TERMS.encode()).hexdigest()}
    assert member.signed("POST", f"lists/{hotline.name}/subscriptions", json=asked).status_code == 201
    decision = {"decision": "grant"} | ({"until": until} if until else {})
    path = f"lists/{hotline.name}/subscriptions/{member.organisation.slug}/decision"
    assert hotline.party.signed("POST", path, json=decision).status_code == 200

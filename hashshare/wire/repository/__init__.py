"""A publisher's TUF repository (TUF specification 1.0.34, through `tuf.api`): bytes in, bytes out, no I/O, no clock.

- root and targets belong to the hotline's officers; targets delegates one feed role per list and has no targets.
- The feed role of a list, named by its list id, signs one target, `<list-id>/manifest.json`, with one SHA-256.
- The major role, of two keys or more, signs `<list-id>/major-<version>.json`: that a large loss of entries is meant.
- snapshot and timestamp belong to the hub, whose two keys every root names: one in use, one kept offline. A root may
  name those of one other hub besides, which takes over when the first is dead (`standby_hub`).

`officers` and `hub` make metadata, `verification` judges what arrives, `shapes` says what each role must look like,
`metadata` reads and names files. Members verify with the unmodified `tuf.ngclient`, never with this.

    root = create_root(root_keys=[a, b, c], threshold=2, targets_keys=[a, b, c], hub_keys=[online, standby],
                       signers=[sa, sb], now=now)
    targets = delegate_list(create_targets(signers=[sa, sb], now=now), list_id=i, keys=[f], signers=[sa, sb], now=now)
    feed = sign_release(list_id=i, manifest=manifest, version=1, signers=[sf], now=now)
    commit = verify_commit(Trusted(None, None, {}), roles={"root": root, "targets": targets}, hub_keys=..., now=now)
    snapshot = sign_snapshot(targets=targets, feeds={i: feed}, version=1, signer=online_signer, now=now)
    timestamp = sign_timestamp(snapshot=snapshot, version=1, signer=online_signer, now=now)
"""

from hashshare.wire.repository.hosting import hosted_lists
from hashshare.wire.repository.hub import sign_snapshot, sign_timestamp
from hashshare.wire.repository.metadata import (
    RoleFile,
    grouped,
    metadata_name,
    parse_metadata_name,
    read_role,
    root_fingerprint,
)
from hashshare.wire.repository.officers import (
    add_signature,
    create_root,
    create_targets,
    delegate_list,
    delegate_lists,
    delegate_major,
    next_root,
    renew_feed,
    renew_targets,
    sign_major,
    sign_release,
)
from hashshare.wire.repository.resent import check_standing, verify_resent
from hashshare.wire.repository.shapes import feed_manifest, list_ids, major_documents
from hashshare.wire.repository.standby_hub import StandbyHub, standby_hub
from hashshare.wire.repository.verification import Commit, Trusted, verify_commit

__all__ = [
    "Commit",
    "RoleFile",
    "StandbyHub",
    "Trusted",
    "add_signature",
    "check_standing",
    "create_root",
    "create_targets",
    "delegate_list",
    "delegate_lists",
    "delegate_major",
    "feed_manifest",
    "grouped",
    "hosted_lists",
    "list_ids",
    "major_documents",
    "metadata_name",
    "next_root",
    "parse_metadata_name",
    "read_role",
    "renew_feed",
    "renew_targets",
    "root_fingerprint",
    "sign_major",
    "sign_release",
    "sign_snapshot",
    "sign_timestamp",
    "standby_hub",
    "verify_commit",
    "verify_resent",
]

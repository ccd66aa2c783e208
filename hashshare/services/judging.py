"""Whether signed metadata and a manifest may follow what the hub has: by one version, or, while a restored hub awaits
its publisher, by as many as were lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hashshare.hub_keys import hub_keys
from hashshare.models import HashList, Publisher
from hashshare.selectors.beginnings import begins_anew
from hashshare.services.trust import trusted_of
from hashshare.wire.chain import Step, step
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.manifest import Manifest
from hashshare.wire.repository import Commit, Trusted, list_ids, verify_commit, verify_resent
from hashshare.wire.resuming import resumed


def judge_roles(publisher: Publisher, roles: Mapping[str, bytes], *, now: datetime) -> Commit:
    """Raises VersionConflict, BadSignature, ExpiredMetadata, MalformedMetadata."""
    trusted = trusted_of(publisher)
    if begins_anew(publisher, roles, now=now):
        return judge_beginning(trusted, roles, now=now)
    first = trusted.root is None and set(roles) == {"root", "targets"}  # of a publisher that begins only now
    judge = verify_commit if publisher.awaited_since is None or first else verify_resent
    return judge(trusted, roles=roles, hub_keys=hub_keys().both, now=now)


def judge_beginning(trusted: Trusted, roles: Mapping[str, bytes], *, now: datetime) -> Commit:
    """Root and targets as a publisher's first; but its lists go on, each under a key that the new targets name: that
    of its standing feed, or one that signs the feed anew beside them. Majors come later. Raises like `judge_roles`.
    """
    if "major" in roles or "targets" not in roles:
        raise MalformedMetadata("A publisher begins anew with root and targets, and feeds whose key is another.")
    lost = trusted.feeds.keys() - set(list_ids(roles["targets"]))
    if lost:
        raise MalformedMetadata(f"The published list {min(lost)} lost its role.", role="targets")
    return verify_commit(Trusted(None, None, trusted.feeds), roles=roles, hub_keys=hub_keys().both, now=now)


def skips(hash_list: HashList, previous: Manifest | None, following: Manifest) -> bool:
    """Whether versions between the two were lost. The list is selected along with its publisher."""
    expected = previous.version + 1 if previous else 1
    return hash_list.publisher.awaited_since is not None and following.version != expected


def change(hash_list: HashList, previous: Manifest | None, following: Manifest) -> Step:
    """Raises VersionConflict, MalformedManifest, RejectedContent."""
    follow = resumed if skips(hash_list, previous, following) else step
    return follow(previous, following)

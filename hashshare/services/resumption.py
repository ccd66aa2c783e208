"""A publisher's word, after the hub was restored from a backup, that the hub has all again that the publisher signed.

Only the publisher can say that: roots, targets and feeds bear its signatures, and the hub cannot know of those it lost.
Until then commits may skip versions, since those between are gone, and nothing is signed over what they bring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from hashshare.hub_keys import hub_keys
from hashshare.models import Commit, Metadata, Publisher
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import home_publisher
from hashshare.selectors.recovery import refuse_restored
from hashshare.services.timestamps import sign_snapshot_and_timestamp
from hashshare.services.trust import trusted_of
from hashshare.wire import errors
from hashshare.wire.documents import MAX_INTEGER
from hashshare.wire.repository import check_standing

HUB_ROLES = ("snapshot", "timestamp")


@dataclass(frozen=True, slots=True)
class Standing:
    """What the hub has of a publisher: role -> accepted version. `awaited`: it waits for the publisher's word."""

    awaited: bool
    roles: dict[str, int] = field(default_factory=dict)


def standing(*, caller: Caller, domain: str) -> Standing:
    """Raises NotEntitled."""
    publisher = home_publisher(caller=caller, domain=domain)
    return Standing(publisher.awaited_since is not None, accepted_versions(publisher))


def accepted_versions(publisher: Publisher) -> dict[str, int]:
    rows = Metadata.objects.filter(publisher=publisher).exclude(role__in=HUB_ROLES).order_by()
    return dict(rows.values_list("role").annotate(newest=Max("version")))


@transaction.atomic
def resume_publisher(
    *, caller: Caller, domain: str, roles: Mapping[str, int], seen: Mapping[str, int], now: datetime
) -> Standing:
    """Serve the publisher's newest again, signed under versions above any before.

    1. `roles` are the versions that the publisher has: all of them are here, and no other. Raises VersionConflict.
    2. What came piece by piece fits together: targets under the root, feeds under targets. Raises BadSignature.
    3. `seen` are versions of snapshot and timestamp that the publisher's own machine had verified: evidence that the
       floor, which was reckoned by the clock, is high enough; else it is raised above them.
    4. The word is taken, and snapshot and timestamp are signed. Saying it twice changes nothing.

    Raises NotEntitled, Conflict while a commit is being verified.
    """
    caller.require_write()
    owned = home_publisher(caller=caller, domain=domain)
    publisher = Publisher.objects.select_for_update().get(pk=owned.pk)
    if publisher.awaited_since is None:
        return Standing(False, accepted_versions(publisher))
    if Commit.objects.filter(publisher=publisher, state=Commit.State.PENDING).exists():
        raise errors.Conflict("A commit is being verified.", next_step="Wait for its job to end, then say it again.")
    check_same(accepted_versions(publisher), roles)
    if roles:
        check_standing(trusted_of(publisher), hub_key=hub_keys().online.public_key)
    publisher.version_floor = max(publisher.version_floor, *(min(it, MAX_INTEGER // 2) for it in seen.values()), 0)
    serve_again(publisher, now)
    return Standing(False, accepted_versions(publisher))


def check_same(here: Mapping[str, int], said: Mapping[str, int]) -> None:
    """Raises VersionConflict naming the first role that differs."""
    for role in sorted(here.keys() | said.keys()):
        if here.get(role, 0) != said.get(role, 0):
            message = f"The hub has version {here.get(role, 0)} of {role}; its publisher has {said.get(role, 0)}."
            raise errors.VersionConflict(message, role=role, current=here.get(role, 0), offered=said.get(role, 0))


@transaction.atomic
def accept_as_newest(*, domain: str, now: datetime) -> None:
    """The operator's word instead of the publisher's, where that cannot be had.

    Whoever has seen a newer version refuses this one, as it must. Raises NotFound, UsageError, BadSignature,
    and HubRestored before `recover` has raised the versions: a backup made while it was awaited says so from the start.
    """
    refuse_restored()
    publisher = Publisher.objects.select_for_update().filter(domain=domain).first()
    if publisher is None:
        raise errors.NotFound(f"{domain} is not a publisher of this hub.")
    if publisher.awaited_since is None:
        raise errors.UsageError(f"{domain} is not awaited. Nothing was changed.")
    if trusted_of(publisher).targets is not None:
        check_standing(trusted_of(publisher))
    serve_again(publisher, now)


def serve_again(publisher: Publisher, now: datetime) -> None:
    publisher.awaited_since = None
    publisher.save(update_fields=["awaited_since", "version_floor"])
    sign_snapshot_and_timestamp(publisher=publisher, now=now)
